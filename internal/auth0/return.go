package auth0

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// This file makes return tokens: what api.redirect.validateToken of Auth0's Actions takes.

// Return is how a log-in comes back to Auth0.
type Return struct {
	ID     string    // names the return: the same ID and time make the same token
	Issuer string    // the bridge's public URL
	State  string    // of the redirect; validateToken compares it
	At     time.Time // when the phone was verified, or the log-in left without
	Phone  string    // the verified phone, E.164; "" when none was
	Reason string    // why none was: a word for the Action
}

// Sign makes the return token, signed with the secret that signed the session token. Its claims are
// iss, sub, aud (the log-in's domain), state, jti, iat, exp, phone_verified, and phone_number or
// reason. It contains no code.
func (s Session) Sign(r Return) (string, error) {
	claims := jwt.MapClaims{
		"iss": r.Issuer, "sub": s.Subject, "aud": s.Domain, "state": r.State, "jti": r.ID,
		"iat": r.At.Unix(), "exp": r.At.Add(ReturnLife).Unix(), "phone_verified": r.Phone != "",
	}
	if r.Phone != "" {
		claims["phone_number"] = r.Phone
	} else {
		claims["reason"] = r.Reason
	}
	return s.sign(claims)
}

// SignCode makes the return token of the redirect's original sample, whose Action compares the code
// itself. It has the claims of the session token, the state, and the code in
// other.verification_code. Everyone who sees the token can read the code.
//
// Source: https://github.com/pazel-io/auth0-twilio-phone-verification
func (s Session) SignCode(state, code string, now time.Time) (string, error) {
	claims := maps.Clone(s.claims)
	claims["state"], claims["iat"] = state, now.Unix()
	claims["exp"] = now.Add(ReturnLife).Unix()
	claims["other"] = map[string]string{"verification_code": code}
	return s.sign(claims)
}

// MAC authenticates texts of the form's own with the secret that signed the session token. It is
// hexadecimal. It is never a token's signature: its input begins with a byte that no token has.
func (s Session) MAC(texts ...string) string {
	mac := hmac.New(sha256.New, []byte(s.secret))
	for _, text := range append(texts, s.Digest) {
		mac.Write([]byte{0})
		mac.Write([]byte(text))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

func (s Session) sign(claims jwt.MapClaims) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(s.secret))
	if err != nil {
		return "", fmt.Errorf("auth0: signing: %w", err)
	}
	return token, nil
}
