package operator

import (
	"context"
	"errors"
	"strconv"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/operator"
	"smsbridge/internal/store"
)

// showJobs shows what fails, waits or died. The periodic jobs are not shown while they only wait.
func (d *Door) showJobs(c echo.Context, v visitor) error {
	all, err := d.Store.Jobs(c.Request().Context())
	if err != nil {
		return d.fail(c, err)
	}
	var shown []store.QueuedJob
	for _, j := range all {
		quiet := j.Periodic && (j.State == store.JobWaiting || j.State == store.JobWorking)
		if !quiet {
			shown = append(shown, j)
		}
	}
	return d.show(c, v, "jobs", page{Title: "Jobs", Current: "jobs", Data: shown})
}

func retryJob(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	return onJob(f, "job.retry", func(id int64) error { return tx.RetryJob(ctx, id) })
}

func dropJob(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	return onJob(f, "job.drop", func(id int64) error { return tx.DropJob(ctx, id) })
}

func onJob(f form, act string, do func(id int64) error) (operator.Act, error) {
	id, err := strconv.ParseInt(f.id, 10, 64)
	if err == nil {
		err = do(id)
	}
	if errors.Is(err, store.ErrNoJob) || errors.Is(err, strconv.ErrSyntax) ||
		errors.Is(err, strconv.ErrRange) {
		return operator.Act{}, wrong{"That job is done, or a worker has it right now.",
			"Open the page again to see how it is."}
	}
	return operator.Act{Act: act, Subject: f.id}, err
}
