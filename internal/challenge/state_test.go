package challenge_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
)

// Ensure that a yes might be meant for a question only in a state in which its phone was not told
// how it ended.
func TestMistakable(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			state    challenge.State
			outcome  string
			purpose  challenge.Purpose
			mistaken bool
		}{
			{challenge.Open, "", challenge.Registration, true},
			{challenge.Accepted, "", challenge.Registration, true},
			{challenge.Clicking, "", challenge.Registration, true},
			{challenge.Expired, "", challenge.Registration, true},
			{challenge.Superseded, "", challenge.Registration, true},
			{challenge.Canceled, "app", challenge.App, true},
			{challenge.Canceled, "wrong codes", challenge.Registration, true},
			{challenge.Canceled, "stop", challenge.Registration, false},
			{challenge.Confirmed, "", challenge.App, true},
			{challenge.Confirmed, "confirmed", challenge.Registration, false},
			{challenge.Denied, "", challenge.App, false},
			{challenge.Failed, "expired", challenge.Registration, false},
		} {
			c := b.open()
			b.Exec("UPDATE challenge SET state = $1, outcome = $2, purpose = $3, ended_at = $4"+
				" WHERE id = $5", string(test.state), test.outcome, string(test.purpose),
				b.Now().UnixMilli(), c.ID)
			var found []challenge.Challenge
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				found, err = challenge.Mistakable(ctx, tx, c.Line, c.Phone)
				return err
			})
			require.Equal(b, test.mistaken, len(found) == 1, "%v", test)
		}
	})
}

// Ensure that a sweep finds the clicks whose worker died before and in the click, and none that has
// ended.
func TestBegunBefore(t *testing.T) {
	each(t, func(b bridge) {
		accepted, clicking, ended := b.accepted().ID, b.clicking(), b.clicking()
		b.Do(finish(ended, challenge.OutcomeExpired))
		for i, id := range []string{accepted, clicking.Challenge.ID, ended.Challenge.ID} {
			b.Exec("UPDATE challenge SET begun_at = $1 WHERE id = $2", i+1, id)
		}
		var found []string
		b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			found, err = challenge.BegunBefore(ctx, tx, b.Now(), 10)
			return err
		})
		require.Equal(b, []string{accepted, clicking.Challenge.ID}, found)
	})
}
