package idp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

const testUser = "acme+4512345678@sms.acme.example"

// testOutbox keeps what the identity provider sends.
type testOutbox struct {
	mu   sync.Mutex
	sent [][]byte
	from string
	to   []string
	err  error
}

func (o *testOutbox) send(_ context.Context, from string, to []string, mime []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent, o.from, o.to = append(o.sent, mime), from, to
	return o.err
}

// testClock is a clock that stands until it is moved.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

func openTest(t *testing.T) (*Server, *testOutbox, *testClock) {
	outbox, clock := &testOutbox{}, &testClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	idp, err := Open(Config{
		Name: "ACME", From: "root@acme.example", Send: outbox.send, Domain: "acme.example",
		Selector: "s1", Now: clock.Now,
	})
	require.NoError(t, err)
	t.Cleanup(idp.Close)
	return idp, outbox, clock
}

// browser opens links as a browser does, but shows redirects.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return browser{t, &http.Client{
		Jar: jar, Timeout: 5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// open returns the status, and the Location or else the page.
func (b browser) open(link string) (int, string) {
	b.t.Helper()
	response, err := b.client.Get(link)
	return b.read(response, err)
}

func (b browser) post(link string, form url.Values) (int, string) {
	b.t.Helper()
	response, err := b.client.PostForm(link, form)
	return b.read(response, err)
}

func (b browser) read(response *http.Response, err error) (int, string) {
	b.t.Helper()
	require.NoError(b.t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	if location := response.Header.Get("Location"); location != "" {
		return response.StatusCode, location
	}
	return response.StatusCode, string(page)
}

// signUp signs the user up and returns the link of the mail.
func signUp(t *testing.T, idp *Server, manners func(*Manners)) string {
	t.Helper()
	idp.Set(manners)
	require.NoError(t, idp.SignUp(t.Context(), testUser))
	mails := idp.Mails()
	return mails[len(mails)-1].Link
}

func TestConfigIsChecked(t *testing.T) {
	outbox := &testOutbox{}
	good := Config{Name: "ACME", From: "ACME <root@acme.example>", Send: outbox.send,
		Domain: "acme.example", Selector: "s1"}
	for name, spoil := range map[string]func(*Config){
		"name":     func(c *Config) { c.Name = "" },
		"from":     func(c *Config) { c.From = "ACME" },
		"send":     func(c *Config) { c.Send = nil },
		"domain":   func(c *Config) { c.Domain = "" },
		"selector": func(c *Config) { c.Selector = "" },
		"address":  func(c *Config) { c.Addr = "0.0.0.0:0" },
	} {
		config := good
		spoil(&config)
		_, err := Open(config)
		require.Error(t, err, name)
	}
	idp, err := Open(good)
	require.NoError(t, err)
	idp.Close()
}

func TestSignsUpOverHTTP(t *testing.T) {
	idp, outbox, _ := openTest(t)
	post := func(path, body string) (int, string) {
		response, err := http.Post(idp.URL()+path, "application/json", strings.NewReader(body))
		return newBrowser(t).read(response, err)
	}
	users := "/users?email=" + url.QueryEscape(testUser)
	status, _ := newBrowser(t).open(idp.URL() + users)
	require.Equal(t, 404, status)
	status, page := post("/dbconnections/signup", `{"email":"ACME+4512345678@sms.acme.example"}`)
	require.Equal(t, 200, status)
	require.Contains(t, page, `"email":"`+testUser+`","email_verified":false`)
	_, page = newBrowser(t).open(idp.URL() + users)
	require.JSONEq(t, `{"email":"`+testUser+`","email_verified":false}`, page)
	require.Equal(t, "root@acme.example", outbox.from)
	require.Equal(t, []string{testUser}, outbox.to)

	newBrowser(t).open(idp.Mails()[0].Link)
	_, page = newBrowser(t).open(idp.URL() + users)
	require.JSONEq(t, `{"email":"`+testUser+`","email_verified":true}`, page)

	for _, body := range []string{`{"email":"` + testUser + `"}`, `{"email":"nobody"}`, `{}`, `[`} {
		status, page = post("/dbconnections/signup", body)
		require.Equal(t, 400, status, body)
		require.Contains(t, page, "invalid_signup")
	}
	status, _ = post("/dbconnections/change_password", `{"email":"`+testUser+`"}`)
	require.Equal(t, 200, status)
	status, _ = post("/dbconnections/change_password", `{"email":"unknown@sms.acme.example"}`)
	require.Equal(t, 200, status, "nobody learns who has an account")
	require.Len(t, idp.Mails(), 2)
	require.ErrorIs(t, idp.ChangePassword(t.Context(), "unknown@sms.acme.example"), ErrUserUnknown)
	require.ErrorIs(t, idp.SignUp(t.Context(), testUser), ErrUserExists)
}

func TestReportsThatAMailWasNotSent(t *testing.T) {
	idp, outbox, _ := openTest(t)
	outbox.err = errors.New("no route")
	require.ErrorIs(t, idp.SignUp(t.Context(), testUser), outbox.err)
	require.Len(t, idp.Mails(), 1)
}

// parseMail checks the DKIM signature and returns the header, media type and decoded body, of
// several parts the last.
func parseMail(t *testing.T, idp *Server, raw []byte) (mail.Header, string, string) {
	t.Helper()
	verifications, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			require.Equal(t, "s1._domainkey.acme.example", name)
			return []string{idp.PublicKey()}, nil
		},
	})
	require.NoError(t, err)
	require.Len(t, verifications, 1)
	require.NoError(t, verifications[0].Err)
	require.Equal(t, "acme.example", verifications[0].Domain)

	reader, err := mail.CreateReader(bytes.NewReader(raw))
	require.NoError(t, err)
	var body []byte
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		body, err = io.ReadAll(part.Body)
		require.NoError(t, err)
	}
	media, _, err := reader.Header.ContentType()
	require.NoError(t, err)
	return reader.Header, media, string(body)
}

// hrefsOf returns the links of a page, decoded.
func hrefsOf(t *testing.T, page string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var hrefs []string
	for node := range root.Descendants() {
		for _, attribute := range node.Attr {
			if node.Data == "a" && attribute.Key == "href" {
				hrefs = append(hrefs, attribute.Val)
			}
		}
	}
	return hrefs
}

func TestMailIsRealMail(t *testing.T) {
	idp, outbox, clock := openTest(t)
	link := signUp(t, idp, func(*Manners) {})
	header, media, body := parseMail(t, idp, outbox.sent[0])
	require.Equal(t, "text/html", media)
	require.Equal(t, []string{link}, hrefsOf(t, body))
	require.Contains(t, body, "Welcome to ACME!")
	require.Contains(t, string(outbox.sent[0]), "Content-Transfer-Encoding: quoted-printable\r\n")
	require.Equal(t, bytes.Count(outbox.sent[0], []byte("\n")), bytes.Count(outbox.sent[0],
		[]byte("\r\n")))
	from, err := header.AddressList("From")
	require.NoError(t, err)
	require.Equal(t, []*mail.Address{{Name: "ACME", Address: "root@acme.example"}}, from)
	to, err := header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, testUser, to[0].Address)
	date, err := header.Date()
	require.NoError(t, err)
	require.True(t, date.Equal(clock.Now()))
	subject, err := header.Subject()
	require.NoError(t, err)
	require.Equal(t, "Verify your email", subject)
	id, err := header.MessageID()
	require.NoError(t, err)
	require.Regexp(t, `^\w{24}@acme\.example$`, id)

	tampered := bytes.Replace(outbox.sent[0], []byte("Welcome"), []byte("welcome"), 1)
	verifications, err := dkim.VerifyWithOptions(bytes.NewReader(tampered), &dkim.VerifyOptions{
		LookupTXT: func(string) ([]string, error) { return []string{idp.PublicKey()}, nil },
	})
	require.NoError(t, err)
	require.Error(t, verifications[0].Err)
}

func TestMailOnDemand(t *testing.T) {
	for name, c := range map[string]struct {
		manners func(*Manners)
		hosts   string // of the links in order; IDP for the identity provider
	}{
		"plain": {func(*Manners) {}, "IDP"},
		"extra": {func(m *Manners) { m.ExtraLinks = true },
			"IDP support.acme.example www.acme.example mail.acme.example"},
		"two":       {func(m *Manners) { m.TwoVerifyLinks = true }, "IDP IDP"},
		"tracking":  {func(m *Manners) { m.TrackingLink = true }, "click.mailtrack.example"},
		"form":      {func(m *Manners) { m.Provider = Auth0Universal }, "IDP"},
		"ampersand": {func(m *Manners) { m.Provider = Keycloak }, "IDP"},
	} {
		idp, outbox, _ := openTest(t)
		signUp(t, idp, c.manners)
		_, _, body := parseMail(t, idp, outbox.sent[0])
		var hosts []string
		for _, href := range hrefsOf(t, body) {
			u, err := url.Parse(href)
			require.NoError(t, err)
			hosts = append(hosts, strings.ReplaceAll(u.Host, idp.Host(), "IDP"))
		}
		require.Equal(t, c.hosts, strings.Join(hosts, " "), name)
	}

	idp, outbox, _ := openTest(t)
	link := signUp(t, idp, func(m *Manners) { m.TextOnly, m.Provider = true, Keycloak })
	_, media, body := parseMail(t, idp, outbox.sent[0])
	require.Equal(t, "text/plain", media)
	require.Contains(t, body, link+"\r\n")
}

func TestLinkShapes(t *testing.T) {
	for provider, shape := range map[Provider]string{
		Auth0Classic:     `^http://127\.0\.0\.1:\d+/lo/verify_email\?ticket=\w{32}#$`,
		Auth0ClassicPage: `^http://127\.0\.0\.1:\d+/lo/verify_email\?ticket=\w{32}#$`,
		Auth0Universal:   `^http://127\.0\.0\.1:\d+/u/email-verification\?ticket=\w{32}#$`,
		Keycloak: `^http://127\.0\.0\.1:\d+/realms/\w+/login-actions/action-token` +
			`\?key=eyJ[\w-]+\.eyJ[\w-]+\.\w+&client_id=account&tab_id=\w+$`,
	} {
		idp, _, _ := openTest(t)
		require.Regexp(t, regexp.MustCompile(shape), signUp(t, idp, func(m *Manners) {
			m.Provider = provider
		}))
	}
}

// Ensure that the history has the status also of a response that says none and so is 200.
func TestStatusThatIsNotSaid(t *testing.T) {
	idp, _, _ := openTest(t)
	idp.Set(func(m *Manners) { m.Provider = JHipster })
	require.NoError(t, idp.SignUp(t.Context(), testUser))
	_, key, _ := strings.Cut(idp.Mails()[0].Link, "key=")
	b := newBrowser(t)
	status, body := b.open(idp.URL() + "/api/activate?key=" + key)
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, body)
	require.Equal(t, http.StatusOK, idp.Requests()[0].Status)
}
