package challenge_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

func (b bridge) asked(c challenge.Challenge) (ids []string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		asked, err := challenge.Asked(ctx, tx, c.Line, c.Phone)
		ids = nil
		for _, c := range asked {
			ids = append(ids, c.ID)
		}
		return err
	})
	return ids
}

// Ensure that a question is over from its deadline on, wherever it is read and although its row
// says open. The deadline is its end until a worker records one.
func TestOverdueIsExpired(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		b.Pass(10*time.Minute - time.Millisecond)
		require.Equal(b, challenge.Open, b.get(c.ID).State)
		require.Zero(b, b.get(c.ID).Ended)
		require.Equal(b, []string{c.ID}, b.asked(c))
		for range 2 {
			b.Pass(time.Millisecond)
			require.Equal(b, challenge.Open, b.row(c.ID).State)
			over := b.get(c.ID)
			require.Equal(b, challenge.Expired, over.State)
			require.Equal(b, c.Expires, over.Ended)
			require.Empty(b, b.asked(c))
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				last, err := challenge.Last(ctx, tx, c.Line, c.Phone)
				require.Equal(b, []challenge.Challenge{over}, last)
				return err
			})
		}
		b.Do(expire(c))
		require.Equal(b, b.Now(), b.get(c.ID).Ended, "as a worker recorded it")

		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.Get(ctx, tx, "none")
			require.ErrorIs(b, err, challenge.ErrUnknown)
			return nil
		})
	})
}

// Ensure that a phone counts as asked once its text was handed to a provider, even if that text got
// lost. It does not when the text failed, was suppressed or is still due. The oldest question comes
// first.
func TestAsked(t *testing.T) {
	each(t, func(b bridge) {
		for state, asked := range map[string]bool{
			"due": false, "sending": true, "sent": true, "delivered": true, "undelivered": true,
			"unclear": true, "failed": false, "suppressed": false,
		} {
			c := b.get(b.ask(b.question()))
			b.Exec("UPDATE text SET state = $1 WHERE challenge_id = $2", state, c.ID)
			require.Equal(b, asked, len(b.asked(c)) == 1, state)
		}
		first := b.open()
		b.Pass(time.Second)
		q := again(first)
		q.Purpose = challenge.Password
		second := b.ask(q)
		require.Equal(b, []string{first.ID}, b.asked(first), "the prompt of the second is due")
		b.Exec("UPDATE text SET purpose = 'hint', state = 'sent' WHERE challenge_id = $1", second)
		require.Equal(b, []string{first.ID}, b.asked(first), "a hint does not ask")
		b.Exec("UPDATE text SET purpose = 'prompt' WHERE challenge_id = $1", second)
		require.Equal(b, []string{first.ID, second}, b.asked(first))

		elsewhere := first
		elsewhere.Line = phonemail.Line{Account: "AC1", Sender: "+4512340001"}
		require.Empty(b, b.asked(elsewhere), "on another line")
		b.Do(deny(first))
		require.Equal(b, []string{second}, b.asked(first))
	})
}

// Ensure that a question is found and ended only by its own phone on its own line: another account,
// another sender and another phone have nothing to do with it.
func TestLineOfAQuestion(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		last := func(of challenge.Challenge) (n int) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				found, err := challenge.Last(ctx, tx, of.Line, of.Phone)
				n = len(found)
				return err
			})
			return n
		}
		cancel := func(of challenge.Challenge) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return challenge.CancelAll(ctx, tx, of.Line, of.Phone, "", "opted out")
			})
		}
		account, sender, phone := c, c, c
		account.Line.Account, sender.Line.Sender, phone.Phone = "AC2", "+4512340001", b.Phone()
		for _, other := range []challenge.Challenge{account, sender, phone} {
			require.Empty(b, b.asked(other))
			require.Zero(b, last(other))
			cancel(other)
			require.Equal(b, challenge.Open, b.get(c.ID).State)
		}
		require.Len(b, b.asked(c), 1)
		require.Equal(b, 1, last(c))
		cancel(c)
		require.Equal(b, challenge.Canceled, b.get(c.ID).State)
	})
}

// Ensure that the third wrong code cancels a question, and that a question that ended counts none.
func TestWrongCode(t *testing.T) {
	each(t, func(b bridge) {
		wrong := func(c challenge.Challenge) (open bool) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				open, err = challenge.WrongCode(ctx, tx, c)
				return err
			})
			return open
		}
		c := b.open()
		require.True(b, wrong(c))
		require.True(b, wrong(c))
		require.False(b, wrong(c))
		require.Equal(b, challenge.Canceled, b.row(c.ID).State)
		require.EqualValues(b, "wrong codes", b.row(c.ID).Outcome)
		require.False(b, wrong(c))
		require.EqualValues(b, 3, b.row(c.ID).WrongCodes)
	})
}

// Ensure that a click that was interrupted and finds its link used has worked. The phone is told so
// with a tenant's words, and is told nothing without a tenant.
func TestFinishTells(t *testing.T) {
	settings, err := tenant.FromEnv([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true",
		"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_LINKS_WORK=DK",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_IDP_HOSTS=login.acme.example", "MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46", "TWILIO_FROM=+15005550006",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210",
	})
	require.NoError(t, err)
	acme, ok := settings.Tenants.Tenant("acme")
	require.True(t, ok)
	each(t, func(b bridge) {
		for _, test := range []struct {
			again  bool
			tenant *tenant.Tenant
			state  challenge.State
			told   challenge.Outcome
		}{
			{false, acme, challenge.Failed, challenge.OutcomeUsed},
			{true, acme, challenge.Confirmed, challenge.OutcomeAlready},
			{true, nil, challenge.Confirmed, challenge.OutcomeAlready},
		} {
			c := b.clicking()
			if test.again {
				var due bool
				c, due = b.click(c.Challenge.ID)
				require.True(b, due && c.Again)
			}
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return challenge.Finish(ctx, tx, test.tenant, c, challenge.OutcomeUsed)
			})
			row := b.row(c.Challenge.ID)
			require.Equal(b, test.state, row.State)
			require.EqualValues(b, test.told, row.Outcome)
			told := b.Count("text WHERE purpose = 'outcome' AND challenge_id = $1", row.ID)
			require.Equal(b, test.tenant != nil, told == 1)
		}
	})
}

// Ensure that the phone gets a short link when the click did not show what came of it. It leads to
// the link until the question would have been over, and at least two minutes. The challenge
// stays failed.
func TestFinishHandsOver(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			outcome challenge.Outcome
			left    time.Duration // of the question's life at the end of the click
			link    string
			lives   time.Duration // of the short link; 0 for none
		}{
			{challenge.OutcomeNeedsUser, 7 * time.Minute, link, 7 * time.Minute},
			{challenge.OutcomeUnknown, 7 * time.Minute, link, 7 * time.Minute},
			{challenge.OutcomeNeedsUser, time.Second, link, 2 * time.Minute},
			{challenge.OutcomeUnknown, -time.Hour, link, 2 * time.Minute},
			{challenge.OutcomeUnknown, 7 * time.Minute, "", 0},
			{challenge.OutcomeUsed, 7 * time.Minute, link, 0},
			{challenge.OutcomeExpired, 7 * time.Minute, link, 0},
			{challenge.OutcomeRefused, 7 * time.Minute, link, 0},
			{challenge.OutcomeUnreachable, 7 * time.Minute, link, 0},
			{challenge.OutcomeConfirmed, 7 * time.Minute, link, 0},
		} {
			c := b.clicking()
			c.GoOn, c.Challenge.Expires = test.link, b.Now().Add(test.left)
			b.Exec("DELETE FROM short_link")
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return challenge.Finish(ctx, tx, asker("acme", time.Minute), c, test.outcome)
			})
			row := b.row(c.Challenge.ID)
			require.Equal(b, test.outcome, row.Outcome)
			require.Equal(b, test.outcome == challenge.OutcomeConfirmed, row.State == challenge.Confirmed)
			require.Empty(b, row.Link)
			require.Equal(b, 1, b.Count("text WHERE purpose = 'outcome' AND challenge_id = $1", row.ID))
			if test.lives == 0 {
				require.Zero(b, b.Count("short_link"))
				continue
			}
			ends := moment.Of(b.Now().Add(test.lives))
			require.Equal(b, 1, b.Count("short_link WHERE challenge_id = '' AND expires_at = $1", ends))
			require.Equal(b, 1, b.Count("text WHERE challenge_id = $1 AND deadline = $2", row.ID, ends))
			require.Zero(b, b.Count("short_link WHERE link LIKE '%secret%'"), "it is sealed")
		}
	})
}
