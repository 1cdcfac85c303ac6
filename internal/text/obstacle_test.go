package text_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// Ensure that what happens while a text is due, or while a provider refuses it, keeps it from being
// sent. Each purpose has obstacles of its own.
func TestObstacles(t *testing.T) {
	const over, held = "the question is over", string(limit.Held)
	each(t, func(b bridge) {
		hold := func(change func(context.Context, *store.Tx, limit.Scope) error) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return change(ctx, tx, limit.Scope{Country: "DK"})
			})
		}
		for purpose, why := range map[text.Purpose]struct{ optedOut, held, over string }{
			text.Prompt:  {"opted out", held, over},
			text.Hint:    {"opted out", held, over},
			text.Relay:   {"opted out", held, ""},
			text.Outcome: {"opted out", "", ""},
			text.Keyword: {"", "", ""},
		} {
			for name, test := range map[string]struct {
				happens func(d text.Draft)
				why     string
			}{
				"nothing": {func(text.Draft) {}, ""},
				"an opt-out": {func(d text.Draft) {
					b.Do(func(ctx context.Context, tx *store.Tx) error {
						return text.OptOut(ctx, tx, d.Line, d.Phone)
					})
				}, why.optedOut},
				"a hold": {func(text.Draft) { hold(limit.Hold) }, why.held},
				"an answer": {func(d text.Draft) {
					b.Exec("UPDATE challenge SET state = 'denied' WHERE id = $1", d.ChallengeID)
				}, why.over},
				"its deadline": {func(text.Draft) { b.Pass(time.Hour) }, "too late"},
			} {
				draft := b.asking(purpose)
				due, begun := b.draft(draft), b.draft(draft)
				b.Pass(time.Second)
				a, _ := b.begin(begun)
				test.happens(draft)

				_, sends := b.begin(due)
				require.Equal(b, test.why, b.row(due).Error, "%s, %s", purpose, name)
				require.Equal(b, test.why == "", sends, "%s, %s", purpose, name)

				sends, err := b.reroute(a, "second")
				require.NoError(b, err)
				require.Equal(b, test.why, b.row(begun).Error, "%s, %s, rerouted", purpose, name)
				require.Equal(b, test.why == "", sends, "%s, %s, rerouted", purpose, name)
				hold(limit.Release)
			}
		}
	})
}

// asking is a text about an open question to a phone of its own.
func (b bridge) asking(p text.Purpose) text.Draft {
	d := text.Draft{
		Tenant: acme(), ChallengeID: store.NewID(), Line: line(), Phone: b.Phone(), Purpose: p,
		Body: "x", Deadline: b.Now().Add(time.Hour),
	}
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.AddChallenge(ctx, db.AddChallengeParams{
			ID: d.ChallengeID, Tenant: "acme", Phone: d.Phone, State: "open",
		})
		return err
	})
	return d
}

// Ensure that a job which comes again after the deadline of its text changes nothing about what a
// provider has, or may have.
func TestLateJob(t *testing.T) {
	each(t, func(b bridge) {
		for name, move := range map[string]func(id string){
			"unclear": b.loseSight,
			"sent":    func(id string) { b.accept(id, "SM"+id) },
			"failed":  func(id string) { b.refuse(id, "21211") },
		} {
			id := b.sending()
			move(id)
			b.Pass(time.Hour)
			before := b.row(id)
			_, due := b.begin(id)
			require.False(b, due, name)
			require.Equal(b, before, b.row(id), name)
		}
	})
}

// Ensure that a code is charged what the provider of codes takes, and other texts what the provider
// of texts does.
func TestCharged(t *testing.T) {
	each(t, func(b bridge) {
		acme := acme()
		acme.Sending.Providers = []tenant.Provider{tenant.ByVerify, tenant.ByTwilio}
		acme.Limits.Prices = price.Shipped()
		draft := text.Draft{
			Tenant: acme, Line: line(), Phone: b.Phone(), Purpose: text.Relay, Body: "x",
			Deadline: b.Now().Add(time.Hour),
		}
		relay, code := acme.Price("DK", 1, false), acme.Price("DK", 1, true)
		require.NotEqual(b, relay, code)
		require.EqualValues(b, relay, b.row(b.draft(draft)).Charged)
		draft.Purpose, draft.VerificationID = text.Code, store.NewID()
		require.EqualValues(b, code, b.row(b.draft(draft)).Charged)
	})
}

// Ensure that of many that record one opt-out at once, one is told that it is new: that one has the
// STOP answered.
func TestOptOutsRace(t *testing.T) {
	each(t, func(b bridge) {
		for range 10 {
			said := text.Said{
				Phone: b.Phone(), Reach: text.Reach{Line: line()}, Via: text.ByReply, Since: b.Now(),
			}
			var (
				first [4]bool
				steps []func(context.Context, *store.Tx) error
			)
			for i := range first {
				steps = append(steps, func(ctx context.Context, tx *store.Tx) (err error) {
					first[i], err = text.SetOptOut(ctx, tx, said)
					return err
				})
			}
			require.NoError(b, errors.Join(b.AtOnce(steps...)...))
			require.ElementsMatch(b, []bool{true, false, false, false}, first)
		}
	})
}
