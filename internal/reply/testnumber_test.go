package reply_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Ensure that a test number answers its own open question, once. No other phone is answered for. No
// question of a tenant that is gone is answered, and none after the number's end.
func TestAnswerOfATestNumber(t *testing.T) {
	each(t, func(b bridge) {
		acme, _ := b.tenants.Tenant("acme")
		phone, end := b.Phone(), b.Now().Add(20*time.Minute)
		acme.Tests = []tenant.TestNumber{{Phone: phone, Answer: tenant.TestYes, End: end}}
		answer := func(id string, tenants tenant.Set) string {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return reply.AnswerTest(ctx, tx, tenants, id)
			})
			return b.state(id)
		}
		person := b.asked("acme", b.Phone())
		require.Equal(b, "open", answer(person.ID, b.tenants))

		id := b.ask("acme", phone, challenge.Registration)
		require.Equal(b, "open", answer(id, configured(b.T, "acme").Tenants))
		for range 2 {
			require.Equal(b, "accepted", answer(id, b.tenants))
		}
		require.Equal(b, 1, b.Count("event WHERE name = 'challenge.test'"))
		require.Equal(b, 1, b.Count("reply"))

		later := b.ask("acme", phone, challenge.Password)
		acme.Tests[0].End = b.Now()
		require.Equal(b, "open", answer(later, b.tenants))
	})
}
