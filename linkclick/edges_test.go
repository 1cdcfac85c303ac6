package linkclick

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A response that was not read to its end says nothing, though what there is of it could be read.
// Nor does one that does not call itself JSON.
func TestHalfAResponseConfirmsNothing(t *testing.T) {
	a := response{status: 200, body: `{"email_verified":true}`, isJSON: true, whole: true}
	require.True(t, readFields(a).confirms(nil))
	a.whole = false
	require.False(t, readFields(a).confirms(nil))
	a.isJSON, a.whole = false, true
	require.False(t, readFields(a).confirms(nil))
}

// A parameter inside parameters is read as it was before it was wrapped.
func TestUnescaped(t *testing.T) {
	for value, want := range map[string]string{
		"https%3A%2F%2Fa.example":       "https://a.example",
		"https%253A%252F%252Fa.example": "https://a.example",
		"plain":                         "plain", "100%": "100%", "%2525253A": "%3A",
	} {
		require.Equal(t, want, unescaped(value), value)
	}
}

// A host is numeric in hexadecimal too, and not by its prefix alone.
func TestLooksNumeric(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.0x7f": true, "0x7f000001": true, "0x": true, "127.1": true, "2130706433": true,
		"::1": true, "a.0xzz": false, "login.acme.example": false, "a1.example": false,
	} {
		require.Equal(t, want, looksNumeric(host), host)
	}
}

// An action of the markup ends with its element: what comes after it is no target of the action.
func TestActionEndsWithItsElement(t *testing.T) {
	d := readHTML(`<div itemscope itemtype="https://schema.org/ConfirmAction">` +
		`<meta itemprop="name" content="Confirm"><div itemprop="handler">` +
		`<link itemprop="url" href="https://a.example/x"></div></div>` +
		`<p><a itemprop="url" href="https://a.example/y">About us</a></p>`)
	require.Len(t, d.actions, 1)
	require.Equal(t, "https://a.example/x", d.actions[0].raw)
	require.Equal(t, "Confirm", d.actions[0].label)
}

// Of two occurrences of a link the surer one counts, with its reason.
func TestSurerOccurrenceCounts(t *testing.T) {
	first := &found{kind: KindVerify, Candidate: Candidate{Score: 20, Reasons: []string{"far"}}}
	surer := &found{
		kind: KindVerify, Candidate: Candidate{Score: 60, Reasons: []string{"token", "near"}},
	}
	first.merge(surer)
	require.Equal(t, 60, first.Score)
	require.Equal(t, []string{"far", "token"}, first.Reasons)
	first.merge(&found{kind: KindVerify, Candidate: Candidate{Score: 20, Reasons: []string{"far"}}})
	require.Equal(t, 60, first.Score)
}

// A click goes on by the one anchor that leads on, and by none if two lead to different places.
func TestProceedByOneAnchorOnly(t *testing.T) {
	at, err := url.Parse("https://login.acme.example/verify?key=1")
	require.NoError(t, err)
	on := func(hrefs ...string) string {
		var p page
		for _, href := range hrefs {
			p.anchors = append(p.anchors, anchor{href, "continue"})
		}
		return p.proceed(at, []string{"key"})
	}
	require.Equal(t, "https://login.acme.example/verify?key=2", on("/verify?key=2"))
	require.Equal(t, "https://login.acme.example/verify?key=2",
		on("/verify?key=2", "/verify?key=2#top"))
	require.Empty(t, on("/verify?key=2", "/verify?key=3"))
}

// A redirect that takes a cookie away is a circle like one without a cookie.
func TestCircleThatTakesACookieAway(t *testing.T) {
	for name, cookie := range map[string]http.Cookie{
		"no value": {Name: "seen"}, "in the past": {Name: "seen", Value: "1", MaxAge: -1},
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &cookie)
			redirectTo("/circle?ticket=t")(w, r)
		})
		r := open(t, c, p.URL+"/circle?ticket=t")
		require.Equal(t, ReasonLoop, r.Reason, name)
		require.Len(t, p.requests(), 1, name)
	}
}

func TestSameForAll(t *testing.T) {
	for link, want := range map[string]string{
		"https://a.example/%41?b=%41%3a%2F%3f%40%7e": "https://a.example/%41?b=A:/?@~",
		"https://a.example/?b=%26%3d%2b%23%25%20%3b": "https://a.example/?b=%26%3D%2B%23%25%20%3B",
		"https://a.example/?b=%c3%a9%00&c=%zz%4":     "https://a.example/?b=%C3%A9%00&c=%ZZ%4",
		"https://a.example/?b=%3A#c=%3A":             "https://a.example/?b=:#c=%3A",
		"https://a.example/#b?c=%3A":                 "https://a.example/#b?c=%3A",
		"https://a.example/?b=%":                     "https://a.example/?b=%",
	} {
		require.Equal(t, want, sameForAll(link))
		require.Equal(t, want, sameForAll(want))
	}
}
