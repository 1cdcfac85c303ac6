package store

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// RescueAfter is how long a job may run before another worker takes it up, because the first one
// seems to have died. What a job does outside of the database must have ended by then.
const RescueAfter = 35 * time.Second

// The queue's times are short because its jobs are. With River's defaults a killed worker's job
// would wait for an hour.
const (
	jobTimeout   = 30 * time.Second // River's own; each job has a shorter one in outbound's table
	keepFinished = time.Hour
	keepFailed   = 30 * 24 * time.Hour // failed for the last time, or given up with a reason
	jobsAtOnce   = 50
	// pollEvery is how late a job may be that no commit announces: one whose time has come, or one of
	// another replica that died.
	pollEvery = time.Second
)

func queueConfig(workers *river.Workers, o Options) *river.Config {
	return &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobsAtOnce}},
		Workers: workers,
		// A job may be enqueued before its worker is added; it is done after Start.
		SkipUnknownJobCheck:         true,
		FetchCooldown:               10 * time.Millisecond,
		FetchPollInterval:           cmp.Or(o.poll, pollEvery),
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        RescueAfter,
		CompletedJobRetentionPeriod: keepFinished,
		CancelledJobRetentionPeriod: keepFailed,
		DiscardedJobRetentionPeriod: keepFailed,
		ErrorHandler:                failureLog{o.Log, o.describe, newFolds()},
		ReindexerSchedule:           o.night,
		RetryPolicy:                 &rescueLog{log: o.Log, describe: o.describe},
		Middleware:                  []rivertype.Middleware{river.WorkerMiddlewareFunc(quietPanics)},
		Logger:                      slog.New(newFoldHandler(o.Log.Handler())),
	}
}

// periodic is a job that is due when a queue starts, and at an interval from then on.
func periodic(interval time.Duration, job Job) *river.PeriodicJob {
	due := func() (river.JobArgs, *river.InsertOpts) { return job, nil }
	opts := &river.PeriodicJobOpts{RunOnStart: true}
	return river.NewPeriodicJob(river.PeriodicInterval(interval), due, opts)
}
