//go:build !race

package operator_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// Ensure that the question of an app is in the list, and tells its story. It is found by its id and
// by what the app calls it. Nothing on the pages has the app's words.
func TestQuestionsOfApps(t *testing.T) {
	p := only(t)
	id := store.NewID()
	p.Do(t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.AddChallenge(ctx, db.AddChallengeParams{ID: id, Tenant: "acme", Recipient: id,
			Phone: inboundtest.Number(t, inboundtest.Phone), Purpose: challenge.App,
			State: challenge.Open, Reference: "order 66", OpenedAt: tx.Moment(),
			ExpiresAt: moment.Of(tx.Now().Add(time.Hour))})
		return err
	})
	b := p.login(t, "help")
	require.Contains(t, b.page.Body, `<a href="/operator/cases/`+id+`">`)
	require.Contains(t, b.page.Body, "question: app")
	require.Contains(t, b.page.Body, "the person is asked")
	require.Contains(t, b.get("/operator/cases?tenant=acme&state=running").Body, id)
	require.NotContains(t, b.get("/operator/cases?state=confirmed").Body, id)
	require.Contains(t, b.get("/operator/cases/"+id).Body, "a question about what the app asks")
	for _, asked := range []string{id, "order 66", inboundtest.Phone} {
		b.get("/operator/cases")
		require.Contains(t, b.press("/operator/search", "for", asked).Body, id, asked)
		require.NotContains(t, b.page.Body, "order")
		require.NotContains(t, b.page.Body, inboundtest.Phone[1:])
	}
	b.get("/operator/cases")
	require.Equal(t, http.StatusNotFound, b.press("/operator/search", "for", "order").StatusCode)
}
