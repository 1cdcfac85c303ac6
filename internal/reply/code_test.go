package reply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// which asks which of the questions is meant, as the tenant of the last one says it.
func (b bridge) which(questions ...challenge.Challenge) []string {
	b.Helper()
	var choices []string
	var asker *tenant.Tenant
	for _, c := range questions {
		asker, _ = b.tenants.Tenant(c.Tenant)
		about := "new account at " + asker.Name
		if c.Purpose == challenge.Password {
			about = "new " + asker.Name + " password"
		}
		choices = append(choices, "YES "+c.ReplyCode+" "+about)
	}
	return []string{asker.Say("", wording.Several, wording.Fill{Count: len(questions),
		Choices: strings.Join(choices, ", ")})}
}

// atOnce makes a question take a bare yes although another does: two replicas opened them at once.
func (b bridge) atOnce(c challenge.Challenge) challenge.Challenge {
	b.Helper()
	b.Exec("UPDATE challenge SET coded = 0 WHERE id = $1", c.ID)
	return b.challenge(c.ID)
}

// Ensure that a bare yes confirms none of several questions that each take one. Its phone is told
// the codes once, and a code confirms its question alone.
func TestTakeSeveralQuestions(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		acme := b.asked("acme", phone)
		b.Pass(time.Second)
		beta := b.atOnce(b.asked("beta", phone))
		b.text(phone, "YES")
		b.text(phone, "YES")
		require.Equal(b, "open", b.state(acme.ID))
		require.Equal(b, "open", b.state(beta.ID))
		require.Equal(b, b.which(acme, beta), b.told(phone))

		taken := b.text(phone, "yes "+beta.ReplyCode)
		require.Equal(b, beta.ID, b.reply(taken.ID).ChallengeID)
		require.Equal(b, "open", b.state(acme.ID))
		require.Equal(b, "accepted", b.state(beta.ID))
		b.text(phone, "YES")
		require.Equal(b, "accepted", b.state(acme.ID), "it is the only one now")

		b.run("a bare no denies the one that takes it, and repeated all the others", func(b bridge) {
			phone := b.Phone()
			acme, beta := b.asked("acme", phone), b.asked("beta", phone)
			require.True(b, !acme.Coded && beta.Coded)
			b.text(phone, "NO")
			require.Equal(b, "denied", b.state(acme.ID))
			require.Equal(b, "open", b.state(beta.ID))
			require.Equal(b, b.said(wording.Denied), b.told(phone))
			b.text(phone, "NO")
			require.Equal(b, "denied", b.state(beta.ID))
		})
		b.run("a bare no denies all when each told its code, or two told none", func(b bridge) {
			for _, coded := range []int{1, 0} {
				phone := b.Phone()
				acme, beta := b.asked("acme", phone), b.asked("beta", phone)
				b.Exec("UPDATE challenge SET coded = $1 WHERE phone = $2", coded, phone.E164())
				b.text(phone, "NO")
				require.Equal(b, "denied", b.state(acme.ID))
				require.Equal(b, "denied", b.state(beta.ID))
				require.Len(b, b.told(phone), 1)
			}
		})
		b.run("a no to another mail's question leaves the first alone", func(b bridge) {
			phone := b.Phone()
			mine := b.asked("acme", phone)
			other := signUp(phone, "A"+to("acme", phone)[1:], attackers, idp)
			other.Purpose = challenge.Password
			id := b.askAbout("acme", other)
			require.True(b, b.deliver(id))
			b.text(phone, "NO "+b.challenge(id).ReplyCode)
			require.Equal(b, "denied", b.state(id))
			require.Equal(b, "open", b.state(mine.ID))
			b.text(phone, "YES")
			require.Equal(b, "accepted", b.state(mine.ID))
		})
		b.run("no with a code denies one", func(b bridge) {
			phone := b.Phone()
			acme, beta := b.asked("acme", phone), b.asked("beta", phone)
			b.text(phone, "NO "+acme.ReplyCode)
			require.Equal(b, "denied", b.state(acme.ID))
			require.Equal(b, "open", b.state(beta.ID))
			require.Equal(b, b.said(wording.Denied), b.told(phone))
		})
		b.run("whatever is not an answer is told the codes, so that they are not missed later",
			func(b bridge) {
				for _, body := range []string{"what?", "YES 000", "1234"} {
					phone := b.Phone()
					acme := b.asked("acme", phone)
					b.Pass(time.Second)
					beta := b.atOnce(b.asked("beta", phone))
					b.text(phone, body)
					require.Equal(b, b.which(acme, beta), b.told(phone))
				}
			})
		b.run("a question whose prompt was not sent does not count", func(b bridge) {
			phone := b.Phone()
			acme := b.asked("acme", phone)
			b.ask("beta", phone, challenge.Registration)
			b.text(phone, "YES")
			require.Equal(b, "accepted", b.state(acme.ID))
		})
		b.run("a code that two questions share confirms neither", func(b bridge) {
			phone := b.Phone()
			acme, beta := b.asked("acme", phone), b.asked("beta", phone)
			b.Exec("UPDATE challenge SET reply_code = $1 WHERE id = $2", acme.ReplyCode, beta.ID)
			b.text(phone, "YES "+acme.ReplyCode)
			require.Equal(b, "open", b.state(acme.ID))
			require.Equal(b, "open", b.state(beta.ID))
		})
	})
}

// Ensure that three wrong codes cancel a question, and that a wrong code is never a yes or a no.
func TestTakeWrongCodes(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		acme := b.asked("acme", phone)
		guess := wrongFor(acme)
		b.text(phone, "YES "+guess)
		b.text(phone, "NO "+guess)
		b.text(phone, "YES "+guess)
		require.Equal(b, "open", b.state(acme.ID))
		require.Equal(b, 1, b.Count("challenge WHERE id = $1 AND wrong_codes = 2", acme.ID))
		require.Equal(b, b.said(wording.Wrong), b.told(phone))

		b.Pass(time.Second)
		beta := b.asked("beta", phone)
		guess = wrongFor(acme, beta)
		b.text(phone, "YES "+guess)
		require.Equal(b, "canceled", b.state(acme.ID))
		require.EqualValues(b, "wrong codes", b.challenge(acme.ID).Outcome)
		require.Equal(b, "open", b.state(beta.ID), "it has only had one")
		require.Equal(b, b.which(beta), b.told(phone)[len(b.told(phone))-1:],
			"the canceled one is offered no more")

		b.text(phone, "YES "+acme.ReplyCode)
		require.Equal(b, "open", b.state(beta.ID))
		b.text(phone, "YES "+beta.ReplyCode)
		require.Equal(b, "accepted", b.state(beta.ID), "two wrong codes are forgiven")
		require.Equal(b, "canceled", b.state(acme.ID))
		require.Zero(b, b.Jobs("click_link", acme.ID))
	})
}

// wrongFor is a code that none of the questions has.
func wrongFor(questions ...challenge.Challenge) string {
	for i := 1000; ; i++ {
		code, taken := fmt.Sprint(i), false
		for _, c := range questions {
			taken = taken || c.ReplyCode == code
		}
		if !taken {
			return code
		}
	}
}

// Ensure that a bare yes confirms nothing while it might be meant for another question that has
// just gone unanswered, and that the code does.
func TestTakeMistakableQuestion(t *testing.T) {
	each(t, func(b bridge) {
		tests := []struct {
			name  string
			other func(b bridge, phone phonemail.Number) // ends a moment before the question is asked
			after time.Duration
			bare  bool
		}{
			{"another tenant's expired unnoticed", func(b bridge,
				phone phonemail.Number) {
				b.asked("beta", phone)
				b.Pass(10 * time.Minute)
			}, 0, false},
			{"another tenant's expired", func(b bridge, phone phonemail.Number) {
				c := b.asked("beta", phone)
				b.Pass(10 * time.Minute)
				b.Do(expired(c))
			}, 0, false},
			{"another tenant's expired, nearly forgotten",
				func(b bridge, phone phonemail.Number) {
					b.asked("beta",
						phone)
					b.Pass(10 * time.Minute)
				}, 10*time.Minute - time.Second, false},
			{"another tenant's expired long ago", func(b bridge,
				phone phonemail.Number) {
				b.asked("beta",
					phone)
				b.Pass(10 * time.Minute)
			}, 10 * time.Minute, true},
			{"its own earlier one expired", func(b bridge,
				phone phonemail.Number) {
				b.asked("acme", phone)
				b.Pass(10 * time.Minute)
			}, 0, true},
			{"its own for another purpose expired", func(b bridge, phone phonemail.Number) {
				require.True(b, b.deliver(b.ask("acme", phone, challenge.Password)))
				b.Pass(10 * time.Minute)
			}, 0, false},
			{"another tenant's denied", func(b bridge,
				phone phonemail.Number) {
				b.Do(denial(b.asked("beta", phone)))
			}, 0, true},
			{"another tenant's confirmed", func(b bridge,
				phone phonemail.Number) {
				b.Do(clicked(challenge.OutcomeConfirmed)(b.asked("beta",
					phone)))
			}, 0, true},
			{"an app's called off", func(b bridge, phone phonemail.Number) {
				c := b.askedByApp(phone)
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					return challenge.Cancel(ctx, tx, c, string(challenge.CanceledByApp))
				})
			}, 0, false},
			{"an app's confirmed, whose yes may be repeated", func(b bridge, phone phonemail.Number) {
				b.text(phone, "YES, "+b.askedByApp(phone).ReplyCode)
			}, 0, false},
			{"an app's confirmed long ago", func(b bridge, phone phonemail.Number) {
				b.text(phone, "YES, "+b.askedByApp(phone).ReplyCode)
			}, 10 * time.Minute, true},
			{"another tenant's ended by wrong codes", func(b bridge, phone phonemail.Number) {
				c := b.asked("beta", phone)
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					return challenge.Cancel(ctx, tx, c, string(challenge.CanceledByCodes))
				})
			}, 0, false},
			{"another tenant's ended by STOP", func(b bridge, phone phonemail.Number) {
				c := b.asked("beta", phone)
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					return challenge.Cancel(ctx, tx, c, string(challenge.CanceledByStop))
				})
			}, 0, true},
			{"somebody else's expired", func(b bridge,
				_ phonemail.Number) {
				b.asked("beta", b.Phone())
				b.Pass(10 * time.Minute)
			}, 0, true},
		}
		for _, test := range tests {
			b.run(test.name, func(b bridge) {
				phone := b.Phone()
				test.other(b, phone)
				b.Pass(test.after)
				c := b.asked("acme", phone)
				b.text(phone, "YES")
				if test.bare {
					require.Equal(b, "accepted", b.state(c.ID))
					return
				}
				require.Equal(b, "open", b.state(c.ID))
				require.Equal(b, b.which(c), b.told(phone))
				b.text(phone, "YES "+c.ReplyCode)
				require.Equal(b, "accepted", b.state(c.ID))
			})
		}
		b.run("whoever asks is told the code too", func(b bridge) {
			phone := b.Phone()
			b.asked("beta", phone)
			b.Pass(10 * time.Minute)
			c := b.asked("acme", phone)
			b.text(phone, "what?")
			require.Equal(b, b.which(c), b.told(phone))
		})
	})
}

// Ensure that an unread reply of a phone that many tenants asked is read with the words of those
// who asked.
func TestTakeWords(t *testing.T) {
	each(t, func(b bridge) {
		acme, beta := b.Phone(), b.Phone()
		a, c := b.asked("acme", acme), b.asked("beta", beta)
		require.Equal(b, reply.Yes, b.text(acme, "SURE").Word)
		require.Equal(b, reply.Other, b.text(beta, "SURE").Word, "SURE is only ACME's word")
		require.Equal(b, "accepted", b.state(a.ID))
		require.Equal(b, "open", b.state(c.ID))
		require.Equal(b, reply.Yes, b.text(b.Phone(), "SURE").Word, "nobody asked: everybody's words")
	})
}
