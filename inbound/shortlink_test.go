package inbound_test

import (
	"context"
	"html/template"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// page requests the page of a short link and does not follow redirects.
func (b *bridge) page(t *testing.T, method, token string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.URL+"/l/"+token, nil)
	require.NoError(t, err)
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func (b *bridge) shorten(t *testing.T, l shortlink.Link) (token string) {
	t.Helper()
	l.Tenant, l.Expires = "acme", b.Now.Add(10*time.Minute)
	require.NoError(t, b.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		token, err = shortlink.Make(ctx, tx, l)
		return err
	}))
	return token
}

// Ensure that looking at the page of a question changes nothing, however often. Its button accepts
// the question once, and the page then says how it goes.
func TestShortLinkOfQuestion(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		token := b.shorten(t, shortlink.Link{ChallengeID: id})
		require.Len(t, token, shortlink.Length)
		require.Zero(
			t,
			b.Count(t, "short_link", "id = '"+token+"'"),
			"the database has the token's hash only",
		)
		for _, method := range []string{
			http.MethodGet, http.MethodHead, http.MethodGet, http.MethodHead,
		} {
			res, body := b.page(t, method, token)
			require.Equal(t, http.StatusOK, res.StatusCode)
			if method == http.MethodGet {
				require.Contains(t, body, "<button")
				require.Contains(t, body, "<h1>ACME</h1>")
				require.NotContains(t, body, "ticket")
			}
			require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
			require.Equal(t, "same-origin", res.Header.Get("Referrer-Policy"))
			require.Equal(
				t,
				"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "+
					"form-action 'self'",
				res.Header.Get("Content-Security-Policy"),
			)
		}
		require.Equal(t, "open", b.State(t, "challenge", id))

		for range 3 {
			res, _ := b.page(t, http.MethodPost, token)
			require.Equal(t, http.StatusSeeOther, res.StatusCode)
			require.Equal(t, token, res.Header.Get("Location"), "back to the page")
			require.Equal(t, "accepted", b.State(t, "challenge", id))
		}
		require.Equal(t, 1, b.Count(t, "river_job", "kind = 'click_link'"))
		_, body := b.page(t, http.MethodGet, token)
		require.Contains(t, body, `http-equiv="refresh"`)
		require.NotContains(t, body, "<button")

		b.finish(t, id)
		_, body = b.page(t, http.MethodGet, token)
		require.Contains(t, body, "ACME: your account is confirmed.")
		require.NotContains(t, body, "refresh")
		log := b.Log.Take()
		require.NotContains(t, log, token)
		require.Contains(t, log, `"msg":"short link","tenant":"acme","case":"`+id+
			`","phone":"+45******56","status":303`)
	})
}

// Ensure that the button of a tenant that was taken out of the settings accepts no question, and
// leads nowhere.
func TestShortLinkOfARemovedTenant(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		asks := b.shorten(t, shortlink.Link{ChallengeID: id})
		leads := b.shorten(t, shortlink.Link{URL: secretLink})
		b.Change(func(s *inbound.Server) { s.Settings.Tenants = tenant.Set{} })
		for _, token := range []string{asks, leads} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				res, _ := b.page(t, method, token)
				require.Equal(t, http.StatusGone, res.StatusCode, method)
				require.Empty(t, res.Header.Get("Location"))
			}
		}
		require.Equal(t, "open", b.State(t, "challenge", id))
		require.Zero(t, b.Count(t, "river_job", "kind = 'click_link'"))
	})
}

// finish clicks for the phone.
func (b *bridge) finish(t *testing.T, id string) {
	t.Helper()
	require.NoError(t, b.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		c, due, err := challenge.BeginClick(ctx, tx, id)
		if err != nil || !due {
			t.Error("there is nothing to click", err)
			return err
		}
		return challenge.Finish(ctx, tx, nil, c, challenge.OutcomeConfirmed)
	}))
}

// Ensure that the page of a question asks until the deadline, and says from then on that it is
// over. No worker needs to have recorded the end. The button accepts nothing any more.
func TestShortLinkAfterItsQuestion(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		var token string
		require.NoError(t, b.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
			token, err = shortlink.Make(ctx, tx, shortlink.Link{
				Tenant: "acme", ChallengeID: id, Expires: b.Now.Add(time.Hour),
			})
			return err
		}))
		deadline := b.Now.Add(10 * time.Minute)
		b.Now = deadline.Add(-time.Millisecond)
		_, body := b.page(t, http.MethodGet, token)
		require.Contains(t, body, "<button")
		for _, after := range []time.Duration{0, time.Second, 20 * time.Minute} {
			b.Now = deadline.Add(after)
			res, body := b.page(t, http.MethodGet, token)
			require.Equal(t, http.StatusOK, res.StatusCode)
			require.NotContains(t, body, "<button", after)
			require.NotContains(t, body, "refresh", after)
			require.Contains(t, body, late(t), after)
			res, _ = b.page(t, http.MethodPost, token)
			require.Equal(t, http.StatusSeeOther, res.StatusCode)
			require.Equal(t, "open", b.State(t, "challenge", id), "its deadline has passed")
			require.Zero(t, b.Count(t, "river_job", "kind = 'click_link'"))
		}
	})
}

// late is what ACME says about a question that is over, as the page shows it.
func late(t *testing.T) string {
	acme, ok := inboundtest.Settings(t).Tenants.Tenant("acme")
	require.True(t, ok)
	return template.HTMLEscapeString(acme.Say("", wording.Late, wording.Fill{}))
}

// Ensure that the page of a relayed link shows nothing of it, leads to it on POST only, and
// names its origin to the browser.
func TestShortLinkLeadsOn(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		token := b.shorten(t, shortlink.Link{URL: secretLink})
		res, body := b.page(t, http.MethodGet, token)
		require.Contains(t, body, "Continue to ACME")
		require.NotContains(t, body, "SECRETTICKET")
		require.True(
			t,
			strings.HasSuffix(
				res.Header.Get("Content-Security-Policy"),
				"form-action 'self' https://login.acme.example",
			),
		)
		res, _ = b.page(t, http.MethodPost, token)
		require.Equal(t, http.StatusSeeOther, res.StatusCode)
		require.Equal(t, secretLink, res.Header.Get("Location"))
		require.Equal(t, "no-referrer", res.Header.Get("Referrer-Policy"))

		b.Now = b.Now.Add(10 * time.Minute)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			res, body = b.page(t, method, token)
			require.Equal(t, http.StatusGone, res.StatusCode)
			require.NotContains(t, body, "SECRETTICKET")
			require.Empty(t, res.Header.Get("Location"))
		}
		require.NotContains(t, b.Log.Take(), "SECRETTICKET")
		require.NotContains(t, b.Log.Take(), token)
	})
}

// Ensure that the button is pressed by our own page only, as far as a browser says where it was.
// What another page sends accepts nothing and leads nowhere.
func TestShortLinkButtonOfAnotherPage(t *testing.T) {
	own := inboundtest.PublicURL
	each(t, func(t *testing.T, b *bridge) {
		for _, test := range []struct {
			header, value string
			taken         bool
		}{
			{"Sec-Fetch-Site", "cross-site", false}, {"Sec-Fetch-Site", "same-site", false},
			{"Sec-Fetch-Site", "nonsense", false}, {"Sec-Fetch-Site", "same-origin", true},
			{"Sec-Fetch-Site", "none", true}, {"Origin", "https://evil.example", false},
			{"Origin", "null", false}, {"Origin", own + ".evil.example", false}, {"Origin", own, true},
			{"Accept", "text/html", true},
		} {
			id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
			for _, l := range []shortlink.Link{{ChallengeID: id}, {URL: secretLink}} {
				req, err := http.NewRequestWithContext(
					t.Context(), http.MethodPost, b.URL+"/l/"+b.shorten(t, l), nil,
				)
				require.NoError(t, err)
				req.Header.Set(test.header, test.value)
				res, err := http.DefaultTransport.RoundTrip(req)
				require.NoError(t, err)
				res.Body.Close()
				if test.taken {
					require.Equal(t, http.StatusSeeOther, res.StatusCode, "%+v", test)
					continue
				}
				require.Equal(t, http.StatusForbidden, res.StatusCode, "%+v", test)
				require.Empty(t, res.Header.Get("Location"), "%+v", test)
			}
			require.Equal(t, test.taken, b.State(t, "challenge", id) == "accepted", "%+v", test)
			if test.taken {
				b.finish(t, id)
			}
		}
	})
}

// Ensure that a token that was never made leads nowhere.
func TestShortLinkUnknown(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	token := b.shorten(t, shortlink.Link{URL: secretLink})
	for _, guess := range []string{
		"x", strings.Repeat("A", 22), strings.Repeat("A", 300), token[:21], token + "A",
		strings.ToUpper(token), "%27%20OR%201=1", "..%2f..%2fhealthz",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			res, body := b.page(t, method, guess)
			require.Equal(t, http.StatusGone, res.StatusCode, "%s %s", method, guess)
			require.NotContains(t, body, "SECRETTICKET")
		}
	}
	res, body := b.page(t, http.MethodGet, "page.css")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, body, "prefers-color-scheme: dark")
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
}

// Ensure that the page of a short link is in the language that its row has kept. A page
// about none is in that of the browser. Arabic is written from right to left.
func TestShortLinkLanguage(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		for language, want := range map[string][2]string{
			"ar": {`<html lang="ar" dir="rtl">`, "المتابعة إلى ACME"},
			"ja": {`<html lang="ja" dir="ltr">`, "ACME へ進む"},
			"":   {`<html lang="en" dir="ltr">`, "Continue to ACME"},
		} {
			token := b.shorten(t, shortlink.Link{URL: secretLink, Language: language})
			_, body := b.page(t, http.MethodGet, token)
			require.Contains(t, body, want[0])
			require.Contains(t, body, want[1])
		}
		_, body := b.page(t, http.MethodGet, strings.Repeat("x", shortlink.Length))
		require.Contains(t, body, "Too late")
	})
}
