package callback

import (
	"context"
	"errors"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// ErrUnknown says that there is no callback with that id.
var ErrUnknown = errors.New("callback: no such callback")

// ErrDue says that a callback is due already.
var ErrDue = errors.New("callback: it is due already")

// last sorts after every id, in each collation.
const last = "z"

// Newest returns callbacks, the newest first, or of those only the ones that failed: dead and gone.
// Their number is at most most. Before is the id of the last one of the page before, "" for none.
func Newest(
	ctx context.Context, view store.View, failed bool, before string, most int,
) ([]Callback, error) {
	if before == "" {
		before = last
	}
	if failed {
		return readAll(view.FailedCallbacksBefore(ctx,
			db.FailedCallbacksBeforeParams{ID: before, Most: int32(most)}))
	}
	return readAll(view.CallbacksBefore(ctx, db.CallbacksBeforeParams{ID: before, Most: int32(most)}))
}

// After returns callbacks that were made after the one with the id after, oldest first, or of those
// only the ones that failed. Their number is at most most.
func After(
	ctx context.Context, view store.View, failed bool, after string, most int,
) ([]Callback, error) {
	if failed {
		return readAll(view.FailedCallbacksAfter(ctx,
			db.FailedCallbacksAfterParams{ID: after, Most: int32(most)}))
	}
	return readAll(view.CallbacksAfter(ctx, db.CallbacksAfterParams{ID: after, Most: int32(most)}))
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
