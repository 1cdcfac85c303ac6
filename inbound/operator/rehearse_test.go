//go:build !race

package operator_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/longtest"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/store"
)

// Ensure that a rehearsal posts one mail to the door of mails as Mailgun does, on both databases.
// It is recorded with its operator, and its case is followed: what happens later is sent.
func TestRehearse(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	each(t, func(t *testing.T, p pages) {
		const button = `action="/operator/try/rehearse"`
		require.NotContains(t, p.login(t, "help").get("/operator/try/rehearse").Body, button)
		b := p.login(t, "anna")
		require.NotContains(t, b.get("/operator/try/rehearse").Body, "notice bad")
		require.Contains(t, b.page.Body, button)
		require.Contains(t, b.page.Body, inboundtest.PublicURL+"/rehearsal")
		for _, bad := range [][2]string{{"other", inboundtest.Phone}, {"acme", "45"}} {
			res := b.press("/operator/try/rehearse", "tenant", bad[0], "phone", bad[1])
			require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
			b.get("/operator/try/rehearse")
		}
		require.Zero(t, p.Count(t, "mail", "1=1"))
		res := b.press("/operator/try/rehearse", "tenant", "acme", "phone", inboundtest.Phone)
		require.Equal(t, http.StatusSeeOther, res.StatusCode, res.Body)
		id := p.One(t, "SELECT id FROM mail WHERE recipient = 'ACME+4520123456@sms.acme.example'")
		require.Equal(t, "/operator/cases/"+id+"?done=rehearse", res.Header.Get("Location"))
		require.Equal(t, "anna +45******56 tenant acme", p.One(t, "SELECT operator || ' ' || subject || "+
			"' ' || detail FROM operator_act WHERE act = 'rehearse'"))
		b.get("/operator/cases/" + id + "?done=rehearse")
		require.Contains(t, b.page.Body, "The mail is posted, and its question comes to your phone.")
		require.Contains(t, b.page.Body, `data-live="/operator/cases/`+id+`/live"`)
		p.Lines(t)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", p.url+"/operator/cases/"+id+"/live", nil)
		require.NoError(t, err)
		r.Header.Set("Cookie", b.cookie)
		live, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer live.Body.Close()
		lines := bufio.NewScanner(live.Body)
		until := func(words string) {
			for lines.Scan() && !strings.Contains(lines.Text(), words) {
			}
			require.Contains(t, lines.Text(), words)
		}
		until("signature was right")
		p.Do(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.Record(ctx, "acme", id, rehearsal.OpenedEvent, "")
		})
		until("the link of the rehearsal was opened")
	})
}

// Ensure that the page says with which tenant no rehearsal can be played, and which setting helps.
// None is begun then.
func TestRehearsalThatCannotBe(t *testing.T) {
	for change, says := range map[string]string{
		"SMSBRIDGE_KEEP=mailgun":                     "SMSBRIDGE_KEEP",
		"SMSBRIDGE_PUBLIC_URL=http://127.0.0.1:8080": "SMSBRIDGE_PUBLIC_URL",
	} {
		p := only(t, change)
		b := p.login(t, "anna")
		require.Contains(t, b.get("/operator/try/rehearse").Body, "notice bad")
		require.Contains(t, b.page.Body, says)
		res := b.press("/operator/try/rehearse", "tenant", "acme", "phone", inboundtest.Phone)
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
		require.Contains(t, res.Body, says)
		require.Zero(t, p.Count(t, "mail", "1=1"))
		require.Zero(t, p.Count(t, "operator_act", "act = 'rehearse'"))
	}
}
