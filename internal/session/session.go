// Package session reads the signed tokens with which Auth0 sends a log-in to the bridge, and makes those with which the log-in returns.
//
// It is for the hosted form. A session token is what api.redirect.encodeToken of Auth0's Actions makes, and a return token what its
// api.redirect.validateToken takes (https://auth0.com/docs/customize/actions/explore-triggers/signup-and-login-triggers/login-trigger/redirect-with-actions).
// It promises that a token is believed only when it is signed with HS256 and one of the tenant's secrets, whatever its header says, was issued by the
// tenant's Auth0, and is young; and that no error contains any of it. Everything here is a pure function of its arguments.
package session

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// MaxLife is the longest life of a session token that is believed: Auth0's default, 900 seconds.
	MaxLife = 15 * time.Minute
	// ReturnLife is how long a return token counts.
	ReturnLife = 5 * time.Minute
	// leeway is how far the clocks may be apart.
	leeway = 30 * time.Second

	maxToken   = 8 << 10 // bytes; browsers and proxies carry no more in a URL
	maxSubject = 255     // characters of a user's id at Auth0 are far fewer
	maxClaim   = 1 << 10 // bytes of any other claim that is used
)

// Why a session token is not believed.
var (
	// ErrToken: it is malformed, not signed by the tenant's Auth0, or not meant for the bridge.
	ErrToken = errors.New("session: not a token of this tenant")
	// ErrExpired: it was good, and is too old.
	ErrExpired = errors.New("session: the token has expired")
)

// Rules say which session tokens are believed.
type Rules struct {
	Secrets []string // shared with Auth0's Actions; several during a rotation
	Domains []string // the hosts of the tenant at Auth0, its custom domain included; where a log-in that names none returns first
}

// Session is what a session token says.
type Session struct {
	// Digest names the token: SHA-256, hexadecimal.
	Digest  string
	Subject string // the user's id at Auth0
	Issuer  string // the tenant at Auth0 that signed: one of the domains
	Domain  string // where the log-in is under way, and returns to: one of the domains
	Phone   string // as the Action gave it, "" for none
	Locale  string // BCP 47 tag, or several; "" for none
	Expires time.Time

	secret string
	claims jwt.MapClaims
}

// Parse reads a session token, or returns ErrToken or ErrExpired. Besides what encodeToken always puts into it (sub, iss, iat, exp) it may have the
// claims phone_number, locale, and domain: the host at which the log-in is under way, where there are several.
func Parse(token string, r Rules, now time.Time) (Session, error) {
	if len(token) > maxToken || strings.Trim(token, alphabet) != "" {
		return Session{}, ErrToken
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding(),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return now }),
	)
	expired := false
	for _, secret := range r.Secrets {
		claims := jwt.MapClaims{}
		parsed, err := parser.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(secret), nil })
		if errors.Is(err, jwt.ErrTokenExpired) { // which is only looked at once the signature is right
			expired = true
		}
		if err != nil || !plainHeader(parsed.Header) {
			continue
		}
		s, ok := read(claims, r.Domains)
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

// digest names a token that is believed. Strict decoding, and the alphabet, leave it a single spelling.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// plainHeader refuses headers with anything but what Auth0 writes: no key of the token's own, no extension that must be understood (RFC 7515
// section 4.1).
func plainHeader(header map[string]any) bool {
	for name, value := range header {
		text, ok := value.(string)
		if !ok || name != "alg" && (name != "typ" || !strings.EqualFold(text, "JWT")) {
			return false
		}
	}
	return true
}

// read takes from the claims what the form needs. Their signature and times have been judged, but for the life as a whole.
func read(claims jwt.MapClaims, domains []string) (Session, bool) {
	s := Session{claims: claims}
	issued, iatErr := claims.GetIssuedAt()
	expires, expErr := claims.GetExpirationTime()
	if iatErr != nil || expErr != nil || issued == nil || expires == nil {
		return s, false
	}
	s.Expires = expires.Time
	if life := expires.Sub(issued.Time); life <= 0 || life > MaxLife {
		return s, false
	}
	if _, audience := claims["aud"]; audience { // Auth0 writes none: it is a token for somebody else, such as one of ours
		return s, false
	}
	var issuer string
	for name, to := range map[string]*string{"sub": &s.Subject, "iss": &issuer, "domain": &s.Domain, "phone_number": &s.Phone, "locale": &s.Locale} {
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

// host is the host of an issuer: Auth0 writes the host alone, some Actions https://host/.
func host(issuer string) string {
	if rest, ok := strings.CutPrefix(issuer, "https://"); ok {
		return strings.TrimSuffix(rest, "/")
	}
	return issuer
}
