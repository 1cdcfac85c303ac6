package text_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
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
