package reply_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// Ensure that a reply is about the questions and codes of its own phone on its own line alone. A
// line is another one when its account differs, although its sender is the same.
func TestReplyIsAboutItsOwnLineAndPhone(t *testing.T) {
	each(t, func(b bridge) {
		for name, move := range map[string]func(l *phonemail.Line, from *phonemail.Number){
			"account": func(l *phonemail.Line, _ *phonemail.Number) { l.Account = "AC2" },
			"sender":  func(l *phonemail.Line, _ *phonemail.Number) { l.Sender = "+15005550008" },
			"phone":   func(_ *phonemail.Line, from *phonemail.Number) { *from = b.Phone() },
		} {
			phone := b.Phone()
			c, v := b.asked("acme", phone), b.verify("acme", phone, "482913")
			line, from := shared(), phone
			move(&line, &from)
			say := func(body string) {
				taken := b.take(reply.Received{
					ProviderID: fmt.Sprintf("SM%d", b.Serial()), Line: line, Phone: from, Body: body,
					Unanswered: true,
				})
				require.Equal(b, taken.ID, taken.Case, "another %s: %s is about nothing", name, body)
			}
			for _, body := range []string{
				"YES", "NO", "YES " + c.ReplyCode, "482913", "what?", "HELP", "STOP",
			} {
				say(body)
			}
			require.Equal(b, "open", b.state(c.ID), name)
			require.Equal(b, verification.Pending, b.verified(v).State, name)
			require.Zero(b, b.verified(v).Attempts, name)
			require.False(b, b.optedOut(phone), name)

			say("START")
			b.Pass(10 * time.Minute)
			say("YES")
			require.Equal(b, challenge.Expired, b.challenge(c.ID).State, name)
			require.Zero(b, b.Count("text WHERE phone = $1 AND purpose IN ('hint', 'outcome')", from.E164()),
				"another %s: no question of its own is open or over", name)
		}
	})
}

// Ensure that a reply which comes again is about what it was about the first time.
func TestDuplicateIsAboutItsOwnCase(t *testing.T) {
	each(t, func(b bridge) {
		var replies []reply.Received
		var cases []string
		for i := range 3 {
			phone := b.Phone()
			c := b.asked("acme", phone)
			r := reply.Received{
				ProviderID: fmt.Sprint("SM", i/2), Line: shared(), Phone: phone, Body: "YES",
			}
			if i == 1 { // two accounts may give the same id
				r.Line, r.Sharing = phonemail.Line{Account: "AC2", Sender: shared().Sender}, nil
			}
			replies = append(replies, r)
			cases = append(cases, b.take(r).Case)
			require.Equal(b, i != 1, cases[i] == c.ID)
		}
		for i, r := range replies {
			again := b.take(r)
			require.True(b, again.Duplicate)
			require.Equal(b, cases[i], again.Case)
		}
	})
}
