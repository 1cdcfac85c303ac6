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
	"smsbridge/internal/segment"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

const (
	victims   = "https://login.acme.example/verify?ticket=victim"
	attackers = "https://login.acme.example/verify?ticket=attacker"
	idp       = "no-reply@acme.example"
)

// signUp is the question about a mail to an address of a phone.
func signUp(phone phonemail.Number, recipient, link, author string) challenge.Question {
	return challenge.Question{
		MailID: store.NewID(), Phone: phone, Recipient: recipient, Author: author,
		Purpose: challenge.Registration, Link: link,
	}
}

// clickOf is the link that the click of a challenge opens, and false when none is due.
func (b bridge) clickOf(id string) (link string, due bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		click, begun, err := challenge.BeginClick(ctx, tx, id)
		link, due = click.Link, begun
		return err
	})
	return link, due
}

// Ensure that no mail which comes between the prompt and the yes changes what the yes opens. Nor
// does it block or delay that, from any sender and to any spelling of the address.
func TestMailBeforeTheYesChangesNothing(t *testing.T) {
	each(t, func(b bridge) {
		for name, attack := range map[string]func(phone phonemail.Number){
			"the same address": func(phone phonemail.Number) {
				b.askAbout("acme", signUp(phone, to("acme", phone), attackers, idp))
			},
			"the same address, not proved": func(phone phonemail.Number) {
				b.askAbout("acme", signUp(phone, to("acme", phone), attackers, ""))
			},
			"five of them": func(phone phonemail.Number) {
				for n := range 5 {
					b.askAbout("acme", signUp(phone, to("acme", phone), fmt.Sprint(attackers, n), idp))
				}
			},
			"another spelling": func(phone phonemail.Number) {
				b.deliver(b.askAbout("acme", signUp(phone, "A"+to("acme", phone)[1:], attackers, idp)))
			},
			"another purpose": func(phone phonemail.Number) {
				q := signUp(phone, to("acme", phone), attackers, idp)
				q.Purpose = challenge.Password
				b.deliver(b.askAbout("acme", q))
			},
			"another tenant": func(phone phonemail.Number) {
				b.deliver(b.askAbout("beta", signUp(phone, to("beta", phone), attackers, idp)))
			},
			"another spelling that has expired": func(phone phonemail.Number) {
				id := b.askAbout("acme", signUp(phone, "A"+to("acme", phone)[1:], attackers, idp))
				b.deliver(id)
				b.Exec("UPDATE challenge SET state = 'expired', ended_at = opened_at WHERE id = $1", id)
			},
		} {
			for _, after := range []time.Duration{0, 30 * time.Second, 2 * time.Minute} {
				b.run(fmt.Sprint(name, " ", after), func(b bridge) {
					phone := b.Phone()
					id := b.askAbout("acme", signUp(phone, to("acme", phone), victims, idp))
					require.True(b, b.deliver(id))
					b.Pass(after)
					attack(phone)
					b.text(phone, "YES")
					require.Equal(b, "accepted", b.state(id))
					link, due := b.clickOf(id)
					require.True(b, due)
					require.Equal(b, victims, link)
					require.Equal(b, []string{id},
						b.Strings("SELECT id FROM challenge WHERE phone = $1 AND accepted_at > 0", phone.E164()))
					require.Empty(b, b.told(phone), "nothing is asked back")
				})
			}
		}
	})
}

// Ensure that what was asked before a genuine question, or beside it, does not make that
// unanswerable: its prompt says its code, and the code opens it. A bare yes does not open it.
func TestQuestionBesideAnotherIsAnswerable(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		junk := b.askAbout("acme", signUp(phone, "A"+to("acme", phone)[1:], attackers, idp))
		require.True(b, b.deliver(junk))
		id := b.askAbout("acme", signUp(phone, to("acme", phone), victims, idp))
		require.True(b, b.deliver(id))
		c := b.challenge(id)
		require.True(b, c.Coded)
		b.text(phone, "NO "+b.challenge(junk).ReplyCode)
		require.Equal(b, "denied", b.state(junk))
		b.text(phone, "YES "+c.ReplyCode)
		link, _ := b.clickOf(id)
		require.Equal(b, victims, link)

		phone = b.Phone()
		first := b.askAbout("acme", signUp(phone, to("acme", phone), victims, idp))
		require.True(b, b.deliver(first))
		b.Pass(10*time.Minute - time.Second)
		second := b.askAbout("acme", signUp(phone, "A"+to("acme", phone)[1:], attackers, idp))
		require.True(b, b.deliver(second))
		b.Pass(time.Second)
		b.text(phone, "YES")
		require.Equal(b, "open", b.state(second), "the yes was to the first, and came late")
		require.Equal(b, b.which(b.challenge(second)), b.told(phone))
	})
}

// Ensure that a yes repeated while its click is under way opens nothing else.
func TestRepeatedYesOpensNothingElse(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		first := b.asked("acme", phone)
		b.text(phone, "YES")
		second := b.askAbout("acme", signUp(phone, "A"+to("acme", phone)[1:], attackers, idp))
		require.True(b, b.deliver(second))
		b.text(phone, "YES")
		require.Equal(b, "open", b.state(second))
		_, due := b.clickOf(second)
		require.False(b, due)
		link, due := b.clickOf(first.ID)
		require.True(b, due)
		require.Equal(b, "https://login.acme.example/verify", link)
	})
}

// Ensure that a repeated yes does not open a question that another replica opened at once, and
// whose prompt left after the first yes.
func TestRepeatedYesBesideAnotherReplica(t *testing.T) {
	each(t, func(b bridge) {
		for _, state := range []string{"accepted", "clicking"} {
			phone := b.Phone()
			first := b.ask("acme", phone, challenge.Registration)
			id := b.askAbout("acme", signUp(phone, "A"+to("acme", phone)[1:], attackers, idp))
			second := b.atOnce(b.challenge(id))
			require.True(b, b.deliver(first))
			b.text(phone, "YES")
			if state == "clicking" {
				b.clickOf(first)
			}
			require.Equal(b, state, b.state(first))
			b.Pass(time.Second)
			require.True(b, b.deliver(id))
			b.text(phone, "YES")
			require.Equal(b, "open", b.state(id), state)
			require.Equal(b, b.which(second), b.told(phone))
			b.text(phone, "YES "+second.ReplyCode)
			require.Equal(b, "accepted", b.state(id), state)
		}
	})
}

// Ensure that a late yes does not open a question that another replica opened beside its own, and
// which takes a bare yes, too.
func TestLateYesBesideAnotherReplica(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		first := b.asked("acme", phone)
		b.Pass(time.Minute)
		id := b.askAbout("acme", signUp(phone, "A"+to("acme", phone)[1:], attackers, idp))
		require.True(b, b.deliver(id))
		second := b.atOnce(b.challenge(id))
		b.Pass(first.Expires.Sub(b.Now()))
		b.text(phone, "YES")
		require.Equal(b, "open", b.state(id))
		require.Equal(b, b.which(second), b.told(phone))
	})
}

// Ensure that a wrong code counts once for each question with whose code it was compared. Else many
// questions to one phone, in the spellings of its address, would make as many chances of one guess.
func TestAWrongCodeCountsForEachQuestion(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		var open []challenge.Challenge
		for i, letter := range []string{"a", "A", "a"} {
			q := signUp(phone, letter+to("acme", phone)[1:], attackers, idp)
			q.Purpose = []challenge.Purpose{"registration", "registration", "password"}[i]
			id := b.askAbout("acme", q)
			b.Exec("UPDATE challenge SET coded = 1 WHERE id = $1", id)
			require.True(b, b.deliver(id))
			open = append(open, b.challenge(id))
		}
		compared := 0
		for range challenge.MaxGuesses {
			b.text(phone, "YES "+wrongFor(open...))
			b.Exec("UPDATE challenge SET wrong_codes = 0 WHERE phone = $1", phone.E164())
			if b.Count("event WHERE name = 'reply.wrong_code' AND tenant = 'acme'") > compared {
				compared++
			}
		}
		require.Equal(b, 4, compared, "three comparisons each, of ten a day")
		b.text(phone, "YES "+open[2].ReplyCode)
		require.Equal(b, "open", b.state(open[2].ID), "no code is compared any more today")
	})
}

// Ensure that ten wrong codes of a phone, over however many questions, are all that are compared in
// a day. No right code, STOP, START or new question gives more, and a bare yes goes on to count.
func TestReplyCodesAreGuessedTenTimesADay(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		ask := func() challenge.Challenge {
			id := b.ask("acme", phone, challenge.Password)
			b.Exec("UPDATE challenge SET coded = 1 WHERE id = $1", id)
			require.True(b, b.deliver(id))
			return b.challenge(id)
		}
		wrong := 0
		for wrong < challenge.MaxGuesses {
			c := ask()
			for range 2 {
				b.text(phone, "YES "+wrongFor(c))
				wrong++
			}
			switch wrong {
			case 2:
				b.text(phone, "STOP")
				b.text(phone, "START")
			case 4:
				b.text(phone, "YES "+c.ReplyCode)
				require.Equal(b, "accepted", b.state(c.ID))
				link, _ := b.clickOf(c.ID)
				require.NotEmpty(b, link)
				b.Exec("UPDATE challenge SET state = 'failed' WHERE id = $1", c.ID)
			default:
				b.Do(denial(c))
			}
		}
		c := ask()
		taken := b.text(phone, "YES "+c.ReplyCode)
		require.Equal(b, "open", b.state(c.ID), "the right one is not compared any more")
		require.Equal(b, []string{"reply.received", "reply.blocked"}, b.EventNames(taken.ID))
		require.Zero(b, b.Jobs("click_link", c.ID))
		b.text(phone, "STOP")
		b.text(phone, "START")
		c = ask()
		b.text(phone, "YES "+c.ReplyCode)
		require.Equal(b, "open", b.state(c.ID))
		b.Do(denial(c))

		b.text(b.Phone(), "YES 0000")
		free := b.asked("acme", phone)
		b.text(phone, "YES")
		require.Equal(b, "accepted", b.state(free.ID), "a bare yes guesses nothing")

		b.Pass(challenge.GuessMemory)
		c = ask()
		b.text(phone, "YES "+c.ReplyCode)
		require.Equal(b, "accepted", b.state(c.ID), "a day later")
	})
}

// Ensure that a text which asks what is meant tells purposes and tenants apart in one segment, with
// names of 22 characters. When there are too many questions for that, it says that there are more.
func TestChoicesFitOneSegment(t *testing.T) {
	name := strings.Repeat("N", 22)
	asker := &tenant.Tenant{Name: name, Question: tenant.Question{
		Accept: []string{"YES"}, Deny: []string{"NO"},
	}}
	choices := []string{
		"YES 4867 " + wording.Choice("en", name, false), "YES 4534 " + wording.Choice("en", name, true),
	}
	body := reply.Which(asker, "en", choices, 2)
	require.Equal(t, "Which one? YES 4867 new account at "+name+", YES 4534 new "+name+
		" password. Reply NO to cancel.", body)
	require.Equal(t, segment.Size{Segments: 1, Units: len(body), GSM: true}, segment.Measure(body))
	for n := 3; n < 8; n++ {
		choices = append(choices, fmt.Sprint("YES 100", n, " ", wording.Choice("en", name, false)))
		body := reply.Which(asker, "en", choices, n)
		require.Equal(t, segment.Size{Segments: 1, Units: len(body), GSM: true}, segment.Measure(body))
		require.Contains(t, body, "password, and more. Reply NO")
		require.NotContains(t, body, "YES 100")
	}
	short := &tenant.Tenant{Name: "ACME", Question: asker.Question}
	body = reply.Which(short, "en", []string{"YES 1 a", "YES 2 b", "YES 3 c"}, 3)
	require.Contains(t, body, "YES 1 a, YES 2 b, YES 3 c. ")
	long := strings.Repeat("Ł", 40)
	body = reply.Which(&tenant.Tenant{Name: long, Question: asker.Question}, "en",
		[]string{"YES 1 " + long, "YES 2 " + long}, 2)
	require.Contains(t, body, "YES 1", "one is always named")
	require.NotContains(t, body, "YES 2")
}
