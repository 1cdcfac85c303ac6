package reply_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

// all is every row and job that a reply may add or change.
func (b bridge) all() (rows []string) {
	b.Helper()
	for _, query := range []string{
		"SELECT id || word || challenge_id FROM reply ORDER BY id",
		"SELECT id || state || hinted_at || late_at || wrong_codes FROM challenge ORDER BY id",
		"SELECT id || state FROM text ORDER BY id",
		"SELECT id || state || attempts FROM verification ORDER BY id",
		"SELECT phone FROM opt_out ORDER BY phone", "SELECT id FROM event ORDER BY id",
		"SELECT phone || wrong_at FROM reply_guess ORDER BY phone",
		"SELECT kind FROM river_job ORDER BY id",
	} {
		rows = append(rows, b.Strings(query)...)
	}
	return rows
}

// Ensure that a reply counts as a whole or not at all. Whichever statement the database fails to
// do, the door hears of it, and there is no trace of the reply. So the provider's retry counts.
//
//test:unwatched
func TestFailureUndoesAReply(t *testing.T) {
	answer := func(body string) func(b bridge, phone phonemail.Number) string {
		return func(b bridge, phone phonemail.Number) string {
			b.asked("acme", phone)
			return body
		}
	}
	kinds := map[string]func(b bridge, phone phonemail.Number) (body string){
		"a yes": answer("YES"), "a no": answer("NO"),
		"senseless": answer("what?"), "start": answer("START"),
		"a stop": func(b bridge, phone phonemail.Number) string {
			b.verify("acme", phone, "482913")
			b.asked("beta", phone)
			return "STOP"
		},
		"a yes to several": func(b bridge, phone phonemail.Number) string {
			b.asked("acme", phone)
			b.atOnce(b.asked("beta", phone))
			return "YES"
		},
		"a yes with a wrong code": func(b bridge, phone phonemail.Number) string {
			if b.asked("acme", phone).ReplyCode == "0000" {
				return "YES 1111"
			}
			return "YES 0000"
		},
		"a yes with a code": func(b bridge, phone phonemail.Number) string {
			b.asked("acme", phone)
			return "YES " + b.asked("beta", phone).ReplyCode
		},
		"a late yes": func(b bridge, phone phonemail.Number) string {
			b.asked("acme", phone)
			b.Pass(10 * time.Minute)
			return "YES"
		},
		"a yes out of the blue": func(bridge, phonemail.Number) string { return "YES" },
		"a right code": func(b bridge, phone phonemail.Number) string {
			b.verify("acme", phone, "482913")
			return "482913"
		},
		"another code": func(b bridge, phone phonemail.Number) string {
			b.verify("acme", phone, "482913")
			b.asked("acme", phone)
			return "482914"
		},
	}
	each(t, func(b bridge) {
		for name, prepare := range kinds {
			b.Run(name, func(t *testing.T) {
				b := b
				b.T = t
				phone := b.Phone()
				r := reply.Received{ProviderID: phone.E164(), Line: shared(), Phone: phone,
					Body: prepare(b, phone)}
				before, tries := b.all(), 0
				b.FailEach(func(ctx context.Context, tx *store.Tx) error {
					if !slices.Equal(before, b.all()) {
						return fmt.Errorf("try %d left something behind", tries)
					}
					tries++
					_, err := reply.Take(ctx, tx, b.tenants, b.from(r))
					return err
				})
				require.Greater(b, tries, 3)
				require.NotEqual(b, before, b.all())
				require.Equal(b, 1, b.Count("reply WHERE phone = $1", phone.E164()))
				require.True(b, b.take(r).Duplicate)
			})
		}
	})
}

// Ensure that a reply to a question of a tenant that is no longer configured says nothing, for want
// of words, and accepts nothing. STOP holds all the same.
func TestReplyToATenantThatIsGone(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		beta := b.asked("beta", phone)
		b.Pass(time.Second)
		acme := b.atOnce(b.asked("acme", phone))
		alone := b.asked("acme", b.Phone())
		b.tenants = configured(b.T, "acme").Tenants
		for _, to := range []phonemail.Number{phone, alone.Phone} {
			for _, body := range []string{"what?", "SURE", "SURE " + acme.ReplyCode[:3] + "x"} {
				b.text(to, body)
				require.Empty(b, b.told(to), body)
			}
		}
		require.Equal(b, "open", b.state(alone.ID))
		b.text(phone, "STOP")
		require.Equal(b, "canceled", b.state(beta.ID))
		require.Equal(b, "canceled", b.state(acme.ID))
		require.True(b, b.optedOut(phone))
		require.Zero(b, b.Count("river_job WHERE kind = 'click_link'"))
	})
}
