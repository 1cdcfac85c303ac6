package text_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
)

// fail lets each statement of a step fail in turn: none of the failures may be a decision.
func (b bridge) fail(step func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	b.FailEach(step, text.ErrUnknown, text.ErrMoved)
}

// prompt is a due text that asks an open question.
func (b bridge) prompt() (id string) {
	b.Helper()
	challengeID, to := store.NewID(), b.Phone()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.AddChallenge(ctx, db.AddChallengeParams{
			ID: challengeID, Tenant: "acme", Phone: to, State: "open",
		})
		return err
	})
	return b.draft(text.Draft{
		Tenant: acme(), ChallengeID: challengeID, Line: line(), Phone: to,
		Purpose: text.Prompt, Body: "x", Deadline: b.Now().Add(time.Hour),
	})
}

// code is a due text that says the code of a pending verification.
func (b bridge) code() (id string) {
	b.Helper()
	verificationID, to := store.NewID(), b.Phone()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.AddVerification(ctx, db.AddVerificationParams{
			ID: verificationID, Tenant: "acme", Phone: to, OpenedAt: tx.Moment(),
		})
		return err
	})
	return b.draft(text.Draft{
		Tenant: acme(), VerificationID: verificationID, Line: line(), Phone: to,
		Purpose: text.Code, Body: "x", Deadline: b.Now().Add(time.Hour),
	})
}

// Ensure that a database that fails at any statement sends no text twice and drops none: the
// failure comes back, and the next try does the whole of the move.
func TestFailingDatabase(t *testing.T) {
	each(t, func(b bridge) {
		var a text.Attempt
		begin := func(id string, due bool) {
			b.Helper()
			var got bool
			var began text.Attempt
			b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				began, got, err = text.Begin(ctx, tx, id)
				return err
			})
			require.Equal(b, due, got)
			if due {
				a = began
			}
		}
		var id string
		b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
			id, err = text.Make(ctx, tx, text.Draft{
				Tenant: acme(), Line: line(), Phone: b.Phone(), Purpose: text.Relay, Body: "x",
				Deadline: b.Now().Add(time.Hour),
			})
			return err
		})
		require.Equal(b, 1, b.Count("text"))
		begin(id, true)
		begin(b.prompt(), true)
		begin(b.code(), true)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return text.Route(ctx, tx, a, "first")
		})
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := text.Reroute(ctx, tx, a, "second")
			return err
		})
		require.Equal(b, "second", b.row(a.ID).Provider)
		begin(a.ID, false) // the worker died; it is unclear now
		require.Equal(b, text.Unclear, b.row(a.ID).State)
		require.Equal(b, 1, b.Jobs("find_text", a.ID))
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := text.Find(ctx, tx, a.ID)
			return err
		})
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return text.PutBack(ctx, tx, a, text.Unclear)
		})
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return text.Accept(ctx, tx, a.ID, "SM1")
		})
		require.Equal(b, text.Sent, b.row(a.ID).State)

		late := b.make()
		b.Pass(time.Hour)
		begin(late, false)
		require.Equal(b, text.Suppressed, b.row(late).State)
		refused := b.sending()
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return text.Refuse(ctx, tx, refused, "30003")
		})
		require.Equal(b, text.Failed, b.row(refused).State)
	})
}

// Ensure the same of receipts and opt-outs. A receipt whose text cannot be read now is not taken
// for one of a text that there is not: the provider sends it again.
func TestFailingDatabaseWithReceipts(t *testing.T) {
	each(t, func(b bridge) {
		for _, state := range []text.State{text.Sent, text.Delivered} {
			id := b.sending()
			b.fail(func(ctx context.Context, tx *store.Tx) error {
				return takeReceipt(ctx, tx, text.Receipt{
					TextID: id, Account: line().Account, ProviderID: "SM" + id, State: state,
				})
			})
			require.Equal(b, state, b.row(id).State)
		}
		id := b.sending()
		b.putBack(id, text.Sending)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return takeReceipt(ctx, tx, text.Receipt{
				TextID: id, Account: line().Account, ProviderID: "SM" + id, State: text.Sent,
			})
		})
		require.Equal(b, text.Sent, b.row(id).State, "it is not sent again")
		to := b.Phone()
		var out bool
		optedOut := func(ctx context.Context, tx *store.Tx) (err error) {
			out, err = text.OptedOut(ctx, tx, "acme", line(), to)
			return err
		}
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, line(), to)
		})
		b.fail(optedOut)
		require.True(b, out)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := text.ClearOptOuts(ctx, tx, to, func(text.KnownOptOut) bool { return true })
			return err
		})
		b.fail(optedOut)
		require.False(b, out)
	})
}

// Ensure that it is said for each state whether more will be heard of a text, and why one failed.
func TestProgress(t *testing.T) {
	each(t, func(b bridge) {
		progress := func(id string) (p text.Progress) {
			b.Helper()
			b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				p, err = text.ProgressOf(ctx, tx, id)
				return err
			})
			return p
		}
		id := b.make()
		require.Equal(b, text.Progress{State: text.Due, Case: id}, progress(id))
		for state, open := range map[text.State]bool{
			text.Due: true, text.Sending: true, text.Unclear: true, text.Sent: false,
			text.Delivered: false, text.Undelivered: false, text.Failed: false,
			text.Suppressed: false,
		} {
			require.Equal(b, open, text.Progress{State: state}.Open(), state)
		}
		b.begin(id)
		b.refuse(id, "30003")
		require.Equal(b, text.Progress{State: text.Failed, Case: id, Reason: "30003"}, progress(id))
		err := b.Try(func(ctx context.Context, tx *store.Tx) error {
			_, err := text.ProgressOf(ctx, tx, "none")
			return err
		})
		require.ErrorIs(b, err, text.ErrUnknown)
	})
}

// Ensure that a text whose words cannot be opened is not sent without them, and that it stays due:
// the key may come back.
func TestTextThatCannotBeOpened(t *testing.T) {
	each(t, func(b bridge) {
		id, other := b.make(), b.make()
		b.Exec("UPDATE text SET body = $1 WHERE id = $2", b.row(other).Body, id)
		err := b.Try(func(ctx context.Context, tx *store.Tx) error {
			_, due, err := text.Begin(ctx, tx, id)
			return errors.Join(err, map[bool]error{true: errors.New("it is to be sent")}[due])
		})
		require.ErrorIs(b, err, store.ErrSealed)
		require.NotContains(b, err.Error(), "it is to be sent")
		require.Equal(b, text.Due, b.row(id).State)
	})
}

// Ensure that a worker whose attempt is over changes nothing, although the text is too late by now.
// A text that was never begun is not taken for sent, and a lost one is soon looked for.
func TestOverAttemptChangesNothing(t *testing.T) {
	each(t, func(b bridge) {
		for want, move := range map[text.State]func(id string){
			text.Unclear: b.loseSight,
			text.Sent:    func(id string) { b.accept(id, "SM"+id) },
		} {
			id := b.make()
			a, due := b.begin(id)
			require.True(b, due)
			move(id)
			b.Pass(time.Hour)
			_, err := b.reroute(a, "second")
			require.ErrorIs(b, err, text.ErrMoved)
			require.Equal(b, want, b.row(id).State)
		}
		id := b.make()
		b.accept(id, "SM1")
		require.Equal(b, text.Due, b.row(id).State)
		lost := b.sending()
		b.loseSight(lost)
		at := b.Strings("SELECT scheduled_at FROM river_job WHERE kind = 'find_text'"+
			" AND args->>'id' = $1", lost)
		require.Len(b, at, 1)
		require.Contains(b, at[0], b.Now().Add(10*time.Second).Format(":04:05"))
	})
}
