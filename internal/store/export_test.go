package store

import (
	"context"
	"time"
)

// Checkpoint does what a SQLite store does now and then by itself.
func (s *Store) Checkpoint(ctx context.Context) error {
	return s.engine.(*sqliteEngine).checkpoint(ctx)
}

// OpenWithoutPolls is Open for a store whose workers look for jobs only when they are told of some.
func OpenWithoutPolls(ctx context.Context, o Options) (*Store, error) {
	o.poll = 24 * time.Hour
	return Open(ctx, o)
}
