package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

const operatorPassword = "correct horse battery"

// operate gives a theater the pages for operators, with anna who may act. It returns their address.
func (th *theater) operate(t *testing.T) string {
	t.Helper()
	hash := exec.Command("smsbridge", "operator", "hash", "anna", "--role", "act")
	hash.Stdin = strings.NewReader(operatorPassword + "\n")
	entry, err := hash.Output()
	require.NoError(t, err)
	require.Contains(t, string(entry), ":2a:12:", "a person chose the password")
	addr, err := freeAddr()
	require.NoError(t, err)
	th.env["SMSBRIDGE_OPERATOR_ADDR"] = addr
	th.env["SMSBRIDGE_OPERATORS"] = strings.TrimSpace(string(entry))
	return "http://" + addr
}

// desk is what an operator does without a browser.
type desk struct {
	t      *testing.T
	url    string
	client *http.Client
	page   string
}

func (th *theater) desk(t *testing.T, url string) *desk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	d := &desk{t: t, url: url, client: &http.Client{Jar: jar}}
	d.get("/operator")
	require.Contains(t, d.press("/operator/login", "name", "anna", "password", operatorPassword),
		"<h1>Cases</h1>")
	return d
}

func (d *desk) read(res *http.Response, err error) string {
	d.t.Helper()
	require.NoError(d.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(d.t, err)
	d.page = html.UnescapeString(string(body))
	return d.page
}

func (d *desk) get(path string) string {
	d.t.Helper()
	return d.read(d.client.Get(d.url + path))
}

func (d *desk) press(path string, fields ...string) string {
	d.t.Helper()
	token := regexp.MustCompile(`name="token" value="([^"]*)"`).FindStringSubmatch(d.page)
	require.NotNil(d.t, token, d.page)
	form := url.Values{"token": {token[1]}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return d.read(d.client.PostForm(d.url+path, form))
}

// Ensure that an operator whose entry the command made sees a sign-up on the pages, from the real
// program. The public listener has no such pages.
//
//test:unwatched
func TestOperatorPages(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			th, err := openTheater(database(t))
			require.NoError(t, err)
			t.Cleanup(th.close)
			pages := th.operate(t)
			start(t, th)
			const phone = "+4520123456"
			ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
			defer cancel()
			require.NoError(t, th.idp.SignUp(ctx, address(phone)))
			_, err = th.twilio.Phone(phone).Wait(ctx, 1)
			require.NoError(t, err)
			d := th.desk(t, pages)
			require.Contains(t, d.page, "the person is asked")
			require.NotContains(t, d.page, phone)
			id := regexp.MustCompile(`href="/operator/cases/([0-9a-f-]{36})"`).FindStringSubmatch(d.page)
			require.NotNil(t, id)
			require.Contains(t, d.get("/operator/cases/"+id[1]), "a question about a new account is opened")
			require.NotContains(t, d.page, phone)
			require.Contains(t, d.press("/operator/cases/"+id[1]+"/phone"), phone)
			require.Contains(t, d.press("/operator/search", "for", phone), id[1])
			require.Contains(t, d.get("/operator/audit"), ">phone.show<")
			require.NotContains(t, d.page, phone)

			res, err := http.Get(th.public + "/operator")
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusNotFound, res.StatusCode)
		})
	}
}

// Ensure that an operator plays the whole loop with a phone of their own, on the real program: from
// a signed mail by text, YES and click to the outcome. The case tells each step, and the identity
// provider is never asked.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	pages := th.operate(t)
	start(t, th)
	const phone = "+4520123456"
	d := th.desk(t, pages)
	require.NotContains(t, d.get("/operator/try/rehearse"), "notice bad")
	d.press("/operator/try/rehearse", "tenant", "acme", "phone", phone)
	require.Contains(t, d.page, "The mail is posted")
	id := regexp.MustCompile(`data-live="/operator/cases/([0-9a-f-]{36})/live"`).FindStringSubmatch(
		d.page)
	require.NotNil(t, id, d.page)
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	_, err = th.twilio.Phone(phone).Wait(ctx, 1)
	require.NoError(t, err)
	_, err = th.twilio.Phone(phone).ReplyTo(ctx, "+15005550006", "YES")
	require.NoError(t, err)
	texts, err := th.twilio.Phone(phone).Wait(ctx, 2)
	require.NoError(t, err)
	require.Contains(t, texts[1].Body, "din konto er bekræftet", "in the language of the country")
	story := d.get("/operator/cases/" + id[1])
	for _, said := range []string{"its sender is proved: rehearsal@rehearsal.invalid",
		"the link of the rehearsal was opened", "step 1, GET 127.0.0.1", "confirmed"} {
		require.Contains(t, story, said)
	}
	require.Empty(t, th.idp.Requests(), "nothing of the identity provider was opened")
	require.NotContains(t, story, phone[1:])
	require.NotContains(t, story, "ticket")
	require.Contains(t, d.get("/operator/audit"), ">rehearse<")
}

// Ensure that a password that is too short gets no entry, and that nothing repeats it.
func TestOperatorHashRefuses(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	hash := exec.Command("smsbridge", "operator", "hash", "anna")
	hash.Stdin, hash.Stderr = strings.NewReader("tiny-word\n"), &said
	printed, err := hash.Output()
	require.Error(t, err)
	require.Empty(t, printed)
	require.Contains(t, said.String(), "fewer than 12 characters")
	require.Contains(t, said.String(), "hint: ")
	require.NotContains(t, said.String(), "tiny-word")
}

// Ensure that the demo has the pages for operators, and says how to log in.
//
//test:unwatched
func TestDemoHasOperatorPages(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	demo := startDemo(t, "--addr", "127.0.0.1:0")
	said := regexp.MustCompile(`at (http://127\.0\.0\.1:\d+)/operator: log in as (\w+), with the ` +
		`password (\w+)\.`).FindStringSubmatch(demo.stdout)
	require.NotNil(t, said, demo.stdout)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	d := &desk{t: t, url: said[1], client: &http.Client{Jar: jar}}
	d.get("/operator")
	d.press("/operator/login", "name", said[2], "password", said[3])
	require.Contains(t, d.page, "<h1>Cases</h1>")
	require.Contains(t, d.page, "(act)")
	res, err := http.Get(demo.page)
	require.Contains(t, d.read(res, err), said[1]+"/operator")
	require.Contains(t, d.page, said[3])
}
