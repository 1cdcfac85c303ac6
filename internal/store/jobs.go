package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// ErrNoJob: the queue has no job with that id, or its state does not allow what was asked.
var ErrNoJob = errors.New("store: no such job")

// jobClient is the part of River's client that operators need.
type jobClient interface {
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
}

// QueuedJob is a job of the queue that is not done. Most jobs need none: see begin.go.
type QueuedJob struct {
	ID      int64     `json:"id"`
	Kind    string    `json:"kind"`            // of the job, or "send_text (bundle of 3)" and the like
	About   string    `json:"about,omitempty"` // the id of the row that it is about
	State   JobState  `json:"state"`
	Tries   int       `json:"tries"`
	Created time.Time `json:"created"`
	// when it is tried next, or was to be; of a dead one its end
	Next  time.Time `json:"next"`
	Error string    `json:"error,omitempty"` // of its last try, without secrets
	// Periodic: this very Store has it done at an interval, so that it waits most of the time.
	Periodic bool `json:"-"`
}

// JobState says how it is with a job.
type JobState string

// The states of a job.
const (
	JobWaiting JobState = "waiting" // its time has not come, or no worker is free
	JobWorking JobState = "working" // a worker has it
	JobFailing JobState = "failing" // it is tried again
	JobDead    JobState = "dead"    // it is not tried any more; the row that it is about says why
)

// mostJobs is how many jobs are shown at most.
const mostJobs = 1000

// Jobs returns the jobs that are waiting, failing or being done, and those that died within thirty
// days: at most 1,000, the oldest first.
func (s *Store) Jobs(ctx context.Context) ([]QueuedJob, error) {
	which := river.NewJobListParams().First(mostJobs).States(
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateScheduled,
		rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateDiscarded,
		rivertype.JobStateCancelled)
	var found *river.JobListResult
	err := s.patiently(ctx, func(ctx context.Context) (err error) {
		found, err = s.engine.jobs().JobList(ctx, which)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: reading the queue: %w", err)
	}
	var all []QueuedJob
	for _, row := range found.Jobs {
		j := queuedJob(row)
		j.Periodic = slices.Contains(s.periodic, j.Kind)
		all = append(all, j)
	}
	return all, nil
}

// forgetFailures empties the failures of a job: a worker gives a job up for their number. The log
// has told each of them.
const forgetFailures = "UPDATE river_job SET errors = NULL WHERE id = $1 AND state <> 'running'"

// RetryJob makes a job due now, a dead one too, with all its tries before it. It returns ErrNoJob
// for one that the queue does not have, or that a worker has.
func (tx *Tx) RetryJob(ctx context.Context, id int64) error {
	return retried(tx.session.retryJob(ctx, id))
}

func retried(row *rivertype.JobRow, err error) error {
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return ErrNoJob
	case err != nil:
		return fmt.Errorf("store: retrying a job: %w", err)
	case row.State == rivertype.JobStateRunning || row.State == rivertype.JobStateCompleted:
		return ErrNoJob
	}
	return nil
}

// DropJob is the job that drops another one, whose id in the queue it has. The row that the dropped
// one is about gets its end, as if the job had been given up.
type DropJob struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (DropJob) Kind() string { return "drop_job" }

// DropJob makes it due to drop a job. It returns ErrNoJob for one that the queue does not have.
func (tx *Tx) DropJob(ctx context.Context, id int64) error {
	row, err := tx.session.getJob(ctx, id)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return ErrNoJob
	case err != nil:
		return fmt.Errorf("store: finding a job: %w", err)
	case row.State == rivertype.JobStateCompleted:
		return ErrNoJob
	}
	tx.Enqueue(DropJob{strconv.FormatInt(id, 10)})
	return nil
}

// ErrAtWork: a worker has the job right now.
var ErrAtWork = errors.New("store: a worker has the job")

// TakeJob takes a job out of the queue, and returns its kind with the arguments of each job that
// shared its row. It returns ErrNoJob when the queue does not have it any more, and ErrAtWork.
func (tx *Tx) TakeJob(ctx context.Context, id int64) (kind string, args [][]byte, err error) {
	row, err := tx.session.deleteJob(ctx, id)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return "", nil, ErrNoJob
	case errors.Is(err, rivertype.ErrJobRunning):
		return "", nil, ErrAtWork
	case err != nil:
		return "", nil, fmt.Errorf("store: taking a job out of the queue: %w", err)
	}
	var shared Bundle
	if row.Kind != shared.Kind() {
		return row.Kind, [][]byte{row.EncodedArgs}, nil
	}
	if err := json.Unmarshal(row.EncodedArgs, &shared); err != nil {
		return "", nil, fmt.Errorf("store: reading a bundle: %w", err)
	}
	for _, one := range shared.Jobs {
		args = append(args, one)
	}
	return shared.Of, args, nil
}

func queuedJob(row *rivertype.JobRow) QueuedJob {
	j := QueuedJob{
		ID: row.ID, Kind: row.Kind, Tries: row.Attempt, Created: row.CreatedAt.UTC(),
		Next: row.ScheduledAt.UTC(), State: JobWaiting,
	}
	switch row.State {
	case rivertype.JobStateRunning:
		j.State = JobWorking
	case rivertype.JobStateRetryable:
		j.State = JobFailing
	case rivertype.JobStateDiscarded, rivertype.JobStateCancelled:
		j.State = JobDead
		if row.FinalizedAt != nil {
			j.Next = row.FinalizedAt.UTC()
		}
	}
	if n := len(row.Errors); n > 0 {
		j.Error = strings.Join(strings.Fields(row.Errors[n-1].Error), " ")
	}
	var bundle Bundle
	var about struct {
		ID string `json:"id"`
	}
	if row.Kind == bundle.Kind() && json.Unmarshal(row.EncodedArgs, &bundle) == nil {
		j.Kind = fmt.Sprintf("%s (bundle of %d)", bundle.Of, len(bundle.Jobs))
	} else if json.Unmarshal(row.EncodedArgs, &about) == nil {
		j.About = about.ID
	}
	return j
}
