//go:build !race

package outbound

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/limit"
	"smsbridge/internal/longtest"
	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
	"smsbridge/linkclick"
)

// replies takes a reply of a flow's phone.
func (f *flow) replies(body string) {
	f.t.Helper()
	f.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := reply.Take(ctx, tx, f.Settings.Tenants, reply.Received{
			ProviderID: store.NewID(), Line: f.line(), Sharing: f.sharing(), Phone: f.phone, Body: body,
		})
		return err
	})
}

// waiting is a flow whose question waits for its answer.
func (w *world) waiting(n int) *flow {
	w.t.Helper()
	f := w.newFlow(n)
	for _, s := range f.steps()[:3] {
		w.do(func(ctx context.Context, tx *store.Tx) error { return f.take(ctx, tx, s) })
	}
	return f
}

// Ensure that a link leaves the database with the end of its question, whichever end that is. The
// body of a mail goes with its examination, and the words of a text when a provider has it.
func TestLinksAndBodiesGo(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		const link = "SELECT link || held_link || digest || held_digest FROM challenge WHERE id = '"
		click := func(state linkclick.Outcome) func(f *flow) {
			return func(f *flow) {
				f.replies("YES")
				for _, do := range []func(ctx context.Context, tx *store.Tx) error{
					f.steps()[4].do,
					func(ctx context.Context, tx *store.Tx) error {
						return endClick(ctx, tx, f.tenant(), f.click, state)
					},
				} {
					w.do(do)
				}
			}
		}
		for n, test := range []struct {
			end  func(f *flow)
			want challenge.State
		}{
			{click("confirmed"), challenge.Confirmed}, {click("refused"), challenge.Failed},
			{func(f *flow) { f.replies("NO") }, challenge.Denied},
			{func(f *flow) { f.replies("STOP") }, challenge.Canceled},
			{func(f *flow) {
				w.wait(w.tenant().Question.ValidFor)
				require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
			}, challenge.Expired},
		} {
			f := w.waiting(n)
			require.Equal(w.t, "0",
				w.one("SELECT COUNT(*) FROM mail WHERE packed IS NOT NULL OR body <> ''"),
				"a body outlives its examination")
			require.NotEmpty(w.t, w.one(link+f.challengeID()+"'"), test.want)
			require.Empty(w.t, w.one("SELECT body FROM text WHERE challenge_id = '"+f.challengeID()+
				"' AND purpose = 'prompt'"), "the words of a sent text")
			test.end(f)
			require.Equal(w.t, string(test.want),
				w.one("SELECT state FROM challenge WHERE id = '"+f.challengeID()+"'"))
			require.Empty(w.t, w.one(link+f.challengeID()+"'"), test.want)
		}
		f := w.newFlow(9)
		w.do(f.steps()[0].do)
		require.Equal(w.t, "1", w.one("SELECT COUNT(*) FROM mail WHERE packed IS NOT NULL"))
		w.do(func(ctx context.Context, tx *store.Tx) error {
			m, _, err := mail.Pending(ctx, tx, f.mailID())
			require.NoError(w.t, err)
			return mail.Refuse(ctx, tx, m, "no link")
		})
		require.Equal(w.t, "refused", w.one("SELECT state FROM mail WHERE id = '"+f.mailID()+"'"))
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM mail WHERE packed IS NOT NULL"))
	})
}

// Ensure that a code leaves the database with the end of its verification, whichever end that is.
func TestCodesGo(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		at := func(v verification.Verification) string {
			return w.one("SELECT state || ' ' || code FROM verification WHERE id = '" + v.ID + "'")
		}
		for want, end := range map[string]func(v verification.Verification){
			"approved": func(v verification.Verification) { w.check(v.ID, w.code(v.ID)) },
			"max_attempts_reached": func(v verification.Verification) {
				for code := wrong(w.code(v.ID)); strings.HasPrefix(at(v), "pending"); {
					w.check(v.ID, code)
				}
			},
			"canceled": func(v verification.Verification) {
				w.do(func(ctx context.Context, tx *store.Tx) error {
					_, err := verification.Cancel(ctx, tx, "acme", v.ID, "app")
					return err
				})
			},
			"failed": func(v verification.Verification) {
				w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{otherPhone: 21268} })
				require.NoError(w.t, w.sendText(w.t.Context(), w.dueText(v.ID)))
			},
			"expired": func(v verification.Verification) {
				w.wait(w.tenant().Codes.ValidFor)
				require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
			},
		} {
			v := w.start(otherPhone)
			require.Greater(w.t, len(at(v)), len("pending "), want)
			end(v)
			require.Equal(w.t, want+" ", at(v))
			w.wait(verification.GuessMemory)
		}
	})
}

// Ensure that the token of a mail is there for 48 hours and no longer.
func TestTokensGo(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.begun(1, 1)
		const tokens = "SELECT COUNT(*) FROM seen WHERE source = 'mailgun'"
		require.Equal(w.t, "1", w.one(tokens))
		w.wait(48 * time.Hour)
		require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
		require.Equal(w.t, "1", w.one(tokens))
		w.wait(time.Millisecond)
		require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
		require.Equal(w.t, "0", w.one(tokens))
	})
}

// Ensure that the queue's own tables forget a finished job after an hour, and one that was given up
// after 30 days. Younger ones stay.
func TestQueueForgets(t *testing.T) {
	t.Parallel()
	longtest.Skip(t) // it waits for River's own clean-up
	each(t, func(w *world) {
		ago := "datetime('now', '-%d minutes')"
		if !strings.HasPrefix(w.databaseURL, "sqlite:") {
			ago = "now() - interval '%d minutes'"
		}
		for n, row := range []struct {
			state   string
			minutes int
		}{{"completed", 61}, {"completed", 50}, {"discarded", 30*24*60 + 1},
			{"cancelled", 29 * 24 * 60}} {
			w.do(func(_ context.Context, tx *store.Tx) error {
				tx.EnqueueAt(limit.TellOperator{ID: fmt.Sprint("job ", n)}, tx.Now().Add(time.Hour))
				return nil
			})
			w.exec("UPDATE river_job SET finalized_at = "+fmt.Sprintf(ago, row.minutes)+
				", state = $1 WHERE kind = 'tell_operator' AND args->>'id' = $2", row.state,
				fmt.Sprint("job ", n))
		}
		ctx := context.Background() // the queue is stopped when the test's own context has ended
		require.NoError(w.t, w.Store.Start(ctx))
		w.t.Cleanup(func() { require.NoError(w.t, w.Store.Stop(ctx)) })
		require.Eventually(w.t, func() bool {
			return w.one("SELECT COUNT(*) FROM river_job WHERE kind = 'tell_operator'") == "2"
		}, time.Minute, time.Millisecond)
		require.Equal(w.t, []string{"job 1", "job 3"},
			w.all("SELECT args->>'id' FROM river_job WHERE kind = 'tell_operator' ORDER BY id"))
	})
}
