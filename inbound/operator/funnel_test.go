//go:build !race

package operator_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Ensure that the funnel counts what came of mails, by what is asked for. What is no such thing is
// left out.
func TestFunnel(t *testing.T) {
	each(t, func(t *testing.T, p pages) {
		b := p.login(t, "help")
		require.Contains(t, b.get("/operator/funnel").Body, "No mail came in that time.")
		id := p.mail(t)
		require.Contains(t, b.get("/operator/funnel").Body, `<td data-label="Country">DK</td>`)
		require.Contains(t, b.page.Body, `<td data-label="Provider">not known</td>`)
		p.Do(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.EndMail(ctx, db.EndMailParams{ID: id, State: mail.Refused, Provider: "auth0"})
			return err
		})
		body := b.get("/operator/funnel?last=week&by=each&tenant=acme").Body
		for _, cell := range []string{`"Tenant">acme<`, `"Country">DK<`, `"Provider">auth0<`,
			`"Seen" class="number">1<`, `"Asked" class="number"><span>0 <span class="soft">0 %<`,
			`<option selected>week<`, `Refused</td><td data-label="Number" class="number">1<`} {
			require.Contains(t, body, cell)
		}
		body = b.get("/operator/funnel?by=provider&last=hour").Body
		require.Contains(t, body, `"Provider">auth0<`)
		require.NotContains(t, body, `"Country"`)
		body = b.get("/operator/funnel?by=%3Cb%3E&last=%3Cb%3E&tenant=%3Cb%3E").Body
		require.Contains(t, body, `"Country">DK<`)
		require.Contains(t, body, `<option selected>day<`)
		require.NotContains(t, body, "<b>")
	})
}
