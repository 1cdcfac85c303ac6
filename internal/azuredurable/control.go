package azuredurable

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
)

// Raise presents a code to an instance: a whole number, as the sample compares numbers. The result
// shows in the instance, once it is not suspended. Raise returns ErrUnknown, ErrFinished, or
// verification.ErrCode.
func Raise(ctx context.Context, tx *store.Tx, tenant, id, number string) error {
	if judgeID(id) != nil {
		return ErrUnknown
	}
	// The instance and its verification are read together: most checks find both.
	row, err := tx.GetDurableVerification(ctx, db.GetDurableVerificationParams{
		Tenant: tenant, InstanceID: id,
	})
	if errors.Is(err, sql.ErrNoRows) { // it is unknown, or failed before it had a verification
		_, err := Unfinished(ctx, tx, tenant, id)
		return err
	}
	if err != nil {
		return err
	}
	v := row.Verification
	i := read(row.DurableInstance, ending{
		v.State, v.Reason, v.ExpiresAt.Time, v.EndedAt.Time,
	}, tx.Now())
	if i.Status.Finished() {
		return ErrFinished
	}
	code := verification.FillUp(number, int(row.DurableInstance.Digits))
	presented := verification.Presented{Door: door, Code: code}
	checked, err := verification.CheckRow(ctx, tx, v, presented)
	if err != nil {
		return err
	}
	if checked.Verdict == verification.Over || checked.Verdict == verification.Blocked {
		return nil // it was not compared: too late, or too many wrong ones
	}
	// The end of a running instance is its last change. Any other change is noted here.
	if i.Status == Suspended || checked.Verification.State == verification.Pending {
		_, err = tx.TouchDurableInstance(ctx, db.TouchDurableInstanceParams{
			ID: i.row.ID, Now: tx.Moment(),
		})
		if err != nil {
			return err
		}
	}
	return tx.Record(ctx, tenant, i.row.ID, raised, "")
}

// Terminate ends an instance and its verification. It returns ErrUnknown or ErrFinished.
func Terminate(ctx context.Context, tx *store.Tx, tenant, id, reason string) error {
	i, err := Unfinished(ctx, tx, tenant, id)
	if err != nil {
		return err
	}
	_, err = verification.Cancel(ctx, tx, tenant, i.row.VerificationID, "terminated")
	switch {
	case errors.Is(err, verification.ErrGone) && i.Status == Running: // another request was quicker
		return ErrFinished
	case err != nil && !errors.Is(err, verification.ErrGone):
		return err
	}
	return move{
		from: []db.DurableState{running, suspendedState}, to: terminatedState, output: shorten(reason),
		event: terminated,
	}.steer(ctx, tx, i)
}

// Suspend has an instance keep its result to itself until it is resumed. It returns ErrUnknown or
// ErrFinished.
func Suspend(ctx context.Context, tx *store.Tx, tenant, id string) error {
	i, err := Unfinished(ctx, tx, tenant, id)
	if err != nil || i.Status == Suspended {
		return err
	}
	return move{from: []db.DurableState{running}, to: suspendedState, event: suspended}.steer(ctx, tx,
		i)
}

// Resume ends a suspension. It returns ErrUnknown or ErrFinished.
func Resume(ctx context.Context, tx *store.Tx, tenant, id string) error {
	i, err := Unfinished(ctx, tx, tenant, id)
	if err != nil || i.Status == Running {
		return err
	}
	return move{from: []db.DurableState{suspendedState}, to: running, event: resumed}.steer(ctx, tx, i)
}

// Rewind has a failed instance try again. It returns ErrUnknown, ErrRunning when the instance has
// not finished, or ErrFinished when it did not fail.
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
	if i.row.State == running { // its verification failed; the next one will not say so any more
		failing := move{
			from: []db.DurableState{running}, to: failedState, output: refusal(i.reason), event: failed,
		}
		if err := failing.asRead(ctx, tx, i); err != nil {
			return err
		}
	}
	rewind := move{from: []db.DurableState{failedState}, to: running, event: rewound}
	if err := rewind.asRead(ctx, tx, i); err != nil {
		return err
	}
	_, err = run(ctx, tx, t, id)
	return err
}

// Restart starts an instance with the input of another, in its place. It returns ErrUnknown, or an
// error of Start.
func Restart(ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string) (Instance, error) {
	i, err := Get(ctx, tx, t.Slug, id)
	if err != nil {
		return Instance{}, err
	}
	return Start(ctx, tx, t, id, i.Input)
}

// Repeat starts an instance with the input of another, under a new id. It returns ErrUnknown, or an
// error of Start.
func Repeat(ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string) (Instance, error) {
	i, err := Get(ctx, tx, t.Slug, id)
	if err != nil {
		return Instance{}, err
	}
	return Start(ctx, tx, t, "", i.Input)
}

// Purge deletes a finished instance. It returns ErrUnknown or ErrRunning.
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

// drop deletes an instance as it was read. Its timeline stays, as the timeline of every row does.
func drop(ctx context.Context, tx *store.Tx, i Instance) error {
	n, err := tx.DropDurableInstance(ctx, db.DropDurableInstanceParams{
		ID: i.row.ID, State: i.row.State, VerificationID: i.row.VerificationID,
	})
	if err == nil && n == 0 {
		err = store.ErrConflict // another request was quicker, as in asRead
	}
	return err
}

// Unfinished returns an instance that can still be steered, ErrUnknown, or ErrFinished.
func Unfinished(ctx context.Context, tx store.View, tenant, id string) (Instance, error) {
	i, err := Get(ctx, tx, tenant, id)
	if err == nil && i.Status.Finished() {
		err = ErrFinished
	}
	return i, err
}

// move is one guarded move of an instance.
type move struct {
	from   []db.DurableState // one or two
	to     db.DurableState
	output string
	event  string // in the timeline
}

// steer makes the move for a client. If another request was quicker, it does nothing, and returns
// ErrFinished if that request ended the instance.
func (m move) steer(ctx context.Context, tx *store.Tx, i Instance) error {
	made, err := m.make(ctx, tx, i)
	if err != nil || made {
		return err
	}
	_, err = Unfinished(ctx, tx, i.row.Tenant, i.ID)
	return err
}

// asRead makes the move of an instance as it was read. If another request was quicker, the
// transaction is run again, and reads it anew.
func (m move) asRead(ctx context.Context, tx *store.Tx, i Instance) error {
	made, err := m.make(ctx, tx, i)
	if err == nil && !made {
		err = store.ErrConflict
	}
	return err
}

// make makes the move and records it. It returns false when the instance is in none of the states
// that the move starts from.
func (m move) make(ctx context.Context, tx *store.Tx, i Instance) (bool, error) {
	n, err := tx.SetDurableState(ctx, db.SetDurableStateParams{
		ID: i.row.ID, State: m.to, Output: m.output, Now: tx.Moment(),
		FromState: m.from[0], OrFromState: m.from[len(m.from)-1],
		VerificationID: i.row.VerificationID,
	})
	if err != nil || n == 0 {
		return false, err
	}
	detail := ""
	if m.event == failed {
		detail = m.output // our own words; a reason for terminating is the app's and may hold anything
	}
	return true, tx.Record(ctx, i.row.Tenant, i.row.ID, m.event, detail)
}

// shorten keeps the first maxReason characters of a reason, and only such as the databases take.
func shorten(reason string) string {
	runes := []rune(strings.ReplaceAll(strings.ToValidUTF8(reason, "�"), "\x00", ""))
	return string(runes[:min(len(runes), maxReason)])
}
