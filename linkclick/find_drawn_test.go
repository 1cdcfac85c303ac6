package linkclick

import (
	"bytes"
	"math"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An alphabet is what a provider draws its secrets from.
type alphabet struct {
	has             *regexp.Regexp
	letters, digits string
}

const (
	small    = "abcdefghijklmnopqrstuvwxyz"
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	decimals = "0123456789"
)

// alphabets are from the narrowest to the widest.
var alphabets = []alphabet{
	{regexp.MustCompile(`^[0-9]+$`), "", decimals},
	{regexp.MustCompile(`^[0-9a-f-]+$`), "abcdef", decimals},
	{regexp.MustCompile(`^[2-7A-Z]+$`), capitals, "234567"}, // RFC 4648, section 6
	{regexp.MustCompile(`^[0-9A-Z-]+$`), capitals, decimals},
	{regexp.MustCompile(`^[0-9a-z-]+$`), small, decimals},
	{regexp.MustCompile(`^[0-9A-Za-z]+$`), small + capitals, decimals},
	{regexp.MustCompile(`^[0-9A-Za-z_-]+$`), small + capitals + "_-", decimals},
}

// seldom is the chance of a secret without a digit below which none is drawn on purpose.
const seldom = 1e-3

// redraw returns what could have been drawn instead of the secret, without digits if bare.
func redraw(r *rand.Rand, secret string, bare bool) string {
	var a alphabet
	for _, a = range alphabets {
		if a.has.MatchString(secret) {
			break
		}
	}
	all := a.letters + a.digits
	share := float64(len(a.letters)) / float64(len(all))
	if bare && math.Pow(share, float64(len(secret))) > seldom {
		all = a.letters
	}
	drawn := []byte(secret)
	for i, c := range drawn {
		if c != '-' || strings.Contains(all, "-") {
			drawn[i] = all[r.IntN(len(all))]
		}
	}
	return string(drawn)
}

var (
	// Not drawn are the host, escapes, what a JWT says, phones, and the names of parameters.
	notDrawn = regexp.MustCompile(`^https?://[^/]+/|%[0-9A-Fa-f]{2}|eyJ[\w-]+\.eyJ[\w-]+\.|` +
		`\b[0-9]{10,12}(@|%40|$)|[?&][^=&]*=`)
	drawnPart = regexp.MustCompile(`[0-9A-Za-z_-]{10,}`)
)

// drawnIn returns the parts of a link that a provider has drawn.
func drawnIn(link string) (drawn []string) {
	for _, part := range drawnPart.FindAllString(notDrawn.ReplaceAllString(link, "/"), -1) {
		if looksSecret(part, minID) && !isNamed(part) {
			drawn = append(drawn, part)
		}
	}
	return drawn
}

// Ensure that a mail is understood whatever its provider has drawn: a link's secret without a
// digit, or one that spells "2fa" by chance, and any code of digits. Some 20 secrets in a million
// read like the name of a page all the same. None of them is drawn with this seed.
func TestDrawnSecrets(t *testing.T) {
	files, err := filepath.Glob(corpus)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 0))
	played := 0
	for _, file := range files {
		c := readCase(t, file)
		secrets := drawnIn(c.url)
		m, err := ReadMIME(bytes.NewReader(c.mail))
		require.NoError(t, err)
		whole := strings.Contains(m.Subject+m.Text+m.HTML, c.code) // and not in halves
		if whole && isNumber(c.code) && len(c.code) > 4 {          // those of four may be a year
			secrets = append(secrets, c.code)
		}
		if len(secrets) == 0 {
			continue
		}
		played++
		for n := range 40 {
			var pairs []string
			for _, secret := range secrets {
				pairs = append(pairs, secret, redraw(r, secret, n%2 == 0))
			}
			put := strings.NewReplacer(pairs...)
			again := m
			again.Text, again.HTML = put.Replace(m.Text), put.Replace(m.HTML)
			again.Subject = put.Replace(m.Subject)
			f := Find(again, c.rule)
			require.Equal(t, []string{string(c.kind), put.Replace(c.url), put.Replace(c.code), c.provider},
				[]string{string(f.Kind), f.URL, f.Code, f.Provider}, "%s: %+v", file, f.Candidates)
		}
	}
	require.Greater(t, played, 250, "mails with a secret in their link")
}

// The tokens of PocketBase are so long that their base64 spelled "reset" in one of some 80,000: the
// claims say what they are for.
func TestDrawnClaims(t *testing.T) {
	const drawn = `{"exp":1796166534,"iat":1795907334,"jti":"DM7XA4IZZDSURDDHKEJ7BI53BG","type":`
	for claims, want := range map[string]Kind{
		drawn + `"verification"}`: KindVerify, drawn + `"passwordReset"}`: "",
	} {
		token := unsigned(claims)
		require.Contains(t, strings.ToLower(separated(token)), " rese", "what is spelled by chance")
		u, err := url.Parse("https://login.acme.example/_/#/auth/confirm-verification/" + token)
		require.NoError(t, err)
		require.Equal(t, want, shapeOf(u).kind, claims)
	}
}

// Names in a path are heard, also beside what was drawn.
func TestSpokenPath(t *testing.T) {
	for path, want := range map[string]string{
		"/email/verify/2c98af03e85982faacda8bd2":          "email/verify",
		"/confirm-email/remove-second-factor":             "confirm-email/remove-second-factor",
		"/e/newsletter-7f3a9b2c1d4e#/tap/Zk3vQ8mW1xT5":    "e/newsletter/tap",
		"/e/approve-7f3a9b2c1d4e":                         "e/approve-7f3a9b2c1d4e",
		"/verify2fa#/x?type=recovery&t=2c98af03e85982faa": "verify2fa/x/type/recovery/t",
	} {
		u, err := url.Parse("https://login.acme.example" + path)
		require.NoError(t, err)
		require.Equal(t, want, spokenPath(u))
	}
}
