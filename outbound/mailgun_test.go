package outbound

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailgun/mailgun-go/v4"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/tenant"
)

// The mock of mailgun-go's makers ignores filters and times and lists events of every kind, over
// several pages.
func TestSearchStoredAtAnotherMailgun(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	mock := mailgun.NewMockServer()
	defer mock.Stop()
	settings, err := tenant.FromEnv(w.environ(keepMailgun, "MAILGUN_API_BASE="+mock.URL()))
	require.NoError(t, err)
	w.Settings = settings
	require.Greater(t, len(mock.Events()), 10)
	asked := 0
	count := func(stored) bool { asked++; return true }
	_, err = w.searchStored(t.Context(), w.tenant(), w.phone(phone), time.Time{}, w.clock(), count)
	require.ErrorIs(t, err, errGone)
	require.Zero(t, asked, "none of its mails is for the phone")
}

// Ensure that a list of events that never ends is left, and that Mailgun's word for what is
// recent enough is not taken.
func TestSearchStoredEnds(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	pages := 0
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		pages++
		fmt.Fprintf(rw, `{"items":[{"event":"stored","id":"%d","timestamp":1700000000.5,`+
			`"message":{"recipients":["%s"]},"storage":{"url":"x"}}],`+
			`"paging":{"next":"%s/v3/x/events/%d"}}`,
			pages, address, server.URL, pages)
	}))
	defer server.Close()
	settings, err := tenant.FromEnv(w.environ(keepMailgun, "MAILGUN_API_BASE="+server.URL))
	require.NoError(t, err)
	w.Settings = settings
	_, err = w.searchStored(t.Context(), w.tenant(), w.phone(phone), time.Unix(
		1_700_000_001, 0,
	), w.clock(), func(stored) bool {
		return true
	})
	require.ErrorIs(t, err, errGone)
	require.Equal(t, maxEventPages, pages)
}

// Ensure that the account's key goes nowhere but to the tenant's API base: neither to what a page
// names as the next one, nor after a redirect.
func TestSearchStoredKeepsTheKey(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(rw, `{"items":[],"paging":{}}`)
	}))
	defer other.Close()
	var answer http.HandlerFunc
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		user, key, _ := r.BasicAuth()
		require.Equal(t, []string{"api", w.gun.APIKey()}, []string{user, key})
		answer(rw, r)
	}))
	defer server.Close()
	settings, err := tenant.FromEnv(w.environ(keepMailgun, "MAILGUN_API_BASE="+server.URL))
	require.NoError(t, err)
	w.Settings = settings
	search := func() error {
		_, err := w.searchStored(t.Context(), w.tenant(), w.phone(phone), time.Unix(
			1_700_000_000, 0,
		), w.clock(), func(stored) bool { return true })
		return err
	}
	for _, next := range []string{
		other.URL + "/v3/d/events/x", strings.Replace(other.URL, "//", "//"+server.URL[7:]+"@", 1) +
			"/v3/d/events/x", strings.Replace(server.URL, "//", "//a:b@", 1) + "/v3/d/events/x",
		server.URL + "/v4/x", "/v3/d/events/x", "", ":",
	} {
		pages := 0
		answer = func(rw http.ResponseWriter, _ *http.Request) {
			pages++
			fmt.Fprintf(rw, `{"items":[{"event":"accepted"}],"paging":{"next":%q}}`, next)
		}
		require.EqualError(t, search(), "mailgun: the next page of events is not at the API base", next)
		require.Equal(t, 1, pages, next)
	}
	answer = func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, other.URL+"/v3/d/events/x", http.StatusFound)
	}
	require.EqualError(t, search(), "mailgun: the events cannot be read, status 302")
	require.Zero(t, asked)
}

// Ensure that what is no page of events is an error, not an empty list: the mail may be there.
func TestSearchStoredNeedsAPage(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, answer)
	}))
	defer server.Close()
	settings, err := tenant.FromEnv(w.environ(keepMailgun, "MAILGUN_API_BASE="+server.URL))
	require.NoError(t, err)
	w.Settings = settings
	for _, answer = range []string{"", "<html>", "[]", `{"items":{}}`, `{"items":[{"timestamp":"x"}]}`,
		`{"items":[{"message":{"recipients":"a"}}]}`, strings.Repeat(" ", maxStored) + "{}"} {
		_, err := w.searchStored(t.Context(), w.tenant(), w.phone(phone), time.Time{}, w.clock(),
			func(stored) bool { return true })
		require.Error(t, err)
		require.NotErrorIs(t, err, errGone)
		require.NotContains(t, err.Error(), server.URL)
	}
}

// A stored mail has its own headers beside Mailgun's fields, and the writer of the mail chose
// those.
func TestFetchStored(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		user, key, _ := r.BasicAuth()
		if user != "api" || key != w.gun.APIKey() {
			rw.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(rw, answer)
	}))
	defer server.Close()
	settings, err := tenant.FromEnv(w.environ(
		keepMailgun, "SMSBRIDGE_SENDER_VERIFY=off", "MAILGUN_API_BASE="+server.URL,
	))
	require.NoError(t, err)
	w.Settings = settings
	n, to := w.phone(phone), `"Message-Id":"<1@idp>","recipients":"`+address+`"`
	m := mail.Mail{Phone: n, Recipient: address, MessageID: "1@idp"}
	for give, want := range map[string]mail.Body{
		`{"subject":"s","from":"f","body-plain":"p","body-html":"h"}`: {
			Subject: "s", From: "f", Text: "p", HTML: "h",
		},
		`{"subject":"s","Subject":"evil","from":"f","FROM":"evil",` +
			`"body-html":"h","Body-Html":"e","body-plain":""}`: {
			Subject: "s", From: "f", HTML: "h",
		},
		`{"body-html":["a","b"],"body-plain":7,"subject":null,"from":{"x":1}}`: {
			HTML: "a\nb",
		},
		`{"Subject":"evil"}`: {},
		`{}`:                 {},
	} {
		answer = strings.Replace("{"+to+","+give[1:], ",}", "}", 1)
		got, err := w.fetchStored(t.Context(), w.tenant(), m, server.URL+"/v3/domains/x/messages/y")
		require.NoError(t, err, give)
		require.Equal(t, want, got, give)
	}
	for name, give := range map[string]string{
		"another recipient":   `"Message-Id":"<1@idp>","recipients":"acme+4520123457@sms.acme.example"`,
		"another spelling":    `"Message-Id":"<1@idp>","recipients":"Acme+4520123456@sms.acme.example"`,
		"another mail":        `"Message-Id":"<2@idp>","recipients":"` + address + `"`,
		"a header's word":     `"Message-Id":"<1@idp>","Recipients":"` + address + `"`,
		"no recipient":        `"Message-Id":"<1@idp>"`,
		"no Message-Id":       `"recipients":"` + address + `"`,
		"nothing it is about": `"subject":"s"`,
	} {
		answer = `{"body-plain":"p",` + give + `}`
		_, err := w.fetchStored(t.Context(), w.tenant(), m, server.URL+"/v3/domains/x/messages/y")
		require.ErrorIs(t, err, errOther, name)
	}
	answer = `{"body-plain":"p","Message-Id":"<1@idp>","recipients":"x@y.z, ` +
		strings.Replace(address, "sms.acme", "SMS.Acme", 1) + `"}`
	got, err := w.fetchStored(t.Context(), w.tenant(), m, server.URL+"/v3/domains/x/messages/y")
	require.NoError(t, err)
	require.Equal(t, "p", got.Text)
	long := `{"subject":"` + strings.Repeat("x", maxStored) + `"}`
	for _, give := range []string{"", "[]", "<html>", `"x"`, long} {
		answer = give
		_, err := w.fetchStored(t.Context(), w.tenant(), m, server.URL+"/v3/domains/x/messages/y")
		require.Error(t, err)
		require.NotContains(t, err.Error(), server.URL)
	}
	server.Close()
	_, err = w.fetchStored(t.Context(), w.tenant(), m, server.URL+"/v3/domains/x/messages/y")
	require.EqualError(t, err, "mailgun: no answer")
}

// Ensure that a mail is fetched from where its webhook said it is, without a look at Mailgun's
// events: these may come late.
func TestFetchMailFromItsURL(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		fmt.Fprint(rw, `{"subject":"s","Message-Id":"<1@idp>","recipients":"`+address+`"}`)
	}))
	defer server.Close()
	settings, err := tenant.FromEnv(w.environ(
		keepMailgun, "SMSBRIDGE_SENDER_VERIFY=off", "MAILGUN_API_BASE="+server.URL,
	))
	require.NoError(t, err)
	w.Settings = settings
	body, err := w.fetchMail(t.Context(), settings.Tenants.All()[0], mail.Mail{
		Phone: w.phone(phone), Recipient: address, MessageID: "1@idp",
		MessageURL: server.URL + "/v3/domains/sms.acme.example/messages/1",
	}, w.clock())
	require.NoError(t, err)
	require.Equal(t, "s", body.Subject)
	require.Equal(t, []string{"/v3/domains/sms.acme.example/messages/1"}, asked)
}
