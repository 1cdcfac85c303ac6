package store

import (
	"context"
	"errors"
)

// ErrConflict says that what a transaction read of hot rows has changed meanwhile, and that it
// cannot be committed for that. It is returned by the end of what is shared. Then each call of the
// group is run again in a transaction of its own, at last one in which Surely holds.
var ErrConflict = errors.New("store: what was read has changed")

// shared is what the calls of one transaction have in common, and do at its very end.
type shared struct {
	surely bool
	values []any
	ends   []func(ctx context.Context, tx *Tx) error
}

// Shared returns the value of its type that all callers of a transaction share. At first it is
// zero. End is called with it once the callers are done, just before the commit. So what it locks
// is locked for a moment only, and always after what the callers have locked.
func Shared[T any](tx *Tx, end func(ctx context.Context, tx *Tx, value *T) error) *T {
	for _, v := range tx.shared.values {
		if value, ok := v.(*T); ok {
			return value
		}
	}
	value := new(T)
	tx.shared.values = append(tx.shared.values, value)
	tx.shared.ends = append(tx.shared.ends, func(ctx context.Context, tx *Tx) error {
		return end(ctx, tx, value)
	})
	return value
}

// Surely reports whether a transaction follows an ErrConflict. It must lock what it reads.
func (tx *Tx) Surely() bool { return tx.shared.surely }

func (s *shared) end(ctx context.Context, tx *Tx) error {
	for _, end := range s.ends {
		if err := end(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
