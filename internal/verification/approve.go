package verification

import (
	"context"

	"smsbridge/internal/store"
)

// Approve ends a pending verification whose code another program compared and found right.
// An identity provider does that with a code of its own. It returns ErrUnknown or ErrGone. Reason
// is a word for the timeline.
func Approve(ctx context.Context, tx *store.Tx, tenant, id, reason string) (Verification, error) {
	return conclude(ctx, tx, tenant, id, Approved, reason)
}

// conclude ends a pending verification by the word of the app or provider that started it.
func conclude(
	ctx context.Context,
	tx *store.Tx,
	tenant, id string,
	state State,
	reason string,
) (Verification, error) {
	v, err := Get(ctx, tx, tenant, id)
	if err != nil {
		return v, err
	}
	if v.State != Pending {
		return v, ErrGone
	}
	ended, err := end(ctx, tx, id, state, reason)
	if err != nil {
		return v, err
	}
	if v, err = Get(ctx, tx, tenant, id); err == nil && !ended {
		err = ErrGone
	}
	return v, err
}
