package store

import "context"

// Checkpoint does what a SQLite store does now and then by itself.
func (s *Store) Checkpoint(ctx context.Context) error {
	return s.engine.(*sqliteEngine).checkpoint(ctx)
}
