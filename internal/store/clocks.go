package store

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// clocks knows PostgreSQL's clock beside that of this process. River takes from this process's when
// a job is due and since when one is stuck, and compares that with PostgreSQL's. So jobs of a fast
// process would wait too long, and those of a slow one would be tried again without a pause.
type clocks struct{ last atomic.Pointer[clockReading] }

// clockReading is what PostgreSQL's clock said when this process's said something else.
type clockReading struct{ there, here time.Time }

// read records what PostgreSQL's clock says now.
func (c *clocks) read(there time.Time) { c.last.Store(&clockReading{there, time.Now()}) }

// ahead is how much later it is at PostgreSQL than here. A clock that was set here since the last
// reading changes nothing, because the time since then does not come from that clock.
func (c *clocks) ahead() time.Duration {
	last := c.last.Load()
	if last == nil {
		return 0
	}
	now := time.Now()
	return last.there.Add(now.Sub(last.here)).Sub(now.Round(0))
}

// beyond is how much later PostgreSQL's time is than the end of the round trip that brought it. It
// is negative for how much earlier than its begin. In between, the clocks may be the same.
func beyond(there, asked, came time.Time) time.Duration {
	switch {
	case there.After(came):
		return there.Sub(came)
	case there.Before(asked):
		return there.Sub(asked)
	}
	return 0
}

// there is a time of this process by PostgreSQL's clock.
func (c *clocks) there(here time.Time) time.Time { return here.Add(c.ahead()) }

// clockedExecutor is River's executor. What PostgreSQL compares with its clock is by that clock.
type clockedExecutor struct {
	riverdriver.Executor
	clocks *clocks
}

// JobSetStateIfRunningMany implements riverdriver.Executor. It says when a job is due again.
func (e clockedExecutor) JobSetStateIfRunningMany(
	ctx context.Context, params *riverdriver.JobSetStateIfRunningManyParams,
) ([]*rivertype.JobRow, error) {
	p := *params
	p.ScheduledAt = make([]*time.Time, len(params.ScheduledAt))
	for i, here := range params.ScheduledAt {
		if here != nil {
			there := e.clocks.there(*here)
			p.ScheduledAt[i] = &there
		}
	}
	return e.Executor.JobSetStateIfRunningMany(ctx, &p)
}

// JobGetStuck implements riverdriver.Executor. River compares with its own clock, too, since when a
// job that it finds is at work.
func (e clockedExecutor) JobGetStuck(
	ctx context.Context, params *riverdriver.JobGetStuckParams,
) ([]*rivertype.JobRow, error) {
	p := *params
	p.StuckHorizon = e.clocks.there(p.StuckHorizon)
	found, err := e.Executor.JobGetStuck(ctx, &p)
	for _, job := range found {
		if job.AttemptedAt != nil {
			here := job.AttemptedAt.Add(-e.clocks.ahead())
			job.AttemptedAt = &here
		}
	}
	return found, err
}

// JobRescueMany implements riverdriver.Executor. It says when a stuck job is due again.
func (e clockedExecutor) JobRescueMany(
	ctx context.Context, params *riverdriver.JobRescueManyParams,
) (*struct{}, error) {
	p := *params
	p.StuckHorizon = e.clocks.there(p.StuckHorizon)
	p.ScheduledAt = make([]time.Time, len(params.ScheduledAt))
	for i, here := range params.ScheduledAt {
		p.ScheduledAt[i] = e.clocks.there(here)
	}
	return e.Executor.JobRescueMany(ctx, &p)
}

// Begin implements riverdriver.Executor.
func (e clockedExecutor) Begin(ctx context.Context) (riverdriver.ExecutorTx, error) {
	tx, err := e.Executor.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return clockedTx{tx, e.clocks}, nil
}

// clockedTx is the same in a transaction.
type clockedTx struct {
	riverdriver.ExecutorTx
	clocks *clocks
}

// JobSchedule implements riverdriver.Executor. It makes the jobs due whose time comes soon.
func (t clockedTx) JobSchedule(
	ctx context.Context, params *riverdriver.JobScheduleParams,
) ([]*riverdriver.JobScheduleResult, error) {
	p := *params
	if p.Now != nil {
		there := t.clocks.there(*p.Now)
		p.Now = &there
	}
	return t.ExecutorTx.JobSchedule(ctx, &p)
}

// JobInsertFastManyNoReturning implements riverdriver.Executor. River would copy jobs with the time
// of this process.
func (t clockedTx) JobInsertFastManyNoReturning(
	ctx context.Context, params *riverdriver.JobInsertFastManyParams,
) (int, error) {
	p, now := *params, t.clocks.there(time.Now())
	p.Jobs = make([]*riverdriver.JobInsertFastParams, len(params.Jobs))
	for i, given := range params.Jobs {
		job := *given
		job.CreatedAt = cmp.Or(job.CreatedAt, &now)
		job.ScheduledAt = cmp.Or(job.ScheduledAt, &now)
		p.Jobs[i] = &job
	}
	return t.ExecutorTx.JobInsertFastManyNoReturning(ctx, &p)
}
