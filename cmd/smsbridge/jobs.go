package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/store"
	"smsbridge/outbound"
)

type jobsCommand struct {
	List  jobsList  `cmd:"" default:"withargs" help:"${jobs_list}"`
	Retry jobsRetry `cmd:"" help:"${jobs_retry}"`
	Drop  jobsDrop  `cmd:"" help:"${jobs_drop}"`
}

// The helps are in jobsHelps, since a tag cannot be broken into lines.
type jobsList struct {
	bridgeFlag
	All  bool `help:"${jobs_all}"`
	JSON bool `help:"${check_json}" name:"json"`
}

type jobsRetry struct {
	ID int64 `arg:"" help:"${jobs_id}"`
	bridgeFlag
}

type jobsDrop struct {
	ID int64 `arg:"" help:"${jobs_id}"`
	bridgeFlag
}

// jobsHelps returns the helps of the commands, arguments and flags, by the names of their tags.
func jobsHelps() kong.Vars {
	return kong.Vars{
		"jobs":       "Show the jobs that fail, wait or died, and try one again.",
		"jobs_list":  "Show the jobs that fail, wait or died.",
		"jobs_retry": "Make a job due now, also one that died.",
		"jobs_drop":  "Give a job up: what it is about ends and is not tried again.",
		"jobs_all":   "Show the bridge's own periodic jobs, too.",
		"jobs_id":    "The id of the job, as jobs shows it.",
	}
}

// Help is shown by smsbridge jobs --help.
func (jobsCommand) Help() string {
	return "While all goes well the queue is nearly empty: a mail is examined, a text sent and a " +
		"link opened at once. A job is here when it failed, must wait, or died. A dead job stays for " +
		"thirty days, and the row that it was about says why: smsbridge show ID.\n\n" +
		"  $ smsbridge jobs\n" +
		"  ID  KIND       ABOUT   STATE    TRIES  SINCE        NEXT         ERROR\n" +
		"  17  send_text  01a2…   failing  2      2m10s ago    in 40s       twilio responds 503\n\n" +
		"The bridge may be running."
}

// Run lists the jobs.
func (l jobsList) Run(ctx context.Context, w world) error { return l.at(ctx, w, l.list) }

func (l jobsList) list(ctx context.Context, d database) error {
	all, err := d.store.Jobs(ctx)
	if err != nil {
		return err
	}
	shown := []store.QueuedJob{}
	for _, j := range all {
		quiet := outbound.IsPeriodic(j.Kind) &&
			(j.State == store.JobWaiting || j.State == store.JobWorking)
		if l.All || !quiet {
			shown = append(shown, j)
		}
	}
	if l.JSON {
		return indented(d.world, shown)
	}
	if len(shown) == 0 {
		_, err := fmt.Fprintln(d.stdout, "no job fails, waits or died")
		return err
	}
	var now time.Time
	err = d.store.Read(ctx, func(_ context.Context, view store.View) error {
		now = view.Now()
		return nil
	})
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKIND\tABOUT\tSTATE\tTRIES\tSINCE\tNEXT\tERROR")
	for _, j := range shown {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", j.ID, j.Kind, j.About, j.State,
			j.Tries, fromNow(now, j.Created), fromNow(now, j.Next), printable(j.Error))
	}
	return table.Flush()
}

// Run makes a job due.
func (r jobsRetry) Run(ctx context.Context, w world) error { return r.at(ctx, w, r.retry) }

func (r jobsRetry) retry(ctx context.Context, d database) error {
	err := d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.RetryJob(ctx, r.ID); err != nil {
			return err
		}
		return d.audit(ctx, tx, "job.retry", strconv.FormatInt(r.ID, 10), "")
	})
	if errors.Is(err, store.ErrNoJob) {
		return mistake{fmt.Sprintf("no job %d can be tried again: it is done, or a worker has it", r.ID),
			"smsbridge jobs --all lists all that there are"}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.stdout, "it is due now; the bridge takes it up within a second")
	return err
}

// Run has a job dropped.
func (o jobsDrop) Run(ctx context.Context, w world) error { return o.at(ctx, w, o.drop) }

func (o jobsDrop) drop(ctx context.Context, d database) error {
	err := d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.DropJob(ctx, o.ID); err != nil {
			return err
		}
		return d.audit(ctx, tx, "job.drop", strconv.FormatInt(o.ID, 10), "")
	})
	if errors.Is(err, store.ErrNoJob) {
		return mistake{fmt.Sprintf("there is no job %d to drop: it is done or was tried again", o.ID),
			"smsbridge jobs lists those that wait: one that was tried again has another id"}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.stdout,
		"the bridge drops it within a second, or once its worker has ended")
	return err
}

// fromNow says how far a time is from now.
func fromNow(now, t time.Time) string {
	switch d := now.Sub(t).Round(time.Second); {
	case d > 0:
		return d.String() + " ago"
	case d < 0:
		return "in " + (-d).String()
	}
	return "now"
}
