package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Return is how a log-in comes back to Auth0.
type Return struct {
	ID     string    // of the return: the same token is made for the same ID and time
	Issuer string    // the bridge's public URL
	State  string    // the redirect's, which validateToken compares
	At     time.Time // when the phone was verified, or not
	Phone  string    // the verified phone, E.164; "" when none was
	Reason string    // why none was: a word for the Action
}

// Sign makes the return token, signed with the secret that signed the session token. Its claims are iss, sub, aud (the log-in's domain), state, jti,
// iat, exp, phone_verified, and phone_number or reason. No code is in it.
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

// SignCode makes the token of the redirect's original sample, whose Action compares the code itself: the session token's own claims, the state, and
// the code in other.verification_code. The code is readable by whoever sees the token.
//
// Source: https://github.com/pazel-io/auth0-twilio-phone-verification
func (s Session) SignCode(state, code string, now time.Time) (string, error) {
	claims := maps.Clone(s.claims)
	claims["state"], claims["iat"], claims["exp"] = state, now.Unix(), now.Add(ReturnLife).Unix()
	claims["other"] = map[string]string{"verification_code": code}
	return s.sign(claims)
}

// MAC authenticates texts of the form's own with the secret that signed the session token. It is hexadecimal, and never a token's signature: what is
// authenticated begins with a byte that no token has.
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
		return "", fmt.Errorf("session: signing: %w", err)
	}
	return token, nil
}
