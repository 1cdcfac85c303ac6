package auth0

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	secret = "nJ6ywbYJ6yoPbM1kTzBcHmN0Q2s4V8xA"
	older  = "3vJ0QeR5tYu8iOp2AsDf6GhJk9LzXcVb"
)

var (
	now   = time.Unix(1_800_000_000, 0)
	rules = TokenRules{
		Secrets: []string{secret, older},
		Domains: []string{"login.acme.example", "acme.eu.auth0.com"},
	}
)

// claims are what Auth0's encodeToken makes of the Action's payload.
func claims(changes map[string]any) map[string]any {
	all := map[string]any{
		"iat": now.Unix(), "exp": now.Add(SessionLife).Unix(), "sub": "auth0|5f7c",
		"iss": "acme.eu.auth0.com", "ip": "192.0.2.1", "phone_number": "+4520123456",
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

func encoded(v any) string {
	text, ok := v.(string)
	if !ok {
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		text = string(raw)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// forge makes a token by hand; header and payload are written as they are if they are strings.
func forge(header, payload any, key string) string {
	signed := encoded(header) + "." + encoded(payload)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

var plain = map[string]any{"alg": "HS256", "typ": "JWT"}

func good(changes map[string]any) string { return forge(plain, claims(changes), secret) }

func TestParseSession(t *testing.T) {
	s, err := ParseSession(good(nil), rules, now)
	require.NoError(t, err)
	require.Equal(t, "auth0|5f7c", s.Subject)
	require.Equal(t, "acme.eu.auth0.com", s.Issuer)
	require.Equal(t, "login.acme.example", s.Domain, "the first where the token names none")
	require.Equal(t, "+4520123456", s.Phone)
	require.Equal(t, now.Add(SessionLife).Unix(), s.Expires.Unix())
	require.Len(t, s.Digest, 64)

	bare := map[string]any{"alg": "HS256"}
	small := map[string]any{"alg": "HS256", "typ": "jwt"}
	for name, token := range map[string]string{
		"signed with the other secret": forge(plain, claims(nil), older),
		"without typ":                  forge(bare, claims(nil), secret),
		"typ in small letters":         forge(small, claims(nil), secret),
		"the issuer as a URL":          good(map[string]any{"iss": "https://acme.eu.auth0.com/"}),
		"without a phone":              good(map[string]any{"phone_number": nil}),
		"at the canonical domain":      good(map[string]any{"domain": "acme.eu.auth0.com"}),
		"a moment old": good(map[string]any{
			"iat": now.Add(-SessionLife).Unix(), "exp": now.Unix(),
		}),
		"from a clock ahead":  good(map[string]any{"iat": now.Add(20 * time.Second).Unix()}),
		"with an extra claim": good(map[string]any{"anything": []int{1}}),
		"the phone null":      good(map[string]any{"phone_number": json.RawMessage("null")}),
		"the longest sub":     good(map[string]any{"sub": strings.Repeat("x", maxSubject)}),
		"the longest locale":  good(map[string]any{"locale": strings.Repeat("x", maxClaim)}),
		"the longest token":   tokenOf(t, maxToken),
	} {
		_, err := ParseSession(token, rules, now)
		require.NoError(t, err, name)
	}
}

// tokenOf is a good token of so many bytes. Base64 has no text of some lengths, and a header
// without typ makes up for that.
func tokenOf(t testing.TB, length int) string {
	t.Helper()
	for _, header := range []any{plain, map[string]any{"alg": "HS256"}} {
		missing := length - len(forge(header, claims(map[string]any{"x": ""}), secret))
		for n := missing * 3 / 4; n <= missing; n++ {
			token := forge(header, claims(map[string]any{"x": strings.Repeat("x", n)}), secret)
			if len(token) == length {
				return token
			}
			if len(token) > length {
				break
			}
		}
	}
	require.FailNow(t, "no token has this length")
	return ""
}

func TestExpired(t *testing.T) {
	for _, token := range []string{good(nil), forge(plain, claims(nil), older)} {
		_, err := ParseSession(token, rules, now.Add(SessionLife+leeway+time.Second))
		require.ErrorIs(t, err, ErrExpired)
	}
	forged := forge(plain, claims(nil), "not a secret of this tenant at all")
	_, err := ParseSession(forged, rules, now.Add(time.Hour))
	require.ErrorIs(t, err, ErrToken, "a forged one is not said to have been good")
}

// attacks are tokens that must not be believed.
func attacks(t testing.TB) map[string]string {
	header := func(changes map[string]any) string {
		all := maps.Clone(plain)
		maps.Copy(all, changes)
		return forge(all, claims(nil), secret)
	}
	signed := good(nil)
	parts := strings.Split(signed, ".")
	hs512 := func() string {
		text := encoded(map[string]any{"alg": "HS512", "typ": "JWT"}) + "." + encoded(claims(nil))
		mac := hmac.New(sha512.New, []byte(secret))
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}()
	none := func(alg string) string {
		return encoded(map[string]any{"alg": alg, "typ": "JWT"}) + "." + encoded(claims(nil)) + "."
	}
	public := "-----BEGIN PUBLIC KEY-----\n" +
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
	return map[string]string{
		"empty":                  "",
		"one dot":                ".",
		"two dots":               "..",
		"no signature":           parts[0] + "." + parts[1] + ".",
		"two parts":              parts[0] + "." + parts[1],
		"four parts":             signed + ".x",
		"five parts, encrypted":  signed + ".x.y",
		"none":                   none("none"),
		"None":                   none("None"),
		"NONE":                   none("NONE"),
		"no alg":                 forge(map[string]any{"typ": "JWT"}, claims(nil), secret),
		"none with a signature":  forge(map[string]any{"alg": "none"}, claims(nil), secret),
		"alg in small letters":   header(map[string]any{"alg": "hs256"}),
		"HS384 over HS256":       header(map[string]any{"alg": "HS384"}),
		"HS512, right secret":    hs512,
		"RS256 with HS256's MAC": header(map[string]any{"alg": "RS256"}),
		"ES256 with HS256's MAC": header(map[string]any{"alg": "ES256"}),
		"a public key as secret": forge(plain, claims(nil), public),
		"alg a list":             header(map[string]any{"alg": []string{"HS256"}}),
		"jwk in the header": header(map[string]any{
			"jwk": map[string]any{"kty": "oct", "k": "AAAA"},
		}),
		"jku":                    header(map[string]any{"jku": "https://evil.example/keys"}),
		"x5u":                    header(map[string]any{"x5u": "https://evil.example/cert"}),
		"x5c":                    header(map[string]any{"x5c": []string{"AAAA"}}),
		"kid with a path":        header(map[string]any{"kid": "../../../../dev/null"}),
		"kid with SQL":           header(map[string]any{"kid": "' UNION SELECT 'x"}),
		"crit":                   header(map[string]any{"crit": []string{"exp"}}),
		"b64 false":              header(map[string]any{"b64": false}),
		"zip":                    header(map[string]any{"zip": "DEF"}),
		"another typ":            header(map[string]any{"typ": "at+jwt"}),
		"the empty secret":       forge(plain, claims(nil), ""),
		"another secret":         forge(plain, claims(nil), secret+"x"),
		"the secret in capitals": forge(plain, claims(nil), strings.ToUpper(secret)),
		"another payload": parts[0] + "." +
			encoded(claims(map[string]any{"sub": "auth0|admin"})) + "." + parts[2],
		"another header":       encoded(map[string]any{"alg": "HS256"}) + "." + parts[1] + "." + parts[2],
		"signature cut":        signed[:len(signed)-2],
		"signature lengthened": signed + "AA",
		"signature respelled":  respelled(signed),
		"padded":               signed + "=",
		"a line break inside":  parts[0] + ".\n" + parts[1] + "." + parts[2],
		"a blank before":       " " + signed,
		"Bearer before":        "Bearer " + signed,
		"payload no JSON":      forge(plain, "{", secret),
		"payload a list":       forge(plain, "[]", secret),
		"payload null":         forge(plain, "null", secret),
		"header null":          forge("null", claims(nil), secret),
		"without exp":          good(map[string]any{"exp": nil}),
		"without iat":          good(map[string]any{"iat": nil}),
		"without sub":          good(map[string]any{"sub": nil}),
		"without iss":          good(map[string]any{"iss": nil}),
		"empty sub":            good(map[string]any{"sub": ""}),
		"sub a number":         good(map[string]any{"sub": 7}),
		"sub too long":         good(map[string]any{"sub": strings.Repeat("x", maxSubject+1)}),
		"locale too long":      good(map[string]any{"locale": strings.Repeat("x", maxClaim+1)}),
		"exp a text":           good(map[string]any{"exp": "never"}),
		"exp too large": forge(plain,
			`{"sub":"a","iss":"acme.eu.auth0.com","iat":1800000000,"exp":1e400}`, secret),
		"exp far away": good(map[string]any{"exp": now.Add(24 * time.Hour).Unix()}),
		"iat in the future": good(map[string]any{
			"iat": now.Add(time.Hour).Unix(), "exp": now.Add(time.Hour + time.Minute).Unix(),
		}),
		"iat after exp": good(map[string]any{
			"iat": now.Unix(), "exp": now.Add(-time.Second).Unix(),
		}),
		"no life":                good(map[string]any{"exp": now.Unix()}),
		"not yet valid":          good(map[string]any{"nbf": now.Add(time.Hour).Unix()}),
		"another tenant":         good(map[string]any{"iss": "beta.eu.auth0.com"}),
		"a host that ends alike": good(map[string]any{"iss": "evil-acme.eu.auth0.com"}),
		"a host that begins so":  good(map[string]any{"iss": "acme.eu.auth0.com.evil.example"}),
		"issuer with a path":     good(map[string]any{"iss": "https://acme.eu.auth0.com/x"}),
		"issuer over http":       good(map[string]any{"iss": "http://acme.eu.auth0.com/"}),
		"issuer with a user":     good(map[string]any{"iss": "https://acme.eu.auth0.com@evil.example/"}),
		"iss a list":             good(map[string]any{"iss": []string{"acme.eu.auth0.com"}}),
		"an unknown domain":      good(map[string]any{"domain": "evil.example"}),
		"a domain with a path":   good(map[string]any{"domain": "acme.eu.auth0.com/x"}),
		"an audience":            good(map[string]any{"aud": "https://api.acme.example"}),
		"phone a list":           good(map[string]any{"phone_number": []string{"+4520123456"}}),
		"a huge token":           good(map[string]any{"x": strings.Repeat("x", maxToken)}),
		"a token too long":       tokenOf(t, maxToken+1),
	}
}

// respelled changes bits of the signature's last character that decode to nothing.
func respelled(token string) string {
	const order = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(order, token[len(token)-1])
	return token[:len(token)-1] + string(order[last^1])
}

func TestAttacks(t *testing.T) {
	all := attacks(t)
	require.GreaterOrEqual(t, len(all), 40)
	for name, token := range all {
		t.Run(name, func(t *testing.T) {
			s, err := ParseSession(token, rules, now)
			require.Error(t, err)
			require.Equal(t, Session{}, s, "nothing that could be used")
			if len(token) > 20 {
				require.NotContains(t, err.Error(), token[:20])
			}
		})
	}
	_, err := ParseSession(good(nil), TokenRules{Domains: rules.Domains}, now)
	require.ErrorIs(t, err, ErrToken, "no secret, no token")
	_, err = ParseSession(good(nil), TokenRules{Secrets: rules.Secrets}, now)
	require.ErrorIs(t, err, ErrToken, "no domain, no token")
}

// Ensure that Auth0's validateToken takes what we sign, and that our own form does not.
func TestSign(t *testing.T) {
	s, err := ParseSession(forge(plain, claims(nil), older), rules, now)
	require.NoError(t, err)
	r := Return{
		ID: "0190", Issuer: "https://bridge.example", State: "hKFo2S&=é", At: now,
		Phone: "+4520123456",
	}
	token, err := s.Sign(r)
	require.NoError(t, err)
	again, err := s.Sign(r)
	require.NoError(t, err)
	require.Equal(t, token, again, "one return, one token")
	got := jwt.MapClaims{}
	key := func(*jwt.Token) (any, error) { return []byte(older), nil }
	clock := jwt.WithTimeFunc(func() time.Time { return now })
	_, err = jwt.ParseWithClaims(token, got, key, clock)
	require.NoError(t, err)
	require.Equal(t, jwt.MapClaims{
		"iss": "https://bridge.example", "sub": "auth0|5f7c", "aud": "login.acme.example",
		"state": "hKFo2S&=é", "jti": "0190", "iat": float64(now.Unix()),
		"exp": float64(now.Add(ReturnLife).Unix()), "phone_verified": true,
		"phone_number": "+4520123456",
	}, got)
	_, err = ParseSession(token, rules, now)
	require.ErrorIs(t, err, ErrToken, "a return token opens no form")

	token, err = s.Sign(Return{ID: "0191", State: "x", At: now, Reason: "canceled"})
	require.NoError(t, err)
	require.Contains(t, payloadOf(t, token), `"phone_verified":false`)
	require.Contains(t, payloadOf(t, token), `"reason":"canceled"`)
	require.NotContains(t, payloadOf(t, token), "phone_number")

	token, err = s.SignCode("x", "482913", now.Add(time.Minute))
	require.NoError(t, err)
	require.Contains(t, payloadOf(t, token), `"other":{"verification_code":"482913"}`)
	require.Contains(t, payloadOf(t, token), `"ip":"192.0.2.1"`)
	require.NotContains(t, s.claims, "other", "the session itself is unchanged")
}

func payloadOf(t *testing.T, token string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	return string(raw)
}

// No change of a single character makes another token, nor a second name for the same one.
func TestNoTokenHasTwoSpellings(t *testing.T) {
	token := good(nil)
	rapid.Check(t, func(t *rapid.T) {
		changed := []byte(token)
		at := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
		to := rapid.Byte().Filter(func(b byte) bool { return b != changed[at] }).Draw(t, "to")
		changed[at] = to
		if _, err := ParseSession(string(changed), rules, now); err == nil {
			t.Fatalf("believed with %q at %d", to, at)
		}
	})
}

func FuzzParseSession(f *testing.F) {
	f.Add(good(nil))
	for _, name := range slices.Sorted(maps.Keys(attacks(f))) {
		f.Add(attacks(f)[name])
	}
	f.Fuzz(func(t *testing.T, token string) {
		s, err := ParseSession(token, rules, now)
		if err != nil {
			require.True(t, err == ErrToken || err == ErrExpired)
			return
		}
		header, rest, _ := strings.Cut(token, ".")
		payload, _, _ := strings.Cut(rest, ".")
		mac := hmac.New(sha256.New, []byte(s.secret))
		mac.Write([]byte(header + "." + payload))
		signature := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		require.True(t, strings.HasSuffix(token, "."+signature), "believed without its signature")
		require.Contains(t, rules.Domains, s.Domain)
		require.Contains(t, rules.Domains, s.Issuer)
	})
}
