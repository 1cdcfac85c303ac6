package outbound

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// step is one transaction of a flow.
type step struct {
	name string
	do   func(ctx context.Context, tx *store.Tx) error
}

// flow is the n-th flow of a test: its mail, phone and rows are its own.
type flow struct {
	*world
	n      int
	phone  phonemail.Number
	packed mail.Packed
	click  challenge.Click
}

// newFlow writes a mail of some 10 kB, of which compression leaves some 2 kB, as of a real one.
func (w *world) newFlow(n int) *flow {
	w.t.Helper()
	words := rand.New(rand.NewPCG(1, uint64(n)))
	var html strings.Builder
	for html.Len() < 10_000 {
		fmt.Fprintf(&html, "<p style=\"color:#%06x\">Welcome to ACME %d</p>\n", words.IntN(1<<24),
			words.IntN(1000))
	}
	f := &flow{world: w, n: n, phone: w.phone(fmt.Sprintf("+45%d", 20_000_000+n))}
	f.packed = mail.Pack(w.Store, mail.Delivery{
		Tenant: "acme",
		Recipients: []mail.Recipient{
			mail.To(f.phone, "acme"+f.phone.E164()+"@sms.acme.example"),
		},
		Token: fmt.Sprintf("token%050d", n), PostedAt: w.clock(), KeepBody: true,
		MessageID:  f.messageID(),
		MessageURL: fmt.Sprintf("%s/v3/domains/d/messages/m%06d", w.gun.StorageURL(), n),
		Body: mail.Body{
			Subject: "Verify your email", From: "no-reply@acme.example", HTML: html.String(),
			Text: "Verify your account: " + w.idp.URL() +
				fmt.Sprintf("/lo/verify_email?ticket=%032d", n),
		},
	})
	return f
}

func (f *flow) messageID() string { return fmt.Sprintf("m%06d@acme.example", f.n) }

// id is the id of a row of the flow, by what is known of it.
func (f *flow) id(table, where string) string {
	f.t.Helper()
	return f.one("SELECT id FROM " + table + " WHERE " + where)
}

func (f *flow) mailID() string {
	return f.id("mail", "tenant = 'acme' AND message_id = '"+f.messageID()+"'")
}

func (f *flow) challengeID() string {
	return f.id("challenge", fmt.Sprintf("account = '%s' AND sender = '%s' AND phone = '%s'",
		f.line().Account, f.line().Sender, f.phone.E164()))
}

// steps are the transactions of a flow, in their order: mail, text, yes, click, outcome.
func (f *flow) steps() []step {
	sent := func(purpose string) func(context.Context, *store.Tx) error {
		return func(ctx context.Context, tx *store.Tx) error {
			id := f.id("text", "challenge_id = '"+f.challengeID()+"' AND purpose = '"+purpose+"'")
			return text.Accept(ctx, tx, id, store.NewID())
		}
	}
	return []step{
		{"mail", func(ctx context.Context, tx *store.Tx) error {
			_, err := mail.Take(ctx, tx, f.packed)
			return err
		}},
		{"examined, prompt begun", func(ctx context.Context, tx *store.Tx) error {
			m, _, err := mail.Pending(ctx, tx, f.mailID())
			require.NoError(f.t, err)
			finding, err := find(f.tenant(), m.Body)
			require.NoError(f.t, err)
			_, err = mail.Examine(ctx, tx, f.tenant(), m, finding)
			return err
		}},
		{"prompt sent", sent("prompt")},
		{"yes", func(ctx context.Context, tx *store.Tx) error {
			_, err := reply.Take(ctx, tx, f.Settings.Tenants, reply.Received{
				ProviderID: fmt.Sprintf("SM%032d", f.n), Line: f.line(), Sharing: f.sharing(),
				Phone: f.phone, Body: "YES",
			})
			return err
		}},
		{"click begun", func(ctx context.Context, tx *store.Tx) (err error) {
			f.click, _, err = challenge.BeginClick(ctx, tx, f.challengeID())
			return err
		}},
		{"click ended, outcome begun", func(ctx context.Context, tx *store.Tx) error {
			return endClick(ctx, tx, f.tenant(), f.click, "confirmed")
		}},
		{"outcome sent", sent("outcome")},
	}
}

// take does a step, and begins the texts that it makes due, as a worker does.
func (f *flow) take(ctx context.Context, tx *store.Tx, s step) error {
	err := s.do(ctx, tx)
	for _, due := range store.Withdraw[text.SendText](tx) {
		if _, wanted, err := f.beginText(ctx, tx, due.ID); err != nil || !wanted {
			f.t.Errorf("the text is not sent: %v", err)
		}
	}
	return err
}

// flows does so many flows side by side, each step of all in one transaction.
func (w *world) flows(first, many int) {
	w.t.Helper()
	all := make([]*flow, many)
	for i := range all {
		all[i] = w.newFlow(first + i)
	}
	for i := range all[0].steps() {
		w.do(func(ctx context.Context, tx *store.Tx) error {
			for _, f := range all {
				if err := f.take(ctx, tx, f.steps()[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
}
