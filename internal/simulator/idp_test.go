package simulator

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

const idpTestUser = "acme+4512345678@sms.acme.example"

// idpTestOutbox keeps what the identity provider sends.
type idpTestOutbox struct {
	mu   sync.Mutex
	sent [][]byte
	from string
	to   []string
	err  error
}

func (o *idpTestOutbox) send(_ context.Context, from string, to []string, mime []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent, o.from, o.to = append(o.sent, mime), from, to
	return o.err
}

// idpTestClock is a clock that stands until it is moved.
type idpTestClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *idpTestClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *idpTestClock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

func openTestIdP(t *testing.T) (*IdP, *idpTestOutbox, *idpTestClock) {
	outbox, clock := &idpTestOutbox{}, &idpTestClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	idp, err := OpenIdP(IdPConfig{
		Name: "ACME", From: "root@acme.example", Send: outbox.send, Domain: "acme.example", Selector: "s1", Now: clock.Now,
	})
	require.NoError(t, err)
	t.Cleanup(idp.Close)
	return idp, outbox, clock
}

// idpBrowser opens links as a browser does, but shows redirects.
type idpBrowser struct {
	t      *testing.T
	client *http.Client
}

func newIdPBrowser(t *testing.T) idpBrowser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return idpBrowser{t, &http.Client{
		Jar: jar, Timeout: 5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// open returns the status, and the Location or else the page.
func (b idpBrowser) open(link string) (int, string) {
	b.t.Helper()
	response, err := b.client.Get(link)
	return b.read(response, err)
}

func (b idpBrowser) post(link string, form url.Values) (int, string) {
	b.t.Helper()
	response, err := b.client.PostForm(link, form)
	return b.read(response, err)
}

func (b idpBrowser) read(response *http.Response, err error) (int, string) {
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

// idpSignUp signs the user up and returns the link of the mail.
func idpSignUp(t *testing.T, idp *IdP, manners func(*IdPManners)) string {
	t.Helper()
	idp.Set(manners)
	require.NoError(t, idp.SignUp(t.Context(), idpTestUser))
	mails := idp.Mails()
	return mails[len(mails)-1].Link
}

func TestIdPConfigIsChecked(t *testing.T) {
	outbox := &idpTestOutbox{}
	good := IdPConfig{Name: "ACME", From: "ACME <root@acme.example>", Send: outbox.send, Domain: "acme.example", Selector: "s1"}
	for name, spoil := range map[string]func(*IdPConfig){
		"name":     func(c *IdPConfig) { c.Name = "" },
		"from":     func(c *IdPConfig) { c.From = "ACME" },
		"send":     func(c *IdPConfig) { c.Send = nil },
		"domain":   func(c *IdPConfig) { c.Domain = "" },
		"selector": func(c *IdPConfig) { c.Selector = "" },
		"address":  func(c *IdPConfig) { c.Addr = "0.0.0.0:0" },
	} {
		config := good
		spoil(&config)
		_, err := OpenIdP(config)
		require.Error(t, err, name)
	}
	idp, err := OpenIdP(good)
	require.NoError(t, err)
	idp.Close()
}

func TestIdPSignsUpOverHTTP(t *testing.T) {
	idp, outbox, _ := openTestIdP(t)
	post := func(path, body string) (int, string) {
		response, err := http.Post(idp.URL()+path, "application/json", strings.NewReader(body))
		return newIdPBrowser(t).read(response, err)
	}
	users := "/users?email=" + url.QueryEscape(idpTestUser)
	status, _ := newIdPBrowser(t).open(idp.URL() + users)
	require.Equal(t, 404, status)
	status, page := post("/dbconnections/signup", `{"email":"ACME+4512345678@sms.acme.example"}`)
	require.Equal(t, 200, status)
	require.Contains(t, page, `"email":"`+idpTestUser+`","email_verified":false`)
	_, page = newIdPBrowser(t).open(idp.URL() + users)
	require.JSONEq(t, `{"email":"`+idpTestUser+`","email_verified":false}`, page)
	require.Equal(t, "root@acme.example", outbox.from)
	require.Equal(t, []string{idpTestUser}, outbox.to)

	newIdPBrowser(t).open(idp.Mails()[0].Link)
	_, page = newIdPBrowser(t).open(idp.URL() + users)
	require.JSONEq(t, `{"email":"`+idpTestUser+`","email_verified":true}`, page)

	for _, body := range []string{`{"email":"` + idpTestUser + `"}`, `{"email":"nobody"}`, `{}`, `[`} {
		status, page = post("/dbconnections/signup", body)
		require.Equal(t, 400, status, body)
		require.Contains(t, page, "invalid_signup")
	}
	status, _ = post("/dbconnections/change_password", `{"email":"`+idpTestUser+`"}`)
	require.Equal(t, 200, status)
	status, _ = post("/dbconnections/change_password", `{"email":"unknown@sms.acme.example"}`)
	require.Equal(t, 200, status, "nobody learns who has an account")
	require.Len(t, idp.Mails(), 2)
	require.ErrorIs(t, idp.ChangePassword(t.Context(), "unknown@sms.acme.example"), ErrIdPUserUnknown)
	require.ErrorIs(t, idp.SignUp(t.Context(), idpTestUser), ErrIdPUserExists)
}

func TestIdPReportsThatAMailWasNotSent(t *testing.T) {
	idp, outbox, _ := openTestIdP(t)
	outbox.err = errors.New("no route")
	require.ErrorIs(t, idp.SignUp(t.Context(), idpTestUser), outbox.err)
	require.Len(t, idp.Mails(), 1)
}

// idpParseMail checks the DKIM signature and returns the header, media type and decoded body, of several parts the last.
func idpParseMail(t *testing.T, idp *IdP, raw []byte) (mail.Header, string, string) {
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

// idpHrefs returns the links of a page, decoded.
func idpHrefs(t *testing.T, page string) []string {
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

func TestIdPMailIsRealMail(t *testing.T) {
	idp, outbox, clock := openTestIdP(t)
	link := idpSignUp(t, idp, func(*IdPManners) {})
	header, media, body := idpParseMail(t, idp, outbox.sent[0])
	require.Equal(t, "text/html", media)
	require.Equal(t, []string{link}, idpHrefs(t, body))
	require.Contains(t, body, "Welcome to ACME!")
	require.Contains(t, string(outbox.sent[0]), "Content-Transfer-Encoding: quoted-printable\r\n")
	require.Equal(t, bytes.Count(outbox.sent[0], []byte("\n")), bytes.Count(outbox.sent[0], []byte("\r\n")))
	from, err := header.AddressList("From")
	require.NoError(t, err)
	require.Equal(t, []*mail.Address{{Name: "ACME", Address: "root@acme.example"}}, from)
	to, err := header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, idpTestUser, to[0].Address)
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

func TestIdPMailOnDemand(t *testing.T) {
	for name, c := range map[string]struct {
		manners func(*IdPManners)
		hosts   string // of the links in order; IDP for the identity provider
	}{
		"plain":     {func(*IdPManners) {}, "IDP"},
		"extra":     {func(m *IdPManners) { m.ExtraLinks = true }, "IDP support.acme.example www.acme.example mail.acme.example"},
		"two":       {func(m *IdPManners) { m.TwoVerifyLinks = true }, "IDP IDP"},
		"tracking":  {func(m *IdPManners) { m.TrackingLink = true }, "click.mailtrack.example"},
		"form":      {func(m *IdPManners) { m.Provider = IdPAuth0Universal }, "IDP"},
		"ampersand": {func(m *IdPManners) { m.Provider = IdPKeycloak }, "IDP"},
	} {
		idp, outbox, _ := openTestIdP(t)
		idpSignUp(t, idp, c.manners)
		_, _, body := idpParseMail(t, idp, outbox.sent[0])
		var hosts []string
		for _, href := range idpHrefs(t, body) {
			u, err := url.Parse(href)
			require.NoError(t, err)
			hosts = append(hosts, strings.ReplaceAll(u.Host, idp.Host(), "IDP"))
		}
		require.Equal(t, c.hosts, strings.Join(hosts, " "), name)
	}

	idp, outbox, _ := openTestIdP(t)
	link := idpSignUp(t, idp, func(m *IdPManners) { m.TextOnly, m.Provider = true, IdPKeycloak })
	_, media, body := idpParseMail(t, idp, outbox.sent[0])
	require.Equal(t, "text/plain", media)
	require.Contains(t, body, link+"\r\n")
}

func TestIdPLinkShapes(t *testing.T) {
	for answer, shape := range map[IdPProvider]string{
		IdPAuth0Classic:     `^http://127\.0\.0\.1:\d+/lo/verify_email\?ticket=\w{32}#$`,
		IdPAuth0ClassicPage: `^http://127\.0\.0\.1:\d+/lo/verify_email\?ticket=\w{32}#$`,
		IdPAuth0Universal:   `^http://127\.0\.0\.1:\d+/u/email-verification\?ticket=\w{32}#$`,
		IdPKeycloak:         `^http://127\.0\.0\.1:\d+/realms/\w+/login-actions/action-token\?key=eyJ[\w-]+\.eyJ[\w-]+\.\w+&client_id=account&tab_id=\w+$`,
	} {
		idp, _, _ := openTestIdP(t)
		require.Regexp(t, regexp.MustCompile(shape), idpSignUp(t, idp, func(m *IdPManners) { m.Provider = answer }))
	}
}
