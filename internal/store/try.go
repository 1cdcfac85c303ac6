package store

import (
	"context"
	"errors"
)

var errTried = errors.New("store: tried, and undone")

// Try runs f in a transaction and then undoes that transaction, so that a caller learns what f
// would do. No row, job or event stays, and no job is begun; what f leaves by IfUndone is not left
// either. As in Do, f may be run more than once.
func (s *Store) Try(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	err := s.Do(ctx, func(ctx context.Context, tx *Tx) error {
		defer func() { tx.undone = nil }()
		if err := f(ctx, tx); err != nil {
			return err
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		return nil
	}
	return err
}
