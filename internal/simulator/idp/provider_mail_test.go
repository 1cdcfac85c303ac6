package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-message/mail"
	"github.com/stretchr/testify/require"
)

// testParts returns the decoded parts of a mail by media type.
func testParts(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	reader, err := mail.CreateReader(bytes.NewReader(raw))
	require.NoError(t, err)
	parts := make(map[string]string)
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		require.NoError(t, err)
		body, err := io.ReadAll(part.Body)
		require.NoError(t, err)
		media, _, err := part.Header.(*mail.InlineHeader).ContentType()
		require.NoError(t, err)
		parts[media] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
}

func TestProviderMails(t *testing.T) {
	for _, name := range Providers() {
		t.Run(string(name), func(t *testing.T) {
			idp, _, m := testMail(t, name)
			parseMail(t, idp, m.MIME)
			parts := testParts(t, m.MIME)
			letter := idp.provider(name).style
			require.Equal(t, letter.Parts != textPart, parts["text/html"] != "")
			require.Equal(t, letter.Parts != htmlPart, parts["text/plain"] != "")
			require.NotContains(t, string(m.MIME), "{name}")
			require.NotContains(t, m.Link, "{")
			require.Equal(t, m.Purpose == "code" || m.Purpose == "notice", m.Link == "")
			require.Equal(t, m.Purpose == "code", m.Code != "" && m.Link == "")
			for media, body := range parts {
				require.Contains(t, body, m.Code)
				if m.Link == "" {
					continue
				}
				if media == "text/html" {
					require.Equal(t, m.Link, hrefsOf(t, body)[0])
				} else {
					require.Contains(t, strings.ReplaceAll(body, "&amp;", "&"), "\n"+m.Link+"\n")
				}
			}
		})
	}
}

func TestProviderMailTraits(t *testing.T) {
	parts := func(name Provider) (text, page string, m Mail) {
		_, _, m = testMail(t, name)
		p := testParts(t, m.MIME)
		return p["text/plain"], p["text/html"], m
	}
	_, page, m := parts(Auth0Classic)
	require.True(t, strings.HasSuffix(m.Link, "#"))
	require.NotContains(t, page, m.Link+"<", "the URL is not shown")

	_, page, m = parts(Authentik)
	script := regexp.MustCompile(
		`(?s)<script type="application/ld\+json">(.*?)</script>`).FindStringSubmatch(page)
	require.NotNil(t, script)
	var action struct {
		PotentialAction struct {
			Type    string `json:"@type"`
			Handler struct{ URL string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(script[1]), &action))
	require.Equal(t, "ConfirmAction", action.PotentialAction.Type)
	require.Equal(t, m.Link, action.PotentialAction.Handler.URL)
	require.Equal(t, []string{m.Link, "https://www.authentik.example/?utm_source=email"}, hrefsOf(t,
		page))
	require.Contains(t, page, "<br>"+m.Link+"</p>")

	_, page, _ = parts(Hasura)
	require.Contains(t, page, "<!--[if mso]><v:roundrect ")
	require.Contains(t, page, "type=emailVerify&amp;redirectTo=")
	require.Contains(t, page, "www.Nhost.example")
	text, _, m := parts(Clerk)
	require.Contains(t, text, "\n"+strings.ReplaceAll(m.Link, "&", "&amp;")+"\n")
	_, page, _ = parts(SuperTokens)
	require.Contains(t, hrefsOf(t, page), "mailto:help@acme.example")
	_, page, m = parts(KratosLink)
	require.Contains(t, strings.ReplaceAll(page, "&amp;", "&"), ">"+m.Link+"</a>",
		"the URL is the anchor's words")
	text, page, m = parts(Rauthy)
	require.Len(t, hrefsOf(t, page), 2)
	require.Contains(t, text, "/auth/v1/users/request_reset")
	require.Equal(t, "reset", m.Purpose)
	_, page, _ = parts(ZitadelV1)
	require.Len(t, hrefsOf(t, page), 2)
	_, _, m = parts(PocketBase)
	u, err := url.Parse(m.Link)
	require.NoError(t, err)
	require.Equal(t, "/_/", u.Path)
	require.Regexp(t, `^/auth/confirm-verification/[\w-]+\.[\w-]+\.\w+$`, u.Fragment)
	_, page, m = parts(Notice)
	require.Equal(t, []string{"https://www.newsletter.example/?utm_source=email"}, hrefsOf(t, page))
	require.Empty(t, m.Code+m.Link)

	for name, code := range map[Provider]string{
		Auth0Code: `^\d{6}$`, EntraCode: `^\d{8}$`, KratosCode: `^\d{6}$`, Okta: `^\d{6}$`,
		ZitadelV1: `^[A-Z2-7]{6}$`,
	} {
		_, _, m = parts(name)
		require.Regexp(t, code, m.Code, name)
	}
}

func TestProviderMailsWithManners(t *testing.T) {
	idp, _, _ := openTest(t)
	signUp(t, idp, func(m *Manners) {
		m.Provider, m.TextOnly, m.ExtraLinks, m.TrackingLink = Authentik, true, true, true
	})
	m := idp.Mails()[0]
	parts := testParts(t, m.MIME)
	require.Len(t, parts, 1)
	require.Contains(t, parts["text/plain"], "https://click.mailtrack.example/ls/click?upn=")
	require.Contains(t, parts["text/plain"], "support.acme.example")
	require.NotContains(t, parts["text/plain"], m.Link)
}

// A link that is mailed keeps its kind when the provider is changed, and links of one path are
// told apart.
func TestProviderChanges(t *testing.T) {
	idp, _, _ := openTest(t)
	users := map[Provider]string{}
	for _, name := range []Provider{FusionAuth, FusionAuthGet, Okta, GoTrue, GoTrueMagicLink,
		KratosLink, KratosCode} {
		idp.Set(func(m *Manners) { m.Provider = name })
		users[name] = string(name) + "@sms.acme.example"
		require.NoError(t, idp.SignUp(t.Context(), users[name]))
	}
	idp.Set(func(m *Manners) { m.Provider = Notice })
	for _, m := range idp.Mails() {
		client := testClients[m.Provider]
		require.Contains(t, client.redeem(newBrowser(t), idp, m), client.first, m.Provider)
		require.Equal(t, m.Purpose == "verify", idp.Verified(users[m.Provider]), m.Provider)
	}
}
