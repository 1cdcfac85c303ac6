package mailgun

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// An expression that is understood can be evaluated, and means the same in parentheses.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		`match_recipient("^acme\+([0-9]+)@")`,
		`match_header('subject', "a\"b") and (catch_all() or match_recipient("x"))`, `((catch_all()`,
		`a(="`,
	} {
		f.Add(seed)
	}
	mail := &parsedMail{headers: []headerField{{name: "Subject", value: "x"}}}
	f.Fuzz(func(t *testing.T, s string) {
		condition, err := parseExpression(s)
		if err != nil || len(s)+2 > expressionLimit {
			return
		}
		again, err := parseExpression("(" + s + ")")
		require.NoError(t, err)
		ok, captures := condition.match(testPhone, mail, false)
		okAgain, capturesAgain := again.match(testPhone, mail, false)
		require.Equal(t, ok, okAgain)
		require.Equal(t, captures, capturesAgain)
		captures.fill(s)
	})
}

// An action that is understood has a destination that is an http URL or a mail address, and
// none that a capture can move.
func FuzzAction(f *testing.F) {
	for _, seed := range []string{`store(notify="https://a.example/\1")`,
		`forward("http://a.example", "b@c.example")`, `stop()`, `forward("http://\1/")`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		action, err := parseAction(s)
		if err != nil {
			return
		}
		require.Contains(t, []string{"forward", "store", "stop"}, action.op)
		for _, d := range action.destinations {
			u, err := url.Parse(captureSet{numbered: []string{"evil"}}.fill(d))
			if err == nil && (u.Scheme == "http" || u.Scheme == "https") {
				require.NotContains(t, u.Host, "evil")
			}
		}
	})
}

// A mail that is understood has text in UTF-8, and cannot touch the fields put on top of it.
func FuzzMail(f *testing.F) {
	f.Add(testMail())
	f.Add(testAttached())
	f.Add([]byte("Content-Type: text/html\r\n\r\n<p"))
	f.Add([]byte(" folded: onto ours\r\n\r\n"))
	f.Fuzz(func(t *testing.T, mime []byte) {
		mime, err := withReceived("a@b.example", "id", "date", mime)
		if err != nil {
			return
		}
		mail, err := parseMail(mime)
		if err != nil {
			return
		}
		require.Equal(t, "Yes", mail.header("X-Mailgun-Incoming"))
		for _, text := range append(slices.Clone(mail.htmls), mail.plain, mail.stripped().text) {
			require.True(t, utf8.ValidString(text))
		}
		for _, h := range mail.headers {
			require.True(t, utf8.ValidString(h.value))
		}
	})
}

// A query for events that is understood survives its way through a paging URL.
func FuzzEventQuery(f *testing.F) {
	f.Add("begin=1700000000&ascending=yes&event=stored", "abc")
	f.Add("begin=Fri%2C+20+Nov+2026+11%3A52%3A04+GMT&end=1&limit=300&subject=a+OR+NOT+b", "e30")
	now := time.Unix(1700000000, 0)
	f.Fuzz(func(t *testing.T, raw, page string) {
		if query, err := parseEventPage(page); err == nil {
			require.Positive(t, query.Limit)
		}
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		query, err := parseEventQuery(values, now)
		if err != nil {
			return
		}
		again, err := parseEventPage(query.page())
		require.NoError(t, err)
		if !strings.ContainsRune(fmt.Sprint(query.Filters), utf8.RuneError) {
			require.Equal(t, query, again)
		}
		eventEntry{at: now}.passes(query.Filters)
	})
}
