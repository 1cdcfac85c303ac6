package mail_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
)

// Ensure that a row tells what was found in its mail, whatever is decided about it: the chosen link
// first, and a bounded number of others.
func TestRowTellsWhatWasFound(t *testing.T) {
	each(t, func(b bridge) {
		found := func(f mail.Finding) mail.Report {
			m := b.received()
			require.Equal(b, "DK", b.row(m.ID).Country, "from its first moment on")
			b.Do(examine(acme(t), m, f))
			require.Equal(b, f.Provider, b.row(m.ID).Provider)
			return mail.ReportOf(b.row(m.ID))
		}
		f := mail.Finding{
			Kind: "verify", Link: link, Provider: "auth0", Sender: "no-reply@acme.example",
		}
		for i := range 9 {
			f.Links = append(f.Links, mail.Link{
				Place: fmt.Sprintf("acme.example/%d", i), Chosen: i == 7, Why: []string{"a rule"},
			})
		}
		r := found(f)
		require.Equal(b, "auth0 no-reply@acme.example 3",
			fmt.Sprint(r.Provider, " ", r.Sender, " ", r.More))
		require.Len(b, r.Links, 6)
		require.Equal(b, mail.Link{Place: "acme.example/7", Chosen: true, Why: []string{"a rule"}},
			r.Links[0])
		require.Equal(b, "acme.example/0", r.Links[1].Place, "then in the order of the mail")

		f.Kind = "notice"
		require.Equal(b, r, found(f), "a mail that is refused, too")
		require.Zero(b, found(mail.Finding{Kind: "notice", Reason: "no link"}))
	})
}

// Ensure that a mail's question has the mail's id, and that a mail which joins a question says so
// and to which case it belongs.
func TestOneID(t *testing.T) {
	each(t, func(b bridge) {
		first, later := b.received(), b.received()
		later.Phone, later.Recipient = first.Phone, first.Recipient
		f := mail.Finding{Kind: "verify", Link: link, Sender: "no-reply@acme.example"}
		verdict := func(m mail.Mail) (v mail.Verdict) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				v, err = mail.Examine(ctx, tx, acme(t), m, f)
				return err
			})
			return v
		}
		require.Equal(b, mail.Verdict{Case: first.ID, Did: mail.Asking}, verdict(first))
		require.Zero(b, verdict(first), "examined before")
		require.Equal(b, 1, b.Count("challenge WHERE id = $1", first.ID))
		require.Equal(b, mail.Verdict{Case: first.ID, Did: mail.Joining}, verdict(later))
		require.Equal(b, []string{first.ID}, b.Strings(
			"SELECT detail FROM event WHERE subject = $1 AND name = 'mail.joined'", later.ID))

		refused := b.received()
		f.Kind, f.Reason = "notice", "no link"
		require.Equal(b, mail.Verdict{
			Case: refused.ID, Did: mail.Refusing, Reason: "not a mail to act on: notice",
		}, verdict(refused))

		relayed := b.received()
		f.Kind = "reset"
		f.NeedsPerson = true
		require.Equal(b, mail.Verdict{Case: relayed.ID, Did: mail.Relaying}, verdict(relayed))
		require.Equal(b, []string{relayed.ID + " relay_reset en"}, b.Strings(
			"SELECT case_id || ' ' || wording || ' ' || language FROM text WHERE phone = $1",
			relayed.Phone.E164()))
	})
}

// Ensure that a prompt which a limit refuses belongs to the case of its mail.
func TestRefusedPromptIsOfItsMail(t *testing.T) {
	each(t, func(b bridge) {
		m := b.received()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return limit.Hold(ctx, tx, limit.Scope{Tenant: "acme"})
		})
		b.Do(examine(acme(t), m, mail.Finding{Kind: "verify", Link: link}))
		require.Equal(b, []string{m.ID}, b.Strings(
			"SELECT case_id FROM text WHERE phone = $1 AND state = 'suppressed'", m.Phone))
	})
}
