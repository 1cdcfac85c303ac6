package auth0

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// This file reads session tokens: what api.redirect.encodeToken of Auth0's Actions makes
// (https://auth0.com/docs/customize/actions/explore-triggers/
// signup-and-login-triggers/login-trigger/redirect-with-actions).
// Everything here is a pure function of its arguments.

const (
	// SessionLife is the longest life of a session token that is believed: Auth0's default, 900
	// seconds.
	SessionLife = 15 * time.Minute
	// ReturnLife is how long a return token counts.
	ReturnLife = 5 * time.Minute
	// leeway is how far the clocks of Auth0 and the bridge may differ.
	leeway = 30 * time.Second

	maxToken   = 8 << 10 // bytes; browsers and proxies carry no more in a URL
	maxSubject = 255     // characters; a user's id at Auth0 is far shorter
	maxClaim   = 1 << 10 // bytes of any other claim that is used
)

// Why a session token is not believed.
var (
	// ErrToken: it is malformed, not signed by the tenant's Auth0, or not meant for the bridge.
	ErrToken = errors.New("auth0: not a session token of this tenant")
	// ErrExpired: its signature is right, and it is too old.
	ErrExpired = errors.New("auth0: the session token has expired")
)

// TokenRules say which session tokens are believed.
type TokenRules struct {
	Secrets []string // shared with Auth0's Actions; several during a rotation
	// Domains are the tenant's hosts at Auth0, its custom domain included. A log-in whose token
	// names none returns to the first.
	Domains []string
}

// Session is what a session token says.
type Session struct {
	Digest  string // names the token: SHA-256, hexadecimal
	Subject string // the user's id at Auth0
	Issuer  string // the tenant at Auth0 that signed: one of the domains
	Domain  string // where the log-in began and returns to: one of the domains
	Phone   string // as the Action gave it, "" for none
	Locale  string // BCP 47 tag, or several; "" for none
	Expires time.Time

	secret string
	claims jwt.MapClaims
}

// ParseSession reads a session token, or returns ErrToken or ErrExpired. No error contains any of
// the token.
//
// A token is believed only if all of this is true, whatever its header says: it is signed with
// HS256 and one of the secrets, the tenant's Auth0 issued it, and it is young. Besides what
// encodeToken always writes (sub, iss, iat, exp) it may have the claims phone_number, locale and
// domain. The domain is the host where the log-in began, if the tenant has several.
func ParseSession(token string, r TokenRules, now time.Time) (Session, error) {
	if len(token) > maxToken || strings.Trim(token, alphabet) != "" {
		return Session{}, ErrToken
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding(),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	expired := false
	for _, secret := range r.Secrets {
		claims := jwt.MapClaims{}
		parsed, err := parser.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) {
			return []byte(secret), nil
		})
		if errors.Is(err, jwt.ErrTokenExpired) { // judged only after the signature was right
			expired = true
		}
		if err != nil || !plainHeader(parsed.Header) {
			continue
		}
		s, ok := readClaims(claims, r.Domains)
		if !ok {
			return Session{}, ErrToken
		}
		s.Digest, s.secret = digest(token), secret
		return s, nil
	}
	if expired {
		return Session{}, ErrExpired
	}
	return Session{}, ErrToken
}

// alphabet has every character of a token (RFC 7515 section 7.1).
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// digest names a token that is believed. Strict decoding and the alphabet leave it one spelling.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// plainHeader refuses a header with anything but what Auth0 writes: a key of the token's own, or
// an extension that must be understood (RFC 7515 section 4.1).
func plainHeader(header map[string]any) bool {
	for name, value := range header {
		text, ok := value.(string)
		if !ok || name != "alg" && (name != "typ" || !strings.EqualFold(text, "JWT")) {
			return false
		}
	}
	return true
}

// readClaims takes what the form needs from the claims. The parser has judged the signature and
// each time; the life from iat to exp is judged here.
func readClaims(claims jwt.MapClaims, domains []string) (Session, bool) {
	s := Session{claims: claims}
	issued, iatErr := claims.GetIssuedAt()
	expires, expErr := claims.GetExpirationTime()
	if iatErr != nil || expErr != nil || issued == nil || expires == nil {
		return s, false
	}
	s.Expires = expires.Time
	if life := expires.Sub(issued.Time); life <= 0 || life > SessionLife {
		return s, false
	}
	// Auth0 writes no audience: a token with one is for another reader, as our return tokens are.
	if _, audience := claims["aud"]; audience {
		return s, false
	}
	var issuer string
	for name, to := range map[string]*string{
		"sub": &s.Subject, "iss": &issuer, "domain": &s.Domain, "phone_number": &s.Phone,
		"locale": &s.Locale,
	} {
		value, given := claims[name]
		text, ok := value.(string)
		if given && value != nil && (!ok || len(text) > maxClaim) {
			return s, false
		}
		*to = text
	}
	s.Issuer = host(issuer)
	if s.Domain == "" && len(domains) > 0 {
		s.Domain = domains[0]
	}
	known := slices.Contains(domains, s.Issuer) && slices.Contains(domains, s.Domain)
	return s, known && s.Subject != "" && len(s.Subject) <= maxSubject
}

// host is the host of an issuer: Auth0 writes the host alone, some Actions write https://host/.
func host(issuer string) string {
	if rest, ok := strings.CutPrefix(issuer, "https://"); ok {
		return strings.TrimSuffix(rest, "/")
	}
	return issuer
}
