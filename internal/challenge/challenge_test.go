package challenge_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// Ensure that asking seals the link, makes the prompt due and sets the deadline.
func TestAsk(t *testing.T) {
	each(t, func(b bridge) {
		q := b.question()
		id := b.ask(q)
		c := b.row(id)
		require.EqualValues(b, "open", c.State)
		require.Equal(b, q.MailID, c.MailID)
		require.Equal(b, b.Now(), c.OpenedAt.Time)
		require.Equal(b, b.Now().Add(q.asker.Question.ValidFor), c.ExpiresAt.Time)
		require.Equal(b, q.Phone, c.Phone)
		require.Equal(b, []string{"due"}, b.texts(id))
		require.Zero(b, b.Jobs("click_link", id))
		require.Equal(b, []string{"challenge.open"}, b.EventNames(id))

		require.NotEmpty(b, c.Link)
		require.NotContains(b, c.Link, "very-secret")
		b.Do(func(_ context.Context, tx *store.Tx) error {
			_, err := tx.Open(store.Place{Table: "challenge", ID: "another", Column: "link", Tenant: "acme"},
				c.Link)
			require.ErrorIs(b, err, store.ErrSealed, "it opens in its own row only")
			return nil
		})
	})
}

// Ensure that a text which says how a question stands survives its end: a yes after the deadline
// is answered before the queue notices the deadline.
func TestEndLeavesOutcomeDue(t *testing.T) {
	each(t, func(b bridge) {
		c := b.get(b.ask(b.question()))
		b.send(c.ID)
		b.Pass(10 * time.Minute)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			if err := tell(ctx, tx, c, text.Hint, "Reply YES or NO."); err != nil {
				return err
			}
			return tell(ctx, tx, c, text.Outcome, "Too late.")
		})
		b.Do(expire(c))
		require.EqualValues(b, "expired", b.row(c.ID).State)
		require.Equal(b, []string{"outcome due", "hint suppressed"},
			b.Strings("SELECT purpose || ' ' || state FROM text"+
				" WHERE challenge_id = $1 AND purpose <> 'prompt' ORDER BY purpose DESC", c.ID))
	})
}

// Ensure that every end of a challenge erases the link in the row, suppresses a prompt that has
// not been sent, and is final.
func TestEnds(t *testing.T) {
	each(t, func(b bridge) {
		for name, end := range map[string]struct {
			move  func(c challenge.Challenge)
			state string
		}{
			"denied":   {func(c challenge.Challenge) { b.Do(deny(c)) }, "denied"},
			"canceled": {func(c challenge.Challenge) { b.Do(cancel(c)) }, "canceled"},
			"expired": {func(c challenge.Challenge) { b.Pass(10 * time.Minute); b.Do(expire(c)) },
				"expired"},
		} {
			b.run(name, func(b bridge) {
				c := b.get(b.ask(b.question()))
				end.move(c)
				ended := b.row(c.ID)
				require.EqualValues(b, end.state, ended.State)
				require.Empty(b, ended.Link)
				require.Equal(b, b.Now(), ended.EndedAt.Time)
				require.Equal(b, []string{"suppressed"}, b.texts(c.ID))
				require.Equal(b, []string{"challenge.open", "challenge." + end.state}, b.EventNames(c.ID))

				require.ErrorIs(b, b.Try(accept(c)), challenge.ErrGone)
				require.ErrorIs(b, b.Try(deny(c)), challenge.ErrGone)
				require.ErrorIs(b, b.Try(cancel(c)), challenge.ErrGone)
				b.Do(expire(c))
				_, due := b.click(c.ID)
				require.False(b, due)
				require.ErrorIs(b, b.Try(b.submit(c.ID)), challenge.ErrSubmitted)
				require.Equal(b, ended, b.row(c.ID), "the end is final")
				require.Zero(b, b.Jobs("click_link", c.ID))
			})
		}
		b.run("a prompt that is under way stays as it is", func(b bridge) {
			c := b.open()
			b.Do(deny(c))
			require.Equal(b, []string{"sending"}, b.texts(c.ID))
		})
	})
}

// again is the question of c in a new mail.
func again(c challenge.Challenge) question {
	return question{
		challenge.Question{
			MailID: store.NewID(), Phone: c.Phone, Purpose: c.Purpose, Link: link + "2",
			Recipient: c.Recipient,
		}, asker(c.Tenant, 10*time.Minute),
	}
}

// Ensure that a deadline is compared: a second before it a yes counts and nothing expires; from
// the deadline on it is the other way round.
func TestDeadline(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			after  time.Duration
			counts bool
		}{{10*time.Minute - time.Second, true}, {10*time.Minute - time.Millisecond,
			true}, {10 * time.Minute, false}, {10*time.Minute + time.Second, false}} {
			yes, job := b.open(), b.open()
			b.Pass(test.after)
			b.Do(expire(job))
			err := b.Try(accept(yes))
			if test.counts {
				require.NoError(b, err)
				require.EqualValues(b, "open", b.row(job.ID).State)
			} else {
				require.ErrorIs(b, err, challenge.ErrGone)
				require.EqualValues(b, "open", b.row(yes.ID).State, "only the job ends it")
				require.EqualValues(b, "expired", b.row(job.ID).State)
			}
		}
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return challenge.ExpireDue(ctx, tx, "none")
		})
	})
}

// Ensure that of all who race for one move exactly one wins, and that the row shows the winner's.
func TestRaces(t *testing.T) {
	each(t, func(b bridge) {
		moves := map[string]func(challenge.Challenge) func(context.Context,
			*store.Tx) error{"accept": accept, "deny": deny, "cancel": cancel}
		for first, one := range moves {
			for second, other := range moves {
				b.run(first+" and "+second, func(b bridge) {
					for range 5 {
						c := b.open()
						require.Equal(b, 1, b.race(challenge.ErrGone, one(c), other(c)))
						ended := b.row(c.ID)
						require.NotEqualValues(b, "open", ended.State)
						require.Len(b, b.EventNames(c.ID), 2)
						if accepted := ended.State == "accepted"; accepted {
							require.Equal(b, 1, b.Jobs("click_link", c.ID))
							require.NotEmpty(b, ended.Link)
						} else {
							require.Zero(b, b.Jobs("click_link", c.ID))
							require.Empty(b, ended.Link)
						}
					}
				})
			}
		}
		b.run("expire and expire", func(b bridge) {
			c := b.open()
			b.Pass(time.Hour)
			require.Equal(b, 2, b.race(challenge.ErrGone, expire(c), expire(c)),
				"the second has nothing to do")
			require.Equal(b, []string{"challenge.open", "challenge.expired"}, b.EventNames(c.ID))
		})
		b.run("finish and finish", func(b bridge) {
			for range 5 {
				c := b.clicking()
				require.Equal(b, 1, b.race(challenge.ErrGone, finish(c, challenge.OutcomeConfirmed),
					finish(c, challenge.OutcomeRefused)))
				require.Empty(b, b.row(c.Challenge.ID).Link)
			}
		})
		b.run("two mails at once", func(b bridge) {
			for range 5 {
				q := b.question()
				ask := func(ctx context.Context, tx *store.Tx) error {
					_, err := q.ask(ctx, tx)
					return err
				}
				require.NotZero(b, b.race(challenge.ErrGone, ask, ask), "who loses tries again")
				var open int
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					rows, err := tx.OpenChallengesOfPhone(ctx, db.OpenChallengesOfPhoneParams{
						Account: q.line().Account, Sender: q.line().Sender, Phone: q.Phone,
					})
					open = len(rows)
					return err
				})
				require.Equal(b, 1, open)
			}
		})
		b.run("a newer mail and a yes", func(b bridge) {
			for range 5 {
				c := b.open()
				b.Pass(2 * time.Minute)
				ask := func(ctx context.Context, tx *store.Tx) error {
					_, err := again(c).ask(ctx, tx)
					return err
				}
				require.Equal(b, 2, b.race(challenge.ErrGone, ask, accept(c)))
				click, due := b.click(c.ID)
				require.True(b, due)
				require.Equal(b, link, click.Link, "the newer mail changes nothing")
				require.Equal(b, 1, b.Count("challenge WHERE phone = $1", c.Phone.E164()))
			}
		})
		b.run("a newer mail and the prompt", func(b bridge) {
			for range 5 {
				c := b.get(b.ask(b.question()))
				prompt := b.Strings("SELECT id FROM text WHERE challenge_id = $1", c.ID)[0]
				ask := func(ctx context.Context, tx *store.Tx) error {
					_, err := again(c).ask(ctx, tx)
					return err
				}
				send := func(ctx context.Context, tx *store.Tx) error {
					_, _, err := text.Begin(ctx, tx, prompt)
					return err
				}
				require.Equal(b, 2, b.race(challenge.ErrGone, ask, send))
				asked := b.row(c.ID)
				require.NotZero(b, asked.AskedAt)
				b.ask(again(c))
				require.Equal(b, asked, b.row(c.ID), "whichever it was, the link is fixed now")
				b.Do(accept(c))
				click, _ := b.click(c.ID)
				require.NotEmpty(b, click.Link)
				require.Len(b, b.texts(c.ID), 1)
			}
		})
	})
}

// Ensure that a phone is told how its question stands, by the line that asked, even after the end.
func TestTell(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		b.Do(deny(c))
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return tell(ctx, tx, c, text.Outcome, "Nothing was changed.")
		})
		require.Equal(b, []string{"sending", "due"}, b.texts(c.ID))
	})
}

// Ensure that reply codes are four digits and drawn evenly: 20,000 of them, by their first and by
// their last digit, within six standard deviations.
func TestReplyCodesAreEven(t *testing.T) {
	const n = 20_000
	first, last := map[byte]int{}, map[byte]int{}
	for range n {
		code, err := challenge.ReplyCode(nil)
		require.NoError(t, err)
		require.Len(t, code, 4)
		first[code[0]]++
		last[code[3]]++
	}
	require.Len(t, first, 10)
	for digit := byte('0'); digit <= '9'; digit++ {
		require.InDelta(t, n/10, first[digit], 6*42, "first digit %c", digit)
		require.InDelta(t, n/10, last[digit], 6*42, "last digit %c", digit)
	}
}

// Ensure that no two open questions of a phone have the same code, even when only one is left.
func TestReplyCodesDiffer(t *testing.T) {
	open := make([]challenge.Challenge, 0, 10_000)
	for range 20 {
		code, err := challenge.ReplyCode(open)
		require.NoError(t, err)
		open = append(open, challenge.Challenge{ReplyCode: code})
	}
	seen := map[string]bool{}
	for _, c := range open {
		require.False(t, seen[c.ReplyCode])
		seen[c.ReplyCode] = true
	}
	open = open[:0]
	for i := range 10_000 {
		if i != 4821 {
			open = append(open, challenge.Challenge{ReplyCode: strconv.Itoa(10_000 + i)[1:]})
		}
	}
	code, err := challenge.ReplyCode(open)
	require.NoError(t, err)
	require.Equal(t, "4821", code)
	_, err = challenge.ReplyCode(append(open, challenge.Challenge{ReplyCode: code}))
	require.Error(t, err)
}

// Ensure that a question takes no code of another open one to that phone, and that the code of an
// ended one is free.
func TestReplyCodeOfAQuestion(t *testing.T) {
	each(t, func(b bridge) {
		q := b.question()
		line := q.line()
		const others = 60
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			for i := range others {
				_, err := tx.AddChallenge(ctx, db.AddChallengeParams{
					ID: fmt.Sprint("open", i), Tenant: fmt.Sprint(i), Account: line.Account,
					Sender: line.Sender, Phone: q.Phone, State: "open",
					ReplyCode: strconv.Itoa(10_000 + i)[1:], ExpiresAt: tx.Moment().Add(time.Hour),
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		code, err := strconv.Atoi(b.row(b.ask(q)).ReplyCode)
		require.NoError(b, err)
		require.GreaterOrEqual(b, code, others)
	})
}

// Ensure that a sweep ends the open questions whose deadline has passed, and touches no other. It
// ends the most overdue first, and no more than it may.
func TestExpireOverdue(t *testing.T) {
	each(t, func(b bridge) {
		sweep := func(most, want int) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				n, err := challenge.ExpireOverdue(ctx, tx, most)
				require.Equal(b, want, n)
				return err
			})
		}
		q := b.question()
		first := b.ask(q)
		b.Pass(time.Second)
		second := b.ask(b.question())
		b.Pass(time.Second)
		third := b.ask(b.question())
		b.Pass(q.asker.Question.ValidFor - 2*time.Second - time.Millisecond)
		sweep(10, 0)
		b.Pass(time.Second + time.Millisecond)
		sweep(1, 1)
		require.EqualValues(b, "expired", b.row(first).State)
		require.Equal(b, []string{"suppressed"}, b.texts(first))
		require.EqualValues(b, "open", b.row(second).State)
		sweep(10, 1)
		require.EqualValues(b, "expired", b.row(second).State)
		require.EqualValues(b, "open", b.row(third).State)
		sweep(10, 0)
	})
}

// Ensure that a yes which comes when a question is over is told the truth about its end.
func TestOverSaying(t *testing.T) {
	for _, test := range []struct {
		state   challenge.State
		purpose challenge.Purpose
		outcome challenge.Outcome
		want    wording.Saying
	}{
		{challenge.Confirmed, challenge.Registration, challenge.OutcomeConfirmed, wording.DoneBefore},
		{challenge.Failed, challenge.Registration, challenge.OutcomeExpired, wording.LinkExpired},
		{challenge.Failed, challenge.App, challenge.Unsent, wording.Late},
		{challenge.Denied, challenge.Registration, "", wording.DeniedBefore},
		{challenge.Canceled, challenge.Registration, challenge.CanceledByStop, wording.Stopped},
		{challenge.Canceled, challenge.Registration, challenge.CanceledByCodes, wording.WrongCodes},
		{challenge.Canceled, challenge.App, challenge.CanceledByApp, wording.Late},
		{challenge.Expired, challenge.Registration, "", wording.Late},
	} {
		c := challenge.Challenge{State: test.state, Purpose: test.purpose, Outcome: test.outcome}
		require.Equal(t, test.want, challenge.OverSaying(c), "%+v", test)
	}
}
