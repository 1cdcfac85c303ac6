package reply_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// askedByApp is a question of ACME's app of which the phone has the prompt.
func (b bridge) askedByApp(phone phonemail.Number) challenge.Challenge {
	b.Helper()
	acme, ok := b.tenants.Tenant("acme")
	require.True(b, ok)
	q := challenge.AppQuestion{
		ID: store.NewID(), Phone: phone, Subject: "Deliver today at 17?", Life: 10 * time.Minute,
	}
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := challenge.AskApp(ctx, tx, acme, q)
		return err
	})
	require.True(b, b.deliver(q.ID))
	return b.challenge(q.ID)
}

// Ensure that a phone answers an app's question by the words that answer a mail's, and gets no text
// for a yes or a no.
func TestAnswersToAnApp(t *testing.T) {
	each(t, func(b bridge) {
		acme, _ := b.tenants.Tenant("acme")
		hint := acme.Say("", wording.Wrong, wording.Fill{About: wording.AboutApp("en")})
		for body, want := range map[string]struct {
			state string
			told  []string
		}{
			"YES": {"confirmed", nil}, "ja!": {"confirmed", nil}, "no": {"denied", nil},
			"STOP": {"canceled", nil}, "perhaps": {"open", []string{hint}},
		} {
			phone := b.Phone()
			c := b.askedByApp(phone)
			taken := b.text(phone, body)
			require.Equal(b, want.state, b.state(c.ID), body)
			require.Equal(b, want.told, b.told(phone), body)
			require.Zero(b, b.Jobs("click_link", c.ID))
			if want.state == "confirmed" || want.state == "denied" {
				require.Equal(b, c.ID, b.reply(taken.ID).ChallengeID)
			}
		}
	})
}

// Ensure that a bare yes is never taken for the wrong question, whichever was asked first. A yes
// with a code means the question that has it.
func TestBareYesBesideAnApp(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		mails, apps := b.asked("acme", phone), b.askedByApp(phone)
		b.text(phone, "YES")
		require.Equal(b, []string{"accepted", "open"},
			[]string{b.state(mails.ID), b.state(apps.ID)})
		b.text(phone, "YES "+apps.ReplyCode)
		require.Equal(b, "confirmed", b.state(apps.ID))

		phone = b.Phone()
		apps, mails = b.askedByApp(phone), b.asked("acme", phone)
		b.text(phone, "YES")
		require.Equal(b, []string{"confirmed", "open"},
			[]string{b.state(apps.ID), b.state(mails.ID)})
		b.text(phone, "yes")
		require.Equal(b, "open", b.state(mails.ID), "that yes may be the first one's")

		phone = b.Phone()
		apps = b.askedByApp(phone)
		b.Pass(10 * time.Minute)
		mails = b.asked("acme", phone)
		b.text(phone, "YES")
		require.Equal(b, "open", b.state(mails.ID), "a late yes to the app")
		b.text(phone, "NO "+mails.ReplyCode)
		require.Equal(b, "denied", b.state(mails.ID))
	})
}

// Ensure that a phone with two open questions is told which code means the app's.
func TestWhichOfTwo(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		first := b.askedByApp(phone)
		second := b.askedByApp(phone)
		b.Exec("UPDATE challenge SET coded = 1 WHERE id = $1", first.ID)
		b.text(phone, "YES")
		require.Equal(b, "open open", b.state(first.ID)+" "+b.state(second.ID))
		require.Len(b, b.told(phone), 1)
		require.Contains(b, b.told(phone)[0], "YES "+first.ReplyCode+" question from ACME")
	})
}

// Ensure that a phone hears of the mail's question that its no denied, though an app's was denied,
// too.
func TestNoToAMailAndAnApp(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		id := b.ask("acme", phone, challenge.Registration)
		require.True(b, b.deliver(id))
		app := b.askedByApp(phone)
		b.Exec("UPDATE challenge SET coded = 1 WHERE phone = $1", phone.E164()) // as if both told one
		taken := b.text(phone, "NO")
		require.Equal(b, "denied", b.state(id))
		require.Equal(b, "denied", b.state(app.ID))
		require.Len(b, b.told(phone), 1)
		require.Equal(b, id, b.reply(taken.ID).ChallengeID)
	})
}
