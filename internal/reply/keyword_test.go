package reply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/country"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// Ensure that a STOP is confirmed once where the provider does not confirm it, and never where it
// does.
func TestStopIsConfirmedOnce(t *testing.T) {
	each(t, func(b bridge) {
		say := func(id, body string, answered bool) reply.Received {
			return reply.Received{
				ProviderID: id, Line: alone(), Body: body, Unanswered: !answered, Phone: b.Phone(),
			}
		}
		r := say("SM-a", "opt out", false)
		b.take(r)
		told := []string{"Gamma: du får ikke flere sms'er fra os. Svar START for at få dem igen."}
		require.Equal(b, told, b.told(r.Phone))
		require.True(b, b.optedOutOf("gamma", alone(), r.Phone))
		r.ProviderID, r.Body = "SM-b", "Stop all"
		b.take(r)
		require.Equal(b, told, b.told(r.Phone), "one at most")

		r = say("SM-c", "STOP", true)
		b.take(r)
		require.Empty(b, b.told(r.Phone))
		r.ProviderID, r.Body, r.Unanswered = "SM-d", "stopp", true
		b.take(r)
		require.Empty(b, b.told(r.Phone), "the provider has confirmed it")

		phone := b.Phone()
		b.asked("beta", phone)
		b.take(reply.Received{ProviderID: "SM-e", Line: shared(), Body: "baja", Phone: phone,
			Unanswered: true})
		told = []string{"Beta: you get no more texts from us. Reply START to get them again."}
		require.Equal(b, told, b.told(phone), "who asked, says so, in the language of the question")
	})
}

// Ensure that a phone which goes on saying STOP and START costs one text on each line in two days.
// Each STOP opts it out all the same.
func TestStopAndStartCostOneText(t *testing.T) {
	each(t, func(b bridge) {
		phone, other := b.Phone(), alone()
		other.Sender = "+15005550008"
		say := func(line phonemail.Line, word string) {
			b.take(reply.Received{
				ProviderID: fmt.Sprintf("SM%d", b.Serial()), Line: line, Body: word, Phone: phone,
				Unanswered: true,
			})
			require.Equal(b, word == "STOP", b.optedOutOf("gamma", line, phone))
		}
		for range 3 {
			say(alone(), "STOP")
			say(alone(), "START")
		}
		require.Len(b, b.told(phone), 1)
		gamma, _ := b.tenants.Tenant("gamma")
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := reply.Take(ctx, tx, b.tenants, reply.Received{
				ProviderID: "SM-other", Line: other, Body: "STOP", Phone: phone, Unanswered: true,
				Sharing: []*tenant.Tenant{gamma},
			})
			return err
		})
		require.Len(b, b.told(phone), 2, "the other line has not said so")
		b.Pass(time.Hour)
		b.Exec("DELETE FROM seen") // as the worker does after two days
		say(alone(), "STOP")
		require.Len(b, b.told(phone), 3)
	})
}

// Ensure that HELP is answered with the brand and the contact: where the provider does not, if
// there is a contact, once in two days, and also to a phone that opted out.
func TestHelpIsAnswered(t *testing.T) {
	each(t, func(b bridge) {
		gamma, _ := b.tenants.Tenant("gamma")
		contact := func(of string) { *gamma = withContact(*gamma, of) }
		help := func(id string, r reply.Received) {
			r.ProviderID, r.Line, r.Body = id, alone(), "HELP"
			b.take(r)
		}
		r := reply.Received{Phone: b.Phone(), Unanswered: true}
		help("SM-a", r)
		require.Empty(b, b.told(r.Phone), "there is nobody to ask")
		contact("+45 70 10 20 30")
		help("SM-b", reply.Received{Phone: r.Phone})
		require.Empty(b, b.told(r.Phone), "the provider answers")
		b.take(reply.Received{ProviderID: "SM-stop", Line: alone(), Body: "STOP", Phone: r.Phone})
		help("SM-c", r)
		help("SM-d", r)
		require.Equal(b, []string{"Gamma: sms'er om din konto. Spørgsmål? +45 70 10 20 30 " +
			"Svar STOP for ikke at få flere."}, b.told(r.Phone))
		b.Pass(time.Hour)
		b.Exec("DELETE FROM seen") // as the worker does after two days
		help("SM-e", r)
		require.Len(b, b.told(r.Phone), 2)
	})
}

func withContact(t tenant.Tenant, contact string) tenant.Tenant {
	t.OptOut.Contact = contact
	return t
}

// Ensure that each word that stops texts by the law or the custom of a country does so, and that it
// needs no accents. China's "R" is none: a single letter may be a slip.
func TestStopWordsOfCountries(t *testing.T) {
	found := 0
	for first := 'A'; first <= 'Z'; first++ {
		for second := 'A'; second <= 'Z'; second++ {
			for _, fact := range country.About(string(first) + string(second)) {
				if fact.Topic != country.Stop || fact.Value == country.Unknown {
					continue
				}
				for word := range strings.SplitSeq(fact.Value, ", ") {
					if word != "R" {
						require.Equal(t, reply.Stop, reply.Read(word, reply.Words{}).Word, word)
						found++
					}
				}
			}
		}
	}
	require.Greater(t, found, 20)
	for _, word := range []string{"Zakończ", "abonelikten cik", "HUY DANG KY", "leiratkozas"} {
		require.Equal(t, reply.Stop, reply.Read(word, reply.Words{}).Word, word)
	}
}
