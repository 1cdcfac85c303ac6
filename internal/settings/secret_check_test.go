//go:build !race

package settings

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that what can be guessed, or stands in an example, is refused, and said to be that.
func TestWeakSecrets(t *testing.T) {
	const weak, example = "is too weak", "looks like an example"
	for secret, what := range map[string]string{
		"a":                                     weak,
		"changeme":                              weak,
		"7d2f61c09be84a5":                       weak, // 15 characters
		strings.Repeat("k", 24):                 weak,
		strings.Repeat("0", 32):                 weak,
		strings.Repeat("ab", 32):                weak,
		strings.Repeat("abcdefgh", 4):           weak, // no more than the 8 characters
		"abcdefghabcdefghabc":                   weak, // it ends in the middle of them
		"12345678901234567890":                  weak,
		"aabbccddeeffgaabbccddeeffgaabb":        weak, // 13 characters again and again
		"aaaaaaaaaaaaaaaaabbcdefg":              weak, // 7 different characters
		"whsec_" + strings.Repeat("A", 44):      weak,
		"key-" + strings.Repeat("0", 32):        weak,
		"changeme-changeme-changeme":            weak,
		"change-me-before-production":           example,
		"your-mailgun-api-key-goes-here":        example,
		"CHANGEME0123456789":                    example,
		"my-super-secret-password":              example,
		"smsbridge-signing-key-example":         example,
		"Replace_This_With_A_Long_Random_Value": example,
		"whsec_placeholder_for_the_webhook":     example,
	} {
		m := JudgeStrength(secret)
		require.NotNil(t, m, secret)
		require.Contains(t, m.What, what, secret)
		require.Contains(t, m.Hint, "openssl rand -hex 32")
	}
}

// Ensure that no key is refused that a provider gives out, or that a person draws with openssl.
func TestGenuineSecrets(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func(n int, letters string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[random.IntN(len(letters))]
		}
		return string(b)
	}
	const (
		digits  = "0123456789"
		hexits  = digits + "abcdef"
		letters = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		url64   = letters + "-_"
	)
	whsec := func(n int) string {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(text(n, letters)))
	}
	for range 500 {
		for name, secret := range map[string]string{
			"Mailgun, API":              text(32, hexits) + "-" + text(8, hexits) + "-" + text(8, hexits),
			"Mailgun, API of old":       "key-" + text(32, hexits),
			"Mailgun, signing":          text(32, hexits),
			"Twilio, auth token":        text(32, hexits),
			"Flowroute, secret key":     text(32, letters),
			"Auth0, client secret":      text(64, url64),
			"Keycloak, client secret":   text(32, letters),
			"Keycloak of old, UUID":     uuid(text(32, hexits)),
			"Supabase, secret key":      "sb_secret_" + text(22, url64) + "_" + text(8, url64),
			"GoTrue, service key (JWT)": "eyJhbGciOiJIUzI1NiJ9." + text(80, url64) + "." + text(43, url64),
			"ZITADEL, access token":     text(71, url64),
			"whsec_, 24 bytes":          whsec(24),
			"whsec_, 64 bytes":          whsec(64),
			"openssl rand -hex 24":      text(48, hexits),
			"openssl rand -base64 24":   text(32, letters+"+/"),
			"20 characters":             text(20, letters),
			"with words of its owner":   "acme-production-webhook-secret-" + text(32, hexits),
		} {
			require.Nil(t, JudgeStrength(secret), "%s: %s", name, secret)
		}
	}
	require.Nil(t, JudgeStrength("7d2f61c09be84a53"), "the least that passes: 16 characters")
	require.Nil(t, JudgeStrength("aaaaaaaaaaaaaaaaabbcdefgh"), "and 8 different ones")
}

func uuid(s string) string {
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// Ensure that a key is found in each place where it stands, and that no mistake repeats it.
func TestCheckSecrets(t *testing.T) {
	one, two := hex.EncodeToString([]byte("of the first one")), "9c4be1f072a8d6350e7b1fc2a95d8e46"
	rows := []Row{
		{Key: "token", Variable: "TOKEN", Kind: SecretOne, Shared: true},
		{Key: "tokens", Variable: "TOKENS", Kind: Secrets},
		{Key: "keys", Variable: "KEYS", Kind: NamedSecrets},
		{Key: "ring", Variable: "RING", Kind: SecretOne, Ring: true},
		{Key: "name", Variable: "NAME"},
		{Key: "url", Variable: "URL", Kind: SecretURL},
	}
	for _, tt := range []struct {
		first, second []string // the variables of two parts
		where, what   string   // of the one mistake; "" for none
	}{
		{[]string{"TOKEN=" + one, "TOKENS=" + two, "NAME=x", "URL=x"}, nil, "", ""},
		{[]string{"NAME=" + one, "URL=" + one, "TOKENS=" + one}, nil, "", ""},
		{[]string{"TOKEN=short"}, nil, "TOKEN", "too weak"},
		{[]string{"TOKENS=" + one + ",short"}, nil, "TOKENS", "too weak"},
		{[]string{"KEYS=" + one + ",short"}, nil, "KEYS", "too weak"},
		{[]string{"RING=" + one + ",short"}, nil, "RING", "too weak"},
		{[]string{"TOKENS=" + one + "," + one}, nil, "TOKENS", "has one secret twice"},
		{[]string{"KEYS=" + one + "," + one}, nil, "KEYS", "has one secret twice"},
		{[]string{"RING=" + one + " " + one}, nil, "RING", "has one secret twice"},
		{[]string{"TOKEN=" + one, "TOKENS=" + two + "," + one}, nil, "TOKENS", "the same as TOKEN"},
		{[]string{"TOKEN=" + one, "KEYS=" + one}, nil, "KEYS", "the same as TOKEN"},
		{[]string{"TOKENS=" + one, "RING=" + two + "," + one}, nil, "RING", "the same as TOKENS"},
		{[]string{"TOKEN=" + one}, []string{"TOKEN=" + one}, "", ""},
		{[]string{"TOKENS=" + one}, []string{"TOKENS=" + one}, "TOKENS", "the same as TOKENS"},
		{[]string{"TOKEN=" + one}, []string{"TOKENS=" + one}, "TOKENS", "the same as TOKEN"},
		{[]string{"TOKENS=" + one}, []string{"TOKEN=" + one}, "TOKEN", "the same as TOKENS"},
	} {
		l, known := NewLoader(nil), NewPlaces()
		for _, environ := range [][]string{tt.first, tt.second} {
			l.CheckSecrets(known, rows, NewLoader(environ).Variables(rows))
		}
		if tt.where == "" {
			require.Empty(t, l.Mistakes(), "%v", tt)
			continue
		}
		require.Len(t, l.Mistakes(), 1, "%v", tt)
		require.Equal(t, tt.where, l.Mistakes()[0].Where)
		require.Contains(t, l.Mistakes()[0].What, tt.what)
		require.NotEmpty(t, l.Mistakes()[0].Hint)
		require.NotContains(t, l.Mistakes().Error(), one)
	}

	// What was reported for another reason is not reported again.
	l := NewLoader(nil)
	l.Add("TOKEN", Wrong("is wrong", "do better"))
	l.CheckSecrets(NewPlaces(), rows, NewLoader([]string{"TOKEN=short"}).Variables(rows))
	require.Len(t, l.Mistakes(), 1)
}
