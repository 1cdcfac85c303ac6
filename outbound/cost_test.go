package outbound

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
)

// Ensure that a flow (mail, text, yes, click, outcome) stays cheap on what no machine changes: the
// statements of its transactions, and the rows that it leaves. A number that falls is to be lowered
// here.
func TestCostOfAFlow(t *testing.T) {
	each(t, func(w *world) {
		statements := map[string]int{}
		step := func(name string, f func(ctx context.Context, tx *store.Tx) error) {
			var watched *storetest.Statements
			w.do(func(ctx context.Context, tx *store.Tx) error {
				watched = storetest.Watch(tx)
				err := f(ctx, tx)
				for _, due := range store.Withdraw[text.SendText](tx) {
					if _, wanted, err := w.beginText(ctx, tx, due.ID); err != nil || !wanted {
						w.t.Errorf("the text is not sent: %v", err)
					}
				}
				return err
			})
			statements[name] = len(watched.Names)
		}
		body := mail.Body{Subject: "Verify your email", From: "no-reply@acme.example",
			Text: "Verify your account: " + w.idp.URL() + "/lo/verify_email?ticket=0123456789abcdef"}
		packed := mail.Pack(w.Store, mail.Delivery{
			Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), address)},
			Token: "token", PostedAt: w.clock(), MessageID: "m@acme.example", KeepBody: true, Body: body,
			MessageURL: w.gun.StorageURL() + "/v3/domains/d/messages/m",
		})
		step("mail", func(ctx context.Context, tx *store.Tx) error {
			_, err := mail.Take(ctx, tx, packed)
			return err
		})
		id := w.one("SELECT id FROM mail")
		step("examined, prompt begun", func(ctx context.Context, tx *store.Tx) error {
			m, _, err := mail.Pending(ctx, tx, id)
			require.NoError(w.t, err)
			finding, err := find(w.tenant(), m.Body)
			require.NoError(w.t, err)
			return mail.Examine(ctx, tx, w.tenant(), m, finding)
		})
		sent := func(ctx context.Context, tx *store.Tx) error {
			return text.Accept(ctx, tx, w.one("SELECT id FROM text WHERE state = 'sending'"), store.NewID())
		}
		step("prompt sent", sent)
		step("yes", func(ctx context.Context, tx *store.Tx) error {
			_, err := reply.Take(ctx, tx, w.Settings.Tenants, reply.Received{
				ProviderID: "SM1", Line: w.line(), Sharing: w.sharing(), Phone: w.phone(phone), Body: "YES",
			})
			return err
		})
		var click challenge.Click
		step("click begun", func(ctx context.Context, tx *store.Tx) (err error) {
			click, _, err = challenge.BeginClick(ctx, tx, w.one("SELECT id FROM challenge"))
			return err
		})
		step("click ended, outcome begun", func(ctx context.Context, tx *store.Tx) error {
			return endClick(ctx, tx, w.tenant(), click, "confirmed")
		})
		step("outcome sent", sent)
		require.Equal(w.t, map[string]int{
			"mail": 3, "examined, prompt begun": 13, "prompt sent": 2, "yes": 7, "click begun": 3,
			"click ended, outcome begun": 9, "outcome sent": 2,
		}, statements)

		require.Equal(w.t, []string{"click_link", "delete_mail", "examine_mail"},
			w.all("SELECT kind FROM river_job ORDER BY kind"), "one row each, and none for a text")
		rows := map[string]int{}
		for _, table := range strings.Fields("mail challenge text reply seen event short_link") {
			n, err := strconv.Atoi(w.one("SELECT COUNT(*) FROM " + table))
			require.NoError(w.t, err)
			rows[table] = n
		}
		require.Equal(w.t, map[string]int{
			"mail": 1, "challenge": 1, "text": 2, "reply": 1, "seen": 1, "event": 11, "short_link": 0,
		}, rows)
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM mail WHERE packed IS NOT NULL"))
	})
}
