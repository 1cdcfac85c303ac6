package reply_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// said are ACME's texts.
func (b bridge) said(sayings ...wording.Saying) (bodies []string) {
	b.Helper()
	acme, ok := b.tenants.Tenant("acme")
	require.True(b, ok)
	for _, s := range sayings {
		bodies = append(bodies, acme.Say("", s, wording.Fill{About: wording.About("en", false)}))
	}
	return bodies
}

// Ensure that one question is answered by one reply, and what its phone is told.
func TestTakeOneQuestion(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			body  string
			word  reply.Word
			state string
			told  []wording.Saying
		}{
			{"YES", reply.Yes, "accepted", nil},
			{"ja!", reply.Yes, "accepted", nil},
			{"no", reply.No, "denied", []wording.Saying{wording.Denied}},
			{"NO 0000x", reply.Other, "open", []wording.Saying{wording.Wrong}},
			{"what?", reply.Other, "open", []wording.Saying{wording.Wrong}},
			{"123456", reply.Code, "open", []wording.Saying{wording.Wrong}},
			{"", reply.Other, "open", []wording.Saying{wording.Wrong}},
			{"HELP", reply.Help, "open", nil},
			{"START", reply.Start, "open", nil},
			{"STOP", reply.Stop, "canceled", nil},
		} {
			phone := b.Phone()
			c := b.asked("acme", phone)
			taken := b.text(phone, test.body)
			require.Equal(b, test.word, taken.Word, test.body)
			require.False(b, taken.Duplicate)
			require.Equal(b, test.state, b.state(c.ID), test.body)
			require.Equal(b, b.said(test.told...), b.told(phone), test.body)
			require.Equal(b, test.state == "accepted", b.Jobs("click_link", c.ID) == 1, test.body)

			row := b.reply(taken.ID)
			require.Equal(b, test.word, row.Word)
			if test.word == reply.Yes || test.word == reply.No {
				require.Equal(b, c.ID, row.ChallengeID)
			} else {
				require.Empty(b, row.ChallengeID)
			}
		}
	})
}

func (b bridge) reply(id string) (row db.Reply) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = tx.GetReply(ctx, id)
		return err
	})
	return row
}

// Ensure that a reply counts once per provider id and account, whatever it says the second time.
func TestTakeDuplicate(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		c := b.asked("acme", phone)
		r := reply.Received{ProviderID: "SM-once", Line: shared(), Phone: phone, Body: "what?"}
		require.False(b, b.take(r).Duplicate)
		r.Body = "YES"
		require.True(b, b.take(r).Duplicate)
		require.Equal(b, "open", b.state(c.ID))
		r.Keyword = "STOP"
		require.True(b, b.take(r).Duplicate)
		require.False(b, b.optedOut(phone))

		phone = b.Phone()
		c = b.asked("acme", phone)
		r = reply.Received{ProviderID: "SM-twice", Line: shared(), Phone: phone, Body: "YES"}
		var (
			duplicate [4]bool
			takes     []func(context.Context, *store.Tx) error
		)
		for i := range duplicate {
			takes = append(takes, func(ctx context.Context, tx *store.Tx) error {
				taken, err := reply.Take(ctx, tx, b.tenants, b.from(r))
				duplicate[i] = taken.Duplicate
				return err
			})
		}
		require.NoError(b, errors.Join(b.AtOnce(takes...)...))
		require.ElementsMatch(b, []bool{false, true, true, true}, duplicate)
		require.Equal(b, 1, b.Jobs("click_link", c.ID))
	})
}

// Ensure that of a yes and a no at the same time one counts.
func TestTakeRace(t *testing.T) {
	each(t, func(b bridge) {
		for range 10 {
			phone := b.Phone()
			c := b.asked("acme", phone)
			var takes []func(context.Context, *store.Tx) error
			for _, body := range []string{"YES", "NO", "YES " + c.ReplyCode, "YES 0000"} {
				r := reply.Received{ProviderID: "SM" + c.ID + body, Line: shared(), Phone: phone, Body: body}
				takes = append(takes, func(ctx context.Context, tx *store.Tx) error {
					_, err := reply.Take(ctx, tx, b.tenants, b.from(r))
					return err
				})
			}
			require.NoError(b, errors.Join(b.AtOnce(takes...)...))
			state := b.state(c.ID)
			require.Contains(b, []string{"accepted", "denied"}, state)
			require.Equal(b, state == "accepted", b.Jobs("click_link", c.ID) == 1)
		}
	})
}

// Ensure that no phone is told more than once how to answer, that the reply came too late, or that
// the question had been answered.
func TestTakeSaysThingsOnce(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		c := b.asked("acme", phone)
		for _, body := range []string{"what?", "who?", "1234", "NO 0000x", "YES YES"} {
			b.text(phone, body)
		}
		require.Equal(b, b.said(wording.Wrong), b.told(phone), "hint")

		b.Pass(10 * time.Minute)
		for range 3 {
			b.text(phone, "YES")
		}
		require.Equal(b, b.said(wording.Wrong, wording.Late), b.told(phone),
			"late although no job has noticed")
		require.Equal(b, "open", b.state(c.ID))
		b.text(phone, "what?")
		require.Equal(b, b.said(wording.Wrong, wording.Late), b.told(phone))

		for _, end := range []struct {
			end  func(c challenge.Challenge) func(context.Context, *store.Tx) error
			told []wording.Saying
		}{
			{expired, []wording.Saying{wording.Late}}, {denial, []wording.Saying{wording.DeniedBefore}},
			{cancellation,
				[]wording.Saying{wording.WrongCodes}}, {clicked(challenge.OutcomeConfirmed),
				[]wording.Saying{wording.DoneBefore}}, {clicked(challenge.OutcomeRefused),
				[]wording.Saying{wording.Refused}}, {begun, nil},
		} {
			phone, old := b.Phone(), b.Phone()
			c, forgotten := b.asked("acme", phone), b.asked("acme", old)
			b.Pass(10*time.Minute - time.Second)
			for _, q := range []challenge.Challenge{c, forgotten} {
				b.Do(end.end(q))
			}
			b.Pass(time.Second)
			b.Do(expired(c))
			for range 3 {
				b.text(phone, "YES")
			}
			require.Equal(b, b.said(end.told...), b.told(phone))
			b.Pass(24*time.Hour + 11*time.Minute)
			b.text(old, "YES")
			require.Empty(b, b.told(old), "after a day nothing is said")
		}
	})
}

func expired(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.ExpireDue(ctx, tx, c.ID) }
}

func denial(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.Deny(ctx, tx, c) }
}

func cancellation(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return challenge.Cancel(ctx, tx, c, "wrong codes")
	}
}

// begun accepts a challenge and begins its click.
func begun(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		if err := challenge.Accept(ctx, tx, c); err != nil {
			return err
		}
		_, _, err := challenge.BeginClick(ctx, tx, c.ID)
		return err
	}
}

// clicked has a challenge accepted and clicked to its end.
func clicked(
	o challenge.Outcome,
) func(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(c challenge.Challenge) func(context.Context, *store.Tx) error {
		return func(ctx context.Context, tx *store.Tx) error {
			if err := challenge.Accept(ctx, tx, c); err != nil {
				return err
			}
			click, _, err := challenge.BeginClick(ctx, tx, c.ID)
			if err != nil {
				return err
			}
			return challenge.Finish(ctx, tx, nil, click, o)
		}
	}
}

// Ensure that a reply does not count before the prompt was sent, nor at the deadline, nor from
// another phone or on another line.
func TestTakeCountsOnlyInTime(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		id := b.ask("acme", phone, challenge.Registration)
		for _, body := range []string{"YES", "YES " + b.challenge(id).ReplyCode, "NO", "what?"} {
			b.text(phone, body)
		}
		require.Equal(b, "open", b.state(id), "its prompt has not been sent")
		require.Empty(b, b.told(phone))
		require.True(b, b.deliver(id))

		b.text(b.Phone(), "YES")
		b.take(reply.Received{ProviderID: "SM-elsewhere", Line: alone(), Phone: phone, Body: "YES"})
		require.Equal(b, "open", b.state(id))

		b.Pass(10*time.Minute - time.Second)
		b.text(phone, "YES")
		require.Equal(b, "accepted", b.state(id), "a second before its deadline")

		for _, after := range []time.Duration{10 * time.Minute, 10*time.Minute + time.Second} {
			phone := b.Phone()
			c := b.asked("acme", phone)
			b.Pass(after)
			b.text(phone, "YES "+c.ReplyCode)
			b.text(phone, "NO")
			require.Equal(b, "open", b.state(c.ID))
		}
	})
}

// Ensure that STOP cancels all questions of the phone on that line, sent or not, of every tenant.
// No yes revives them, and YES or START opts the phone in again.
func TestTakeStop(t *testing.T) {
	each(t, func(b bridge) {
		for _, stop := range []reply.Received{{Body: "stop"}, {Body: "Cancel"},
			{Keyword: "STOP", Body: "leave me alone"}, {Keyword: "STOP", Body: "YES"}} {
			phone := b.Phone()
			acme, beta, unsent := b.asked("acme", phone), b.asked("beta", phone), b.ask("beta", phone,
				challenge.Password)
			other := b.asked("acme", b.Phone())
			stop.ProviderID, stop.Line, stop.Phone = "SM"+acme.ID, shared(), phone
			require.Equal(b, reply.Stop, b.take(stop).Word)
			for _, id := range []string{acme.ID, beta.ID, unsent} {
				require.Equal(b, "canceled", b.state(id))
			}
			require.Equal(b, "open", b.state(other.ID))
			require.True(b, b.optedOut(phone))
			require.Empty(b, b.told(phone), "the provider confirms a STOP")
			require.False(b, b.deliver(unsent))

			b.text(phone, "hello?")
			require.True(b, b.optedOut(phone))
			for _, again := range []string{"YES", "START", "unstop"} {
				b.take(reply.Received{ProviderID: "SM-stop" + acme.ID + again, Line: shared(), Phone: phone,
					Body: "STOP"})
				b.text(phone, again)
				require.False(b, b.optedOut(phone), again)
			}
			b.text(phone, "YES "+acme.ReplyCode)
			require.Equal(b, "canceled", b.state(acme.ID))
			c := b.asked("acme", phone)
			b.text(phone, "YES")
			require.Equal(b, "accepted", b.state(c.ID))
		}
	})
}

// Ensure that the provider's verdict on a reply comes first, but that YES, which is one of its
// words for START, still answers.
func TestTakeKeyword(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct{ keyword, body, state string }{
			{"START", "YES", "accepted"}, {"START", "NO", "open"}, {"HELP", "YES", "open"}, {"HELP", "huh",
				"open"}, {"STOP", "YES", "canceled"}, {"NONSENSE", "YES", "accepted"}, {"", "YES", "accepted"},
		} {
			phone := b.Phone()
			c := b.asked("acme", phone)
			b.take(reply.Received{ProviderID: "SM" + c.ID, Line: shared(), Phone: phone, Body: test.body,
				Keyword: test.keyword})
			require.Equal(b, test.state, b.state(c.ID), "%+v", test)
			require.Empty(b, b.told(phone))
		}
	})
}

// Ensure that a yes out of the blue makes a worker look for the mail only under two conditions: a
// tenant of that line keeps mails at Mailgun, and nothing is known of the phone.
func TestTakeOutOfTheBlue(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		gamma := func(id, body string) reply.Taken {
			return b.take(reply.Received{ProviderID: id, Line: alone(), Phone: phone, Body: body})
		}
		require.Zero(b, b.Jobs("look_up_mail", gamma("SM-a", "hello").ID))
		require.Zero(b, b.Jobs("look_up_mail", gamma("SM-b", "NO").ID))
		require.Equal(b, 1, b.Jobs("look_up_mail", gamma("SM-c", "YES").ID))
		b.ask("gamma", phone, challenge.Registration)
		require.Zero(b, b.Jobs("look_up_mail", gamma("SM-d", "YES").ID),
			"a question to this phone is known")
		taken := b.text(b.Phone(), "YES")
		require.Zero(b, b.Jobs("look_up_mail", taken.ID), "these tenants keep their mails here")
		require.Empty(b, b.told(phone))
	})
}

// Ensure that a reply to no question is recorded for the only tenant on its line, and for none
// where several text.
func TestTakeIsRecordedForItsTenant(t *testing.T) {
	each(t, func(b bridge) {
		for line, slug := range map[phonemail.Line]string{shared(): "", alone(): "gamma"} {
			taken := b.take(reply.Received{
				ProviderID: "SM-" + slug, Line: line, Phone: b.Phone(), Body: "hello",
			})
			require.Equal(b, []string{slug},
				b.Strings("SELECT tenant FROM event WHERE subject = $1", taken.ID))
		}
	})
}
