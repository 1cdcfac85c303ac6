package verification

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// fails has a provider refuse a text of a verification for good.
func (b bench) fails(v Verification, reason Reason) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error { return Fail(ctx, tx, v.ID, reason) })
}

// textsOf are the ids of a verification's texts, the oldest first.
func (b bench) textsOf(v Verification) []string {
	b.Helper()
	return b.Strings("SELECT id FROM text WHERE verification_id = $1 ORDER BY created_at, id", v.ID)
}

// refuse has a provider begin and refuse a text.
func (b bench) refuse(id string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		if _, _, err := text.Begin(ctx, tx, id); err != nil {
			return err
		}
		return text.Refuse(ctx, tx, id, "21211")
	})
}

// deliver has a provider take a text.
func (b bench) deliver(id string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		if _, _, err := text.Begin(ctx, tx, id); err != nil {
			return err
		}
		return text.Accept(ctx, tx, id, "SM"+id)
	})
}

// Ensure that a verification whose text is refused has failed at once, with the reason, and that
// its app hears it. Its end is final.
func TestRefusedTextFails(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) { r.Notify = true })
		b.refuse(b.textsOf(v)[0])
		b.fails(v, NumberInvalid)
		now := b.get(v)
		require.Equal(t, Failed, now.State)
		require.Equal(t, NumberInvalid, now.Reason)
		require.Equal(t, b.Now(), now.Ended)
		require.Empty(t, b.row(v).Code)
		require.Equal(t, 1, b.Jobs("notify", v.ID))
		require.Equal(t,
			[]string{"verification.pending", "verification.failed"}, b.EventNames(v.ID))

		c := b.check(v, right)
		require.Equal(t, Over, c.Verdict)
		require.Equal(t, Failed, c.Verification.State)
		_, err := b.resend(v)
		require.ErrorIs(t, err, ErrGone)
		b.fails(v, OptedOut)
		b.Pass(time.Hour)
		b.Do(func(ctx context.Context, tx *store.Tx) error { return ExpireDue(ctx, tx, v.ID) })
		require.Equal(t, now, b.get(v))
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return Fail(ctx, tx, "no such row", OptedOut)
		})
	})
}

// Ensure that a refusal ends nothing while the person may have the code, or may get it.
func TestRefusalAfterAnotherText(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		twice := func(renew bool) (Verification, []string) {
			v := b.start(func(r *Request) {
				r.Phone = b.Phone()
				if renew {
					r.Code, r.Renew = "", true
				}
			})
			b.deliver(b.textsOf(v)[0])
			b.Pass(time.Minute)
			_, err := b.resend(v)
			require.NoError(t, err)
			return v, b.textsOf(v)
		}
		v, texts := twice(false)
		b.fails(v, NotPermitted)
		require.Equal(t, Pending, b.get(v).State, "one text is there, another is due")
		b.refuse(texts[1])
		b.fails(v, NotPermitted)
		require.Equal(t, Pending, b.get(v).State, "the first text says the code that counts")
		require.Equal(t, Right, b.check(v, right).Verdict)

		v, texts = twice(true)
		b.refuse(texts[1])
		b.fails(v, NotPermitted)
		require.Equal(t, Failed, b.get(v).State, "the first text said a code that counts no more")
	})
}

// Ensure that a refusal ends nothing while another text is in a state in which the phone may have
// the code, or may get it.
func TestRefusalBesideATextOfAnyState(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for state, reaches := range map[text.State]bool{
			text.Due: true, text.Sending: true, text.Unclear: true, text.Sent: true,
			text.Delivered: true, text.Undelivered: false, text.Failed: false, text.Suppressed: false,
		} {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			b.Exec("UPDATE text SET state = $1 WHERE verification_id = $2", string(state), v.ID)
			b.fails(v, NumberInvalid)
			require.Equal(t, reaches, b.get(v).State == Pending, state)
		}
	})
}

// Ensure that a text ends its verification only by its own end: suppressed because the phone opted
// out, lost, or refused by the provider that has it. Another end of it, or another's receipt, ends
// nothing, also when no text of the verification can reach the phone any more.
func TestOnlyItsOwnEndFails(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		b.Pass(time.Minute)
		_, err := b.resend(v)
		require.NoError(t, err)
		resent, refused := b.textsOf(v)[0], b.textsOf(v)[1]
		b.refuse(refused)
		require.Equal(t, []string{"failed", "suppressed"}, b.Strings(
			"SELECT state FROM text WHERE verification_id = $1 ORDER BY state", v.ID))
		foreign := func(account, sid string) func(ctx context.Context, tx *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				return takeReceipt(ctx, tx, text.Receipt{
					TextID: refused, Account: account, ProviderID: sid, State: text.Failed,
				})
			}
		}
		for name, step := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"resent, not opted out": func(ctx context.Context, tx *store.Tx) error {
				return FailOptedOut(ctx, tx, resent)
			},
			"refused, not opted out": func(ctx context.Context, tx *store.Tx) error {
				return FailOptedOut(ctx, tx, refused)
			},
			"suppressed, not lost": func(ctx context.Context, tx *store.Tx) error {
				return FailLost(ctx, tx, resent)
			},
			"a receipt of this account about another": foreign(line.Account, "SM-another"),
			"a receipt of another account":            foreign("AC2", "SM-another"),
			"a receipt of another account without id": foreign("AC2", ""),
		} {
			b.Do(step)
			require.Equal(t, Pending, b.get(v).State, name)
		}
		b.Do(func(ctx context.Context, tx *store.Tx) error { return FailLost(ctx, tx, refused) })
		require.Equal(t, Failed, b.get(v).State)
	})
}

// Ensure that a receipt only shows, unless it says that the provider could not send the text.
func TestReceiptsOfCodes(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for _, test := range []struct {
			state text.State
			shows DeliveryState
			end   State
		}{
			{text.Sent, Sent, Pending}, {text.Delivered, Delivered, Pending},
			{text.Undelivered, Undelivered, Pending}, {text.Failed, NotSent, Failed},
		} {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			id := b.textsOf(v)[0]
			show := func() (s Shown) {
				b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
					s, err = Show(ctx, tx, "acme", v.ID)
					return err
				})
				return s
			}
			require.Equal(t, Delivery{Waiting, b.Now()}, show().Delivery)
			b.deliver(id)
			require.Equal(t, Delivery{Sent, b.Now()}, show().Delivery)
			b.Pass(time.Second)
			receive := func(account, sid string) {
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					return takeReceipt(ctx, tx, text.Receipt{
						TextID: id, Account: account, ProviderID: sid, State: test.state,
					})
				})
			}
			receive("AC2", "SM"+id)
			receive(line.Account, "SM-another")
			require.Equal(t, Sent, show().Delivery.State, "it was another's receipt")
			require.Equal(t, Pending, show().State)
			receive(line.Account, "SM"+id)
			require.Equal(t, test.shows, show().Delivery.State)
			require.Equal(t, test.end, show().State, test.state)
			if test.end == Pending {
				require.Equal(t, Right, b.check(v, right).Verdict)
			} else {
				require.Equal(t, ProviderRefused, show().Reason)
			}
		}
		for _, id := range []string{"none", "", "no\x00text", "\xff"} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return takeReceipt(ctx, tx, text.Receipt{
					TextID: id, Account: "AC1", ProviderID: "SM1", State: text.Failed,
				})
			})
		}
	})
}

// Ensure that an app learns why Twilio did not send a text that it had taken at first.
func TestReasonOfAReceipt(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for code, reason := range map[string]Reason{
			"21211": NumberInvalid, "21612": NumberUnreachable, "21614": NumberUnreachable,
			"21635": NumberUnreachable, "21703": NumberUnreachable, "21408": NotPermitted,
			"21268": NotPermitted, "30450": NotPermitted, "30453": NotPermitted, "21610": OptedOut,
			"30001": ProviderRefused,
			"":      ProviderRefused,
		} {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			id := b.textsOf(v)[0]
			b.deliver(id)
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return takeReceipt(ctx, tx, text.Receipt{
					TextID: id, Account: line.Account, ProviderID: "SM" + id, State: text.Failed, Code: code,
				})
			})
			require.Equal(t, Failed, b.get(v).State, code)
			require.Equal(t, reason, b.get(v).Reason, code)
		}
	})
}

// Ensure that a verification ends once when the refusal of its text, a receipt, the right code and
// another text meet. No text is sent of one that has failed.
func TestRefusalRaces(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		ends := map[State]int{}
		for n := range 40 {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			id := b.textsOf(v)[0]
			b.deliver(id)
			b.Pass(time.Minute)
			steps := []func(ctx context.Context, tx *store.Tx) error{
				func(ctx context.Context, tx *store.Tx) error {
					return takeReceipt(ctx, tx, text.Receipt{
						TextID: id, Account: line.Account, ProviderID: "SM" + id, State: text.Failed,
					})
				},
				func(ctx context.Context, tx *store.Tx) error { return Fail(ctx, tx, v.ID, OptedOut) },
				func(ctx context.Context, tx *store.Tx) error {
					_, err := Check(ctx, tx, v.Tenant, v.ID, at("api", right))
					return err
				},
				func(ctx context.Context, tx *store.Tx) error {
					_, err := Resend(ctx, tx, named(v.Tenant), v.ID, words, "")
					if errors.Is(err, ErrGone) || errors.Is(err, ErrTooSoon) { // it ended meanwhile
						return nil
					}
					return err
				},
			}
			steps = append(steps[n%4:], steps[:n%4]...)
			for _, err := range b.AtOnce(steps...) {
				require.NoError(t, err)
			}
			now := b.get(v)
			ends[now.State]++
			ended := 0
			for _, name := range b.EventNames(v.ID) {
				if name == "verification."+string(now.State) {
					ended++
				}
			}
			require.Equal(t, 1, ended)
			require.NotEqual(t, Pending, now.State, "the right code came, if nothing else")
			require.Equal(t, fmt.Sprint(now.State == Failed), fmt.Sprint(now.Reason != ""))
			require.Zero(t, b.Count("text WHERE verification_id = $1 AND state = 'due'", v.ID))
		}
		t.Log(ends)
	})
}

// Ensure that Twilio Verify's word for the end of its verification is ours as well.
func TestEndAtVerify(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for ended, want := range map[State]State{
			Failed: Failed, MaxAttemptsReached: MaxAttemptsReached, Canceled: Canceled, "": Canceled,
		} {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
			})
			q := b.ask(v, wrong)
			q.Ended = ended
			b.answer(q, Over)
			require.Equal(t, want, b.get(v).State, ended)
			require.Equal(t, 1, b.Jobs("report_verification", v.ID))
		}
	})
}

// Ensure that a code that comes by text is taken from the share of replies when Verify compares it.
// A right one is given back. Answers from two shares that come at once still end the verification.
func TestVerifyComparesForEachClass(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for range 20 {
			v := b.start(func(r *Request) { r.Phone, r.Limits.Attempts = b.Phone(), 2 })
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
			})
			ask := func(door string) (q Comparison) {
				c := b.present(v, at(door, wrong))
				require.Equal(t, Asked, c.Verdict)
				b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
					q, _, err = Unanswered(ctx, tx, c.CheckID)
					return err
				})
				return q
			}
			app, reply := ask("api"), ask(ByText)
			used := func() []string {
				return b.Strings(`SELECT asker FROM guess WHERE phone = $1 AND wrong_at <> ''
					ORDER BY asker`, v.Phone.E164())
			}
			require.Equal(t, []string{"app", "reply"}, used())
			for _, err := range b.AtOnce(
				func(ctx context.Context, tx *store.Tx) error { return Answer(ctx, tx, app, Wrong) },
				func(ctx context.Context, tx *store.Tx) error { return Answer(ctx, tx, reply, Wrong) },
			) {
				require.NoError(t, err)
			}
			require.Equal(t, MaxAttemptsReached, b.get(v).State)
		}
		v := b.start(func(r *Request) { r.Phone = b.Phone() })
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
		})
		c := b.present(v, at(ByText, right))
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			q, _, err := Unanswered(ctx, tx, c.CheckID)
			if err != nil {
				return err
			}
			return Answer(ctx, tx, q, Right)
		})
		require.Equal(t, Approved, b.get(v).State)
		require.Zero(t, b.Count("guess WHERE phone = $1 AND wrong_at <> ''", v.Phone.E164()))
	})
}

// Ensure that a verification has failed at once, with the reason, whose code may not be texted to
// its phone's country. Nothing is texted, and its app hears of it.
func TestUnreachableFails(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) {
			r.Notify, r.Unreachable = true, "operators of US block names as senders"
		})
		require.Equal(t, Failed, v.State)
		require.Equal(t, NotPermitted, v.Reason)
		require.Equal(t, Failed, b.get(v).State)
		require.Empty(t, b.textsOf(v))
		require.Equal(t, 1, b.Count("event WHERE subject = $1 AND name = 'verification.refused' "+
			"AND detail LIKE 'operators of US%'", v.ID))
	})
}

func takeReceipt(ctx context.Context, tx *store.Tx, r text.Receipt) error {
	_, err := TakeReceipt(ctx, tx, r)
	return err
}
