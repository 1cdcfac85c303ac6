package linkclick

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Ensure that a place names the host and the words of the path, and nothing else.
func TestPlace(t *testing.T) {
	for link, want := range map[string]string{
		"https://a.example/u/email-verification?ticket=abc#x": "a.example/u/email-verification",
		"https://a.example/auth/v1/verify?token=abc":          "a.example/auth/v1/verify",
		"https://a.example/users/confirmation/4f9c1b":         "a.example/users/confirmation/*",
		"https://a.example/reset/MjA/c8x4-9f0e1d2c3b/":        "a.example/reset/*/*",
		"https://a.example/confirm/deadbeef":                  "a.example/confirm/*",
		"https://a.example/confirm/abcdef//abcde":             "a.example/confirm/*//abcde",
		"https://a.example":                                   "a.example",
		"https://a.example/" + strings.Repeat("a/", 99): "a.example/" +
			strings.Repeat("a/", 55) + "…",
		"mailto:kim@a.example":  "a link that cannot be read",
		"https://a.example/%zz": "a link that cannot be read",
	} {
		require.Equal(t, want, Candidate{URL: link}.Place(), link)
	}
	for host, want := range map[string]string{
		"u8f3k29d01xy.mail.example": "*.mail.example",
		"ct.u8f3k29d01xy.example":   "ct.u8f3k29d01xy.example", // a registered name
		"u8f3k29d01xy.example":      "u8f3k29d01xy.example",
	} {
		require.Equal(t, want+"/x", Candidate{URL: "https://" + host + "/x", Score: -1}.Place())
	}
	tracker := Candidate{URL: "https://u8f3k29d01xy.ct.mail.example/x", Score: -1}
	require.Equal(t, "*.ct.mail.example/x", tracker.Place(), "any host may stand there")
	tracker.Score = 0
	require.Equal(t, "u8f3k29d01xy.ct.mail.example/x", tracker.Place(), "the operator named it")
}

// Ensure that no secret of the mails of the corpus is in the place of any of their links.
func TestPlacesOfTheCorpus(t *testing.T) {
	files, err := filepath.Glob(corpus)
	require.NoError(t, err)
	secrets := 0
	for _, file := range files {
		c := readCase(t, file)
		m, err := ReadMIME(strings.NewReader(string(c.mail)))
		require.NoError(t, err, file)
		f := Find(m, c.rule)
		for _, candidate := range f.Candidates {
			place := candidate.Place()
			require.NotContains(t, place, "?")
			require.NotContains(t, place, "#")
			for _, secret := range secretsOf(candidate.URL) {
				secrets++
				require.NotContains(t, place, secret, file)
			}
			if f.Code != "" {
				require.NotContains(t, place, f.Code, file)
			}
		}
	}
	require.Greater(t, secrets, 100, "the corpus has links with secrets")
}

// secretsOf are all parts of a link that carriesSecret may mean: values, and long segments.
func secretsOf(link string) (secrets []string) {
	u, err := url.Parse(link)
	if err != nil {
		return nil
	}
	for _, p := range parametersOf(u) {
		if len(p.value) >= minSecret && looksSecret(p.value, minSecret) {
			secrets = append(secrets, p.value)
		}
	}
	for _, s := range segmentsOf(u.Path + "/" + u.Fragment) {
		if looksSecret(s, minSecret) && !isWordy(s) {
			secrets = append(secrets, s)
		}
	}
	return secrets
}

// Ensure that what was drawn is masked wherever it stands in a path, in whatever alphabet.
func TestDrawnSegmentsAreMasked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{
			"0123456789", "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz", "abcdefghjkmnpqrstvwxyz23456789",
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
		}).Draw(t, "alphabet")
		secret := rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 8, 64, -1).Draw(t, "secret")
		if isActionName(secret) && isWordy(secret) {
			t.Skip("chance has written words of links alone")
		}
		link := rapid.SampledFrom([]string{
			"https://a.example/%s", "https://a.example/verify/%s", "https://a.example/%s/confirm",
			"https://a.example/x/%s/y?q=%s", "https://a.example/verify#/%s", "https://a.example/?t=%s",
			"https://a.example/verify?email=a&code=%s",
		}).Draw(t, "link")
		c := Candidate{URL: strings.ReplaceAll(link, "%s", secret)}
		if strings.Contains(c.Place(), secret) {
			t.Fatalf("the place %s has the secret", c.Place())
		}
	})
}
