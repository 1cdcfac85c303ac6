package text_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Ensure that a text goes from due to sent, and that each step is on the timeline. Its body is
// readable only while it can be sent.
func TestTextIsSent(t *testing.T) {
	each(t, func(b bridge) {
		id := b.make()
		require.Equal(b, 1, b.Jobs("send_text", id))
		row := b.row(id)
		require.EqualValues(b, "due", row.State)
		require.EqualValues(b, 1, row.Segments)
		require.NotEmpty(b, row.Body)
		require.NotContains(b, row.Body, "YES", "the body is sealed")

		b.Pass(time.Second)
		a, due := b.begin(id)
		require.True(b, due)
		require.Equal(b, text.Attempt{
			ID: id, Tenant: "acme", Case: id, Purpose: text.Prompt, Line: line(),
			Phone: phone(b, "+4520123456"), Body: "Reply YES.",
			Created: storetest.Start, Began: storetest.Start.Add(time.Second),
			Deadline: storetest.Start.Add(10 * time.Minute),
		}, a)
		require.EqualValues(b, "sending", b.row(id).State, "on disk before the provider is asked")

		b.accept(id, "SM1")
		row = b.row(id)
		require.EqualValues(b, "sent", row.State)
		require.Equal(b, "SM1", row.ProviderID)
		require.Empty(b, row.Body, "the provider has its words")

		b.receipt(text.Receipt{TextID: id, Account: "AC1", ProviderID: "SM1",
			State: text.TwilioState("delivered")})
		row = b.row(id)
		require.EqualValues(b, "delivered", row.State)
		require.Empty(b, row.Body)
		require.Equal(b, b.Now(), row.EndedAt.Time)
		require.Equal(b, []string{"text.due prompt", "text.sent prompt", "text.delivered"}, b.events(id))
	})
}

// Ensure that a text that ends for another reason keeps the reason and loses its body, and that
// its end is final.
func TestTextEnds(t *testing.T) {
	each(t, func(b bridge) {
		tests := []struct {
			name   string
			end    func(id string)
			state  string
			reason string
		}{
			{"refused by the provider", func(id string) { b.begin(id); b.refuse(id, "21211") }, "failed",
				"21211"},
			{"unclear, then refused", func(id string) {
				b.begin(id)
				b.loseSight(id)
				b.refuse(id,
					"not configured")
			}, "failed", "not configured"},
			{"too late to the millisecond", func(id string) { b.Pass(10 * time.Minute); b.begin(id) },
				"suppressed", "too late"},
			{"opted out after it was made", func(id string) { b.optOut(line()); b.begin(id) }, "suppressed",
				"opted out"},
			{"opted out after it was put back", func(id string) {
				b.begin(id)
				b.putBack(id, text.Sending)
				b.optOut(line())
				b.begin(id)
			}, "suppressed", "opted out"},
		}
		for _, test := range tests {
			b.run(test.name, func(b bridge) {
				b.optIn(line())
				id := b.make()
				test.end(id)
				row := b.row(id)
				require.EqualValues(b, test.state, row.State)
				require.Equal(b, test.reason, row.Error)
				require.Empty(b, row.Body)
				require.NotZero(b, row.EndedAt)
				require.Contains(b, b.events(id), "text."+test.state+" "+test.reason)

				_, due := b.begin(id)
				require.False(b, due)
				b.loseSight(id)
				b.accept(id, "SM-late")
				b.putBack(id, text.Sending)
				require.Equal(b, row, b.row(id), "the end is final")
			})
		}
	})
}

func (b bridge) optOut(l phonemail.Line) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		return text.OptOut(ctx, tx, l, phone(b, "+4520123456"))
	})
}

func (b bridge) optIn(l phonemail.Line) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := text.ClearOptOuts(ctx, tx, phone(b, "+4520123456"), func(o text.KnownOptOut) bool {
			return o.Reach == text.Reach{Line: l}
		})
		return err
	})
}

// Ensure that an opt-out holds for its phone on its line alone, whether it is said once or twice,
// until the phone opts in.
func TestOptOut(t *testing.T) {
	each(t, func(b bridge) {
		other := phonemail.Line{Account: "AC1", Sender: "MG1"}
		b.optOut(line())
		b.optOut(line())
		draft := text.Draft{Tenant: acme(), Line: line(), Phone: phone(b, "+4520123456"), Body: "Hello",
			Deadline: b.Now().Add(time.Hour)}
		id := b.draft(draft)
		row := b.row(id)
		require.EqualValues(b, "suppressed", row.State)
		require.Equal(b, "opted out", row.Error)
		require.Empty(b, row.Body)
		require.NotZero(b, row.EndedAt)
		require.Zero(b, b.Jobs("send_text", id))
		_, due := b.begin(id)
		require.False(b, due)

		elsewhere := draft
		elsewhere.Line = other
		require.EqualValues(b, "due", b.row(b.draft(elsewhere)).State)
		someone := draft
		someone.Phone = phone(b, "+4520123457")
		require.EqualValues(b, "due", b.row(b.draft(someone)).State)

		b.optIn(other)
		require.EqualValues(b, "suppressed", b.row(b.draft(draft)).State)
		b.optIn(line())
		b.optIn(line())
		require.EqualValues(b, "due", b.row(b.draft(draft)).State)
	})
}

// Ensure that a text is never sent a second time while the first attempt may have worked.
func TestInterruptedSending(t *testing.T) {
	each(t, func(b bridge) {
		id := b.sending()
		_, due := b.begin(id) // a worker died in the middle, and its job is run again
		require.False(b, due)
		require.EqualValues(b, "unclear", b.row(id).State)
		require.Equal(b, 1, b.Jobs("find_text", id))
		_, due = b.begin(id)
		require.False(b, due)
		b.loseSight(id)
		require.Equal(b, 1, b.Jobs("find_text", id), "one look-up is enough")

		var a text.Attempt
		find := func() (unclear bool) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				a, unclear, err = text.Find(ctx, tx, id)
				return err
			})
			return unclear
		}
		require.True(b, find())
		require.Equal(b, "Reply YES.", a.Body)
		require.Equal(b, b.Now().UnixMilli(), a.Began.UnixMilli())

		b.run("the answer of the first attempt comes after all", func(b bridge) {
			b.accept(id, "SM-first")
			require.EqualValues(b, "sent", b.row(id).State)
			require.False(b, find())
			b.putBack(id, text.Unclear)
			require.EqualValues(b, "sent", b.row(id).State, "what is known to be sent is not put back")
		})
		b.run("put back only from the state it is in", func(b bridge) {
			id := b.sending()
			b.putBack(id, text.Unclear)
			require.EqualValues(b, "sending", b.row(id).State)
			b.putBack(id, text.Sending)
			require.EqualValues(b, "due", b.row(id).State)
			_, due := b.begin(id)
			require.True(b, due)
		})
		b.run("found after it was put back", func(b bridge) {
			for _, found := range []func(id string){
				func(id string) { b.accept(id, "SM"+id) },
				func(id string) {
					b.receipt(text.Receipt{TextID: id, Account: "AC1", ProviderID: "SM" + id,
						State: text.TwilioState("sent")})
				},
			} {
				id := b.sending()
				b.loseSight(id)
				b.putBack(id, text.Unclear)
				found(id)
				require.EqualValues(b, "sent", b.row(id).State)
				require.Equal(b, "SM"+id, b.row(id).ProviderID)
				_, due := b.begin(id)
				require.False(b, due, "it had gone out")
			}
		})
	})
}

// Ensure that of several workers that take up a due text exactly one sends it.
func TestOneWorkerSends(t *testing.T) {
	each(t, func(b bridge) {
		for range 10 {
			id := b.make()
			var (
				due    [4]bool
				begins []func(context.Context, *store.Tx) error
			)
			for i := range due {
				begins = append(begins, func(ctx context.Context, tx *store.Tx) (err error) {
					_, due[i], err = text.Begin(ctx, tx, id)
					return err
				})
			}
			require.NoError(b, errors.Join(b.AtOnce(begins...)...))
			require.ElementsMatch(b, []bool{true, false, false, false}, due)
		}
	})
}

// reroute has an attempt ask another provider next.
func (b bridge) reroute(a text.Attempt, provider string) (wanted bool, err error) {
	err = b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		wanted, err = text.Reroute(ctx, tx, a, provider)
		return err
	})
	return wanted, err
}

// Ensure that no other provider is asked for a text that another worker has taken up meanwhile.
func TestMovedTextIsNotRerouted(t *testing.T) {
	each(t, func(b bridge) {
		for name, move := range map[string]func(id string){
			"unclear":  func(id string) { b.begin(id) },
			"sent":     func(id string) { b.accept(id, "SM"+id) },
			"failed":   func(id string) { b.refuse(id, "21211") },
			"put back": func(id string) { b.putBack(id, text.Sending) },
			"sent once more": func(id string) {
				b.putBack(id, text.Sending)
				b.Pass(time.Minute)
				b.begin(id)
			},
		} {
			id := b.make()
			a, _ := b.begin(id)
			wanted, err := b.reroute(a, "second")
			require.NoError(b, err)
			require.True(b, wanted)
			move(id)
			b.optOut(line())
			before := b.row(id)
			wanted, err = b.reroute(a, "third")
			require.ErrorIs(b, err, text.ErrMoved, name)
			require.False(b, wanted, name)
			err = b.Try(func(ctx context.Context, tx *store.Tx) error {
				return text.Route(ctx, tx, a, "third")
			})
			require.ErrorIs(b, err, text.ErrMoved, name)
			require.Equal(b, before, b.row(id), name)
			b.optIn(line())
			if name != "sent once more" {
				continue
			}
			for _, late := range []func(context.Context, *store.Tx) error{
				func(ctx context.Context, tx *store.Tx) error { return text.LoseSight(ctx, tx, a) },
				func(ctx context.Context, tx *store.Tx) error {
					return text.RefuseAttempt(ctx, tx, a, "21211")
				},
			} {
				require.ErrorIs(b, b.Try(late), text.ErrMoved)
			}
			for _, state := range []text.State{text.Sending, text.Unclear} {
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					return text.PutBack(ctx, tx, a, state)
				})
				require.Equal(b, state, b.row(id).State)
				b.loseSight(id)
			}
		}
	})
}

// Ensure that two workers can race for a text. One asks the next provider, the other finds the text
// being sent already. The first one goes on only when it is known that the next provider is asked.
func TestRerouteRaces(t *testing.T) {
	each(t, func(b bridge) {
		for range 20 {
			id := b.make()
			a, due := b.begin(id)
			require.True(b, due)
			var asks bool
			errs := b.AtOnce(
				func(ctx context.Context, tx *store.Tx) (err error) {
					asks, err = text.Reroute(ctx, tx, a, "second")
					return err
				},
				func(ctx context.Context, tx *store.Tx) error {
					_, _, err := text.Begin(ctx, tx, id)
					return err
				},
			)
			require.NoError(b, errs[1])
			require.Equal(b, text.Unclear, b.row(id).State)
			if errs[0] == nil {
				require.True(b, asks)
				require.Equal(b, "second", b.row(id).Provider, "it is looked for where it was asked for")
			} else {
				require.ErrorIs(b, errs[0], text.ErrMoved)
				require.Empty(b, b.row(id).Provider)
			}
		}
	})
}

// Ensure that a prompt or hint is not sent when its question ended while the text was under way,
// and that an outcome is.
func TestPromptGoesWithItsQuestion(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			purpose   text.Purpose
			challenge db.ChallengeState
			due       bool
		}{
			{text.Prompt, "open", true}, {text.Hint, "open", true}, {text.Outcome, "open", true},
			{text.Prompt, "accepted", false}, {text.Hint, "denied", false}, {text.Outcome, "denied", true},
			{text.Prompt, "", false}, {text.Outcome, "", true},
		} {
			challengeID := store.NewID()
			if test.challenge != "" {
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.AddChallenge(ctx, db.AddChallengeParams{ID: challengeID, Tenant: "acme",
						Phone: b.Phone(), State: test.challenge})
					return err
				})
			}
			id := b.draft(text.Draft{
				Tenant: acme(), ChallengeID: challengeID, Line: line(), Phone: phone(b,
					"+4520123456"), Purpose: test.purpose, Body: "x", Deadline: b.Now().Add(time.Hour),
			})
			_, due := b.begin(id)
			require.Equal(b, test.due, due, "%+v", test)
			if !due {
				require.EqualValues(b, "suppressed", b.row(id).State)
				require.Equal(b, "the question is over", b.row(id).Error)
			}
		}
	})
}

// Ensure that nothing pretends to know a text that there is not.
func TestUnknownText(t *testing.T) {
	each(t, func(b bridge) {
		for name, f := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"begin": func(ctx context.Context, tx *store.Tx) error {
				_, _, err := text.Begin(ctx, tx, "none")
				return err
			},
			"reroute": func(ctx context.Context, tx *store.Tx) error {
				_, err := text.Reroute(ctx, tx, text.Attempt{ID: "none"}, "second")
				return err
			},
			"find": func(ctx context.Context, tx *store.Tx) error {
				_, _, err := text.Find(ctx, tx, "none")
				return err
			},
			"accept": func(ctx context.Context, tx *store.Tx) error {
				return text.Accept(ctx, tx, "none", "SM1")
			},
			"refuse": func(ctx context.Context, tx *store.Tx) error {
				return text.Refuse(ctx, tx, "none", "x")
			},
			"refuse an attempt": func(ctx context.Context, tx *store.Tx) error {
				return text.RefuseAttempt(ctx, tx, text.Attempt{ID: "none"}, "x")
			},
			"lose": func(ctx context.Context, tx *store.Tx) error {
				return text.LoseSight(ctx, tx, text.Attempt{ID: "none"})
			},
		} {
			require.True(b, errors.Is(b.Try(f), text.ErrUnknown), name)
		}
	})
}
