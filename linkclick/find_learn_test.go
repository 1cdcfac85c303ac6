package linkclick

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sampleTo is a mail with one link, and with a link that is in every mail.
func sampleTo(subject, path string) Mail {
	return Mail{Subject: subject, HTML: `<p>` + linkTo(path, subject) + `</p><p>` +
		linkTo("/help/article17?from=mail17", "Help") + `</p>`}
}

func TestLearn(t *testing.T) {
	const verify, reset, login, silent = "Confirm your email", "Reset your password", "Sign in",
		"Üzenet"
	for name, tt := range map[string]struct {
		subject string
		paths   []string
		want    Lesson
	}{
		"a parameter": {verify,
			[]string{"/account/confirm?t=Zk3vQ8mW1x", "/account/confirm?t=aB7c9dE2fG"},
			Lesson{Entry: "verify:/account/confirm?t", Kind: KindVerify, Sure: true,
				Lets: "every link with exactly this path, with any value of t", Example: ""}},
		"a segment between words": {verify,
			[]string{"/t/Zk3vQ8mW1xT5/go?lang=da", "/t/aB7c9dE2fG4h/go?lang=en"},
			Lesson{Entry: "verify:/t/*/go?", Kind: KindVerify, Sure: true,
				Lets:    "every link of this form, whatever stands in the place of *, without parameters",
				Example: "/t/delete/go"}},
		"an action that is the same": {verify,
			[]string{"/?do=activate&key=Zk3vQ8mW1x&user=17", "/?do=activate&key=aB7c9dE2fG&user=18"},
			Lesson{Entry: "verify:/?do=activate&key&user", Kind: KindVerify, Sure: true,
				Lets: "every link with exactly this path, with any value of key, user"}},
		"a parameter without a value": {verify,
			[]string{"/confirm/?back=&id=57&key=Zk3vQ8mW1x", "/confirm/?back=&id=58&key=aB7c9dE2fG"},
			Lesson{Entry: "verify:/confirm?back=&id&key", Kind: KindVerify, Sure: true,
				Lets: "every link with exactly this path, with any value of id, key"}},
		"three, of which two agree": {verify,
			[]string{"/a/one/Zk3vQ8mW1xT5", "/a/one/aB7c9dE2fG4h", "/a/two/pJ6sG0aE3fU8"},
			Lesson{Entry: "verify:/a/*/*?", Kind: KindVerify, Sure: true,
				Lets:    "every link of this form, whatever stands in the place of *, without parameters",
				Example: "/a/delete/delete"}},
		"a fragment": {verify, []string{"/app#/confirm/Zk3vQ8mW1xT5", "/app#/confirm/aB7c9dE2fG4h"},
			Lesson{Entry: "verify:/app#/confirm/*?", Kind: KindVerify, Sure: true,
				Lets:    "every link of this form, whatever stands in the place of *",
				Example: "/app#/confirm/delete"}},
		"parameters that come and go": {verify,
			[]string{"/account/confirm?t=Zk3vQ8mW1x", "/account/confirm?t=aB7c9dE2fG&next=home"},
			Lesson{Entry: "verify:/account/confirm", Kind: KindVerify, Sure: true,
				Lets: "every link whose path begins like this, with anything below it and with any " +
					"parameters", Example: "/account/confirm/delete?any=value"}},
		"reset": {reset, []string{"/pw/choose?t=Zk3vQ8mW1x", "/pw/choose?t=aB7c9dE2fG"},
			Lesson{Entry: "reset:/pw/choose?t", Kind: KindReset, Sure: true,
				Lets: "every link with exactly this path, with any value of t"}},
		"login": {login, []string{"/in?t=Zk3vQ8mW1x", "/in?t=aB7c9dE2fG"},
			Lesson{Entry: "login:/in?t", Kind: KindLogin, Sure: true,
				Lets: "every link with exactly this path, with any value of t"}},
		"words that say nothing": {silent, []string{"/e/f?t=Zk3vQ8mW1x", "/e/f?t=aB7c9dE2fG"},
			Lesson{Entry: "verify:/e/f?t", Kind: KindVerify,
				Lets: "every link with exactly this path, with any value of t"}},
		"one account in all samples": {verify,
			[]string{"/u/a1b2c3d4e5f6/ok?t=Zk3vQ8mW1x", "/u/a1b2c3d4e5f6/ok?t=aB7c9dE2fG"},
			Lesson{Entry: "verify:/u/a1b2c3d4e5f6/ok?t", Kind: KindVerify, Sure: true,
				Lets: "every link with exactly this path, with any value of t",
				Kept: []string{"a1b2c3d4e5f6"}}},
		"a shape that two purposes share": {verify,
			[]string{"/do_verify_email?token=Zk3vQ8mW1x&email=a",
				"/do_verify_email?token=aB7c9dE2fG&email=b"},
			Lesson{Entry: "verify:/do_verify_email?token&email", Kind: KindVerify, Sure: true,
				Lets: "every link with exactly this path, with any value of token, email"}},
	} {
		t.Run(name, func(t *testing.T) {
			var samples []Mail
			for _, path := range tt.paths {
				samples = append(samples, sampleTo(tt.subject, path))
			}
			got, err := Learn(samples, acme)
			require.NoError(t, err)
			tt.want.Host = "login.acme.example"
			require.Equal(t, tt.want, got)

			learned := Rule{Hosts: acme.Hosts, Paths: []string{got.Entry}}
			require.NoError(t, learned.Check())
			for i, m := range samples {
				f := Find(m, learned)
				require.Equal(t, atLogin+tt.paths[i], f.URL)
				require.Equal(t, got.Kind, f.Kind)
			}
			if got.Example != "" {
				require.True(t, allows(t, got.Entry, got.Example), got.Example)
			}
		})
	}
}

func TestLearnRefuses(t *testing.T) {
	const verify = "Confirm your email"
	elsewhere := Mail{Subject: verify,
		HTML: `<a href="` + atAuth + `/account/confirm?t=aB7c9dE2fG">Confirm</a>`}
	for want, samples := range map[string][]Mail{
		"give two or more": {sampleTo(verify, "/account/confirm?t=Zk3vQ8mW1x")},
		"have the same link": {sampleTo(verify, "/account/confirm?t=Zk3vQ8mW1x"),
			sampleTo(verify, "/account/confirm?t=Zk3vQ8mW1x")},
		"on different hosts": {sampleTo(verify, "/account/confirm?t=Zk3vQ8mW1x"), elsewhere},
		"of different lengths": {sampleTo(verify, "/account/confirm?t=Zk3vQ8mW1x"),
			sampleTo(verify, "/confirm?t=aB7c9dE2fG")},
		"let every link through": {sampleTo(verify, "/Zk3vQ8mW1xT5"), sampleTo(verify, "/aB7c9dE2fG4h")},
		"sample 2 needs no rule: its link has the shape of a link of auth0": {
			sampleTo(verify, "/account/confirm?t=Zk3vQ8mW1x"), {HTML: verifyMail(auth0Verify)}},
		"sample 2 has no link of unknown shape": {
			sampleTo(verify, "/account/confirm?t=Zk3vQ8mW1x"), {Text: "Hello"}},
		"sample 1 has no link of unknown shape": {
			{Text: "Confirm: https://evil.example/account/confirm?t=Zk3vQ8mW1x"}, {Text: "Hello"}},
		"one is a mail to verify and one to reset": {
			sampleTo(verify, "/account/go?t=Zk3vQ8mW1x"),
			sampleTo("Reset your password", "/account/go?t=aB7c9dE2fG")},
		"no rule would open the link of sample 2": {
			sampleTo(verify, "/account/go?t=Zk3vQ8mW1x"),
			sampleTo("Approve the payment", "/account/go?t=aB7c9dE2fG")},
		"3 links each": nil,
	} {
		if samples == nil {
			for _, id := range []string{"Zk3vQ8mW1x", "aB7c9dE2fG"} {
				samples = append(samples, Mail{Subject: verify, HTML: linkTo("/a/go?t="+id, "A") +
					linkTo("/b/go/on?t="+id, "B") + linkTo("/c/?t="+id, "C")})
			}
		}
		_, err := Learn(samples, acme)
		require.ErrorContains(t, err, want)
		for _, secret := range []string{"Zk3vQ8mW1x", "aB7c9dE2fG"} {
			require.NotContains(t, err.Error(), secret)
		}
	}
}

// An entry is recorded and shown, and the mail's author chose its words. So it is short and of
// plain characters, and the name of a parameter that could be the secret is in none.
func TestLinesToAllowAreShortAndHoldNoSecret(t *testing.T) {
	for _, link := range []string{
		"/confirm?Zk3vQ8mW1xT5nB7y=1", "/confirm?t=Zk3vQ8mW1x&Zk3vQ8mW1xT5nB7y=1",
		"/confirm/" + strings.Repeat("word/", 40) + "Zk3vQ8mW1xT5",
		"/confirm?a%00b=Zk3vQ8mW1x", "/confirm?t[%ff]=Zk3vQ8mW1x", "/confirm?t[%1b%5B2J]=Zk3vQ8mW1x",
		"/confirm?t[%0a]=Zk3vQ8mW1x", "/confirm?t[%C3%A9]=Zk3vQ8mW1x",
	} {
		u, err := url.Parse(atLogin + link)
		require.NoError(t, err)
		require.Empty(t, lineToAllow(u, KindVerify), link)
	}
	long := []Mail{
		sampleTo("Confirm", "/confirm/"+strings.Repeat("word/", 40)+"Zk3vQ8mW1xT5"),
		sampleTo("Confirm", "/confirm/"+strings.Repeat("word/", 40)+"aB7c9dE2fG4h"),
	}
	_, err := Learn(long, acme)
	require.ErrorIs(t, err, errUnwritable)
	_, err = Learn([]Mail{
		sampleTo("Confirm", "/confirm?t[%1b]=Zk3vQ8mW1xT5"),
		sampleTo("Confirm", "/confirm?t[%1b]=aB7c9dE2fG4h"),
	}, acme)
	require.ErrorIs(t, err, errUnwritable)
}

// An entry fits every sample, holds nothing that differs between them, and does not fit another
// word in the place of one that stays.
func TestLearnProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z]{3,9}|S`), 1, 4).Draw(t, "segments")
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`x[a-z]{2,6}`), 0, 3, rapid.ID).Draw(t,
			"names")
		words[0] = "confirm" // something stays
		if len(names) == 0 {
			words = append(words, "S")
		}
		var links []*url.URL
		var secrets []string
		for i := range rapid.IntRange(2, 4).Draw(t, "samples") {
			secret := "Zk3vQ8mW1xT" + string(rune('a'+i)) + rapid.StringMatching(`[0-9]{4}`).Draw(t,
				"secret")
			secrets = append(secrets, secret)
			path := strings.ReplaceAll("/"+strings.Join(words, "/"), "S", secret)
			query := url.Values{}
			for _, name := range names {
				query.Set(name, secret)
			}
			u, err := url.Parse(atLogin + path + "?" + query.Encode())
			require.NoError(t, err)
			links = append(links, u)
		}
		entry, _, err := entryFor(links)
		require.NoError(t, err)
		p, ok := readPath(entry)
		require.True(t, ok, entry)
		for i, u := range links {
			require.True(t, p.fits(u), entry)
			require.NotContains(t, entry, secrets[i])
		}
		other := *links[0]
		at := rapid.IntRange(0, len(words)-1).Draw(t, "changed")
		segments := strings.Split(strings.Trim(other.Path, "/"), "/")
		segments[at] = "zzdelete"
		other.Path = "/" + strings.Join(segments, "/")
		require.Equal(t, words[at] == "S", p.fits(&other), "%s %s", entry, other.Path)
		require.False(t, slices.Contains(words, "zzdelete"))
	})
}
