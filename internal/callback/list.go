package callback

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// ErrUnknown says that there is no callback with that id.
var ErrUnknown = errors.New("callback: no such callback")

// ErrDue says that a callback is due already.
var ErrDue = errors.New("callback: it is due already")

// Newest returns callbacks, the newest first, or of those only the ones that failed: dead and gone.
// Their number is at most most. Before is the id of the last one of the page before, "" for none.
func Newest(
	ctx context.Context, view store.View, failed bool, before string, most int,
) ([]Callback, error) {
	if before == "" {
		before = store.AfterAll
	}
	if failed {
		return InState(ctx, view, before, most, Dead, Gone)
	}
	return readAll(view.CallbacksBefore(ctx, db.CallbacksBeforeParams{ID: before, Most: int32(most)}))
}

// InState is Newest of those in some states.
func InState(
	ctx context.Context, view store.View, before string, most int, states ...State,
) (all []Callback, err error) {
	if before == "" {
		before = store.AfterAll
	}
	for _, s := range states {
		some, err := readAll(view.CallbacksInStateBefore(ctx,
			db.CallbacksInStateBeforeParams{State: s, ID: before, Most: int32(most)}))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Callback) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(most, len(all))], nil
}

// Get returns a callback, or ErrUnknown.
func Get(ctx context.Context, view store.View, id string) (Callback, error) {
	row, err := view.GetCallback(ctx, id)
	if store.Missing(err) {
		return Callback{}, ErrUnknown
	}
	return read(row), err
}

// After returns callbacks that were made after the one with the id after, oldest first, or of those
// only the ones that failed. Their number is at most most.
func After(
	ctx context.Context, view store.View, failed bool, after string, most int,
) ([]Callback, error) {
	if !failed {
		return readAll(view.CallbacksAfter(ctx, db.CallbacksAfterParams{ID: after, Most: int32(most)}))
	}
	var all []Callback
	for _, s := range []State{Dead, Gone} {
		some, err := readAll(view.CallbacksInStateAfter(ctx,
			db.CallbacksInStateAfterParams{State: s, ID: after, Most: int32(most)}))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Callback) int { return cmp.Compare(a.ID, b.ID) })
	return all[:min(most, len(all))], nil
}

func readAll(rows []db.Callback, err error) ([]Callback, error) {
	all := make([]Callback, 0, len(rows))
	for _, row := range rows {
		all = append(all, read(row))
	}
	return all, err
}

// Replay makes a callback that has ended due once more, with all its tries. The app knows it by the
// id of its event.
func Replay(ctx context.Context, tx *store.Tx, id string) error {
	n, err := tx.ReplayCallback(ctx, db.ReplayCallbackParams{ID: id, Now: tx.Moment()})
	if err != nil || n == 1 {
		return err
	}
	_, err = tx.GetCallback(ctx, id)
	switch {
	case store.Missing(err):
		return ErrUnknown
	case err != nil:
		return err
	}
	return ErrDue
}
