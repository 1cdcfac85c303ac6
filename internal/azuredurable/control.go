package azuredurable

import (
	"context"
	"errors"
	"strings"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
)

// Raise presents a code to an instance. What the code came to shows in the instance, once it is not suspended. It returns ErrUnknown,
// ErrFinished, or verification.ErrCode for what is no code.
func Raise(ctx context.Context, tx *store.Tx, tenant, id, code string) error {
	i, err := unfinished(ctx, tx, tenant, id)
	if err != nil {
		return err
	}
	checked, err := verification.Check(ctx, tx, tenant, i.row.VerificationID, code)
	if err != nil {
		return err
	}
	if checked.Verdict == verification.Over || checked.Verdict == verification.Blocked {
		return nil // it was not compared: too late, or too many wrong ones
	}
	if _, err := tx.TouchDurableInstance(ctx, db.TouchDurableInstanceParams{ID: i.row.ID, Now: tx.Moment()}); err != nil {
		return err
	}
	return tx.Record(ctx, tenant, i.row.ID, raised, "")
}

// Terminate ends an instance and its verification. It returns ErrUnknown or ErrFinished.
func Terminate(ctx context.Context, tx *store.Tx, tenant, id, reason string) error {
	i, err := unfinished(ctx, tx, tenant, id)
	if err != nil {
		return err
	}
	_, err = verification.Cancel(ctx, tx, tenant, i.row.VerificationID, "terminated")
	switch {
	case errors.Is(err, verification.ErrGone) && i.Status == Running: // somebody ended it at this very moment
		return ErrFinished
	case err != nil && !errors.Is(err, verification.ErrGone):
		return err
	}
	return step(ctx, tx, i, "terminated", shorten(reason), terminated, "running", "suspended")
}

// Suspend has an instance keep its answer to itself until it is resumed. It returns ErrUnknown or ErrFinished.
func Suspend(ctx context.Context, tx *store.Tx, tenant, id string) error {
	i, err := unfinished(ctx, tx, tenant, id)
	if err != nil || i.Status == Suspended {
		return err
	}
	return step(ctx, tx, i, "suspended", "", suspended, "running")
}

// Resume ends a suspension. It returns ErrUnknown or ErrFinished.
func Resume(ctx context.Context, tx *store.Tx, tenant, id string) error {
	i, err := unfinished(ctx, tx, tenant, id)
	if err != nil || i.Status == Running {
		return err
	}
	return step(ctx, tx, i, "running", "", resumed, "suspended")
}

// Rewind has a failed instance try again. It returns ErrUnknown, ErrRunning when it has not finished, or ErrFinished when it did not fail.
func Rewind(ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string) error {
	i, err := Get(ctx, tx, t.Slug, id)
	switch {
	case err != nil:
		return err
	case !i.Status.Finished():
		return ErrRunning
	case i.Status != Failed:
		return ErrFinished
	}
	if moved, err := move(ctx, tx, i, "running", "", rewound, "failed"); err != nil || !moved {
		return err // somebody else rewound it at this very moment
	}
	_, err = run(ctx, tx, t, id)
	return err
}

// Restart starts an instance with the input of another, under a new id or in its place. It returns ErrUnknown, or what Start returns.
func Restart(ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string, newID bool) (Instance, error) {
	i, err := Get(ctx, tx, t.Slug, id)
	if err != nil {
		return Instance{}, err
	}
	if newID {
		id = ""
	}
	return Start(ctx, tx, t, id, i.Input)
}

// Purge forgets a finished instance. It returns ErrUnknown or ErrRunning.
func Purge(ctx context.Context, tx *store.Tx, tenant, id string) error {
	i, err := Get(ctx, tx, tenant, id)
	if err != nil {
		return err
	}
	if !i.Status.Finished() {
		return ErrRunning
	}
	return drop(ctx, tx, i)
}

// drop forgets an instance. Its timeline stays, as every row's does.
func drop(ctx context.Context, tx *store.Tx, i Instance) error {
	_, err := tx.DropDurableInstance(ctx, i.row.ID)
	return err
}

// unfinished returns an instance that can still be steered.
func unfinished(ctx context.Context, tx store.View, tenant, id string) (Instance, error) {
	i, err := Get(ctx, tx, tenant, id)
	if err == nil && i.Status.Finished() {
		err = ErrFinished
	}
	return i, err
}

// step makes one guarded move of an instance. When somebody else was quicker it does nothing, and reports ErrFinished if that was the end.
func step(ctx context.Context, tx *store.Tx, i Instance, to, output, event string, from ...string) error {
	moved, err := move(ctx, tx, i, to, output, event, from...)
	if err != nil || moved {
		return err
	}
	_, err = unfinished(ctx, tx, i.row.Tenant, i.ID)
	return err
}

// move makes one guarded move of an instance and records it. It reports false when the instance was not there any more.
func move(ctx context.Context, tx *store.Tx, i Instance, to, output, event string, from ...string) (bool, error) {
	n, err := tx.SetDurableState(ctx, db.SetDurableStateParams{
		ID: i.row.ID, State: to, Output: output, Now: tx.Moment(), FromState: from[0], OrFromState: from[len(from)-1],
	})
	if err != nil || n == 0 {
		return false, err
	}
	detail := ""
	if event == failed {
		detail = output // ours; a reason is the app's, and may hold anything
	}
	return true, tx.Record(ctx, i.row.Tenant, i.row.ID, event, detail)
}

// shorten keeps a reason to what is worth keeping.
func shorten(reason string) string {
	runes := []rune(strings.ReplaceAll(strings.ToValidUTF8(reason, "�"), "\x00", ""))
	return string(runes[:min(len(runes), maxReason)])
}
