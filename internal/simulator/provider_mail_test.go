package simulator

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

// idpTestParts returns the decoded parts of a mail by media type.
func idpTestParts(t *testing.T, raw []byte) map[string]string {
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

func TestIdPProviderMails(t *testing.T) {
	for _, name := range IdPProviders() {
		t.Run(string(name), func(t *testing.T) {
			idp, _, m := idpTestMail(t, name)
			idpParseMail(t, idp, m.MIME)
			parts := idpTestParts(t, m.MIME)
			letter := idp.provider(name).letter
			require.Equal(t, letter.Parts != idpTextPart, parts["text/html"] != "")
			require.Equal(t, letter.Parts != idpHTMLPart, parts["text/plain"] != "")
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
					require.Equal(t, m.Link, idpHrefs(t, body)[0])
				} else {
					require.Contains(t, strings.ReplaceAll(body, "&amp;", "&"), "\n"+m.Link+"\n")
				}
			}
		})
	}
}

func TestIdPProviderMailTraits(t *testing.T) {
	parts := func(name IdPProvider) (text, page string, m IdPMail) {
		_, _, m = idpTestMail(t, name)
		p := idpTestParts(t, m.MIME)
		return p["text/plain"], p["text/html"], m
	}
	_, page, m := parts(IdPAuth0Classic)
	require.True(t, strings.HasSuffix(m.Link, "#"))
	require.NotContains(t, page, m.Link+"<", "the URL is not shown")

	_, page, m = parts(IdPAuthentik)
	script := regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`).FindStringSubmatch(page)
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
	require.Equal(t, []string{m.Link, "https://www.authentik.example/?utm_source=email"}, idpHrefs(t, page))
	require.Contains(t, page, "<br>"+m.Link+"</p>")

	_, page, _ = parts(IdPHasura)
	require.Contains(t, page, "<!--[if mso]><v:roundrect ")
	require.Contains(t, page, "type=emailVerify&amp;redirectTo=")
	require.Contains(t, page, "www.Nhost.example")
	text, _, m := parts(IdPClerk)
	require.Contains(t, text, "\n"+strings.ReplaceAll(m.Link, "&", "&amp;")+"\n")
	_, page, _ = parts(IdPSuperTokens)
	require.Contains(t, idpHrefs(t, page), "mailto:help@acme.example")
	_, page, m = parts(IdPKratosLink)
	require.Contains(t, strings.ReplaceAll(page, "&amp;", "&"), ">"+m.Link+"</a>", "the URL is the anchor's words")
	text, page, m = parts(IdPRauthy)
	require.Len(t, idpHrefs(t, page), 2)
	require.Contains(t, text, "/auth/v1/users/request_reset")
	require.Equal(t, "reset", m.Purpose)
	_, page, _ = parts(IdPZitadelV1)
	require.Len(t, idpHrefs(t, page), 2)
	_, _, m = parts(IdPPocketBase)
	u, err := url.Parse(m.Link)
	require.NoError(t, err)
	require.Equal(t, "/_/", u.Path)
	require.Regexp(t, `^/auth/confirm-verification/[\w-]+\.[\w-]+\.\w+$`, u.Fragment)
	_, page, m = parts(IdPNotice)
	require.Equal(t, []string{"https://www.newsletter.example/?utm_source=email"}, idpHrefs(t, page))
	require.Empty(t, m.Code+m.Link)

	for name, code := range map[IdPProvider]string{
		IdPAuth0Code: `^\d{6}$`, IdPEntraCode: `^\d{8}$`, IdPKratosCode: `^\d{6}$`, IdPOkta: `^\d{6}$`, IdPZitadelV1: `^[A-Z2-7]{6}$`,
	} {
		_, _, m = parts(name)
		require.Regexp(t, code, m.Code, name)
	}
}

func TestIdPProviderMailsWithManners(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	idpSignUp(t, idp, func(m *IdPManners) {
		m.Provider, m.TextOnly, m.ExtraLinks, m.TrackingLink = IdPAuthentik, true, true, true
	})
	m := idp.Mails()[0]
	parts := idpTestParts(t, m.MIME)
	require.Len(t, parts, 1)
	require.Contains(t, parts["text/plain"], "https://click.mailtrack.example/ls/click?upn=")
	require.Contains(t, parts["text/plain"], "support.acme.example")
	require.NotContains(t, parts["text/plain"], m.Link)
}

// A link that is mailed keeps its kind when the provider is changed, and links of one path are told apart.
func TestIdPProviderChanges(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	users := map[IdPProvider]string{}
	for _, name := range []IdPProvider{IdPFusionAuth, IdPFusionAuthGet, IdPOkta, IdPGoTrue, IdPGoTrueMagicLink, IdPKratosLink, IdPKratosCode} {
		idp.Set(func(m *IdPManners) { m.Provider = name })
		users[name] = string(name) + "@sms.acme.example"
		require.NoError(t, idp.SignUp(t.Context(), users[name]))
	}
	idp.Set(func(m *IdPManners) { m.Provider = IdPNotice })
	for _, m := range idp.Mails() {
		client := idpTestClients[m.Provider]
		require.Contains(t, client.redeem(newIdPBrowser(t), idp, m), client.first, m.Provider)
		require.Equal(t, m.Purpose == "verify", idp.Verified(users[m.Provider]), m.Provider)
	}
}
