package store

import (
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// The queue's times are short because its jobs are: River's defaults would leave a killed worker's job alone for an hour.
const (
	jobTimeout   = 30 * time.Second
	rescueAfter  = 35 * time.Second
	keepFinished = time.Hour
	keepFailed   = 30 * 24 * time.Hour
	jobsAtOnce   = 50
)

func queueConfig(workers *river.Workers, log *slog.Logger) *river.Config {
	return &river.Config{
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobsAtOnce}},
		Workers:                     workers,
		SkipUnknownJobCheck:         true, // a job may be enqueued before its worker is added, and is done after Start
		FetchCooldown:               10 * time.Millisecond,
		FetchPollInterval:           time.Second,
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: keepFinished,
		CancelledJobRetentionPeriod: keepFinished,
		DiscardedJobRetentionPeriod: keepFailed,
		Logger:                      slog.New(levelHandler{log.Handler(), slog.LevelWarn}),
	}
}

func periodic(interval time.Duration, job Job) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) { return job, nil }, nil)
}
