package tenant

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
)

// Codes says how a tenant's one-time codes are made, texted and limited.
type Codes struct {
	Length   int           // digits of a drawn code, 4 to 10
	ValidFor time.Duration // 1 minute to 24 hours
	Attempts int           // codes that may be presented for one verification
	Wrong    int           // wrong codes a phone may have in 24 hours
	Sends    int           // texts with the code of one verification, the first included
	Gap      time.Duration // between two of them
	Renew    bool          // each text has a new code
	Locale   string        // of those whose app asks for none; "" for that of the number's country
	OrgName  string        // the name in the texts of codes, "" for the tenant's
	// Domain is the web site that a code is for, also a relayed one, as phones bind it:
	// https://wicg.github.io/sms-one-time-codes/
	Domain string

	text wording.Text // zero for the shipped wording
}

// APIKey is a key of a tenant's app, of which only the digest is known. The key is random, so its
// digest need not be slow.
type APIKey struct {
	Name   string // for logs
	Digest [sha256.Size]byte
}

// Callback is where a tenant's app is told how verifications ended, and the secrets that sign it.
// The zero value tells no app.
type Callback struct {
	URL     string
	Secrets []settings.Secret // whsec_ and base64; several during a rotation
}

// Keys returns what signs a callback.
//
// Source: https://github.com/standard-webhooks/standard-webhooks (spec/standard-webhooks.md)
func (c Callback) Keys() [][]byte {
	var keys [][]byte
	for _, secret := range c.Secrets {
		if key, ok := callbackKey(secret.Reveal()); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func callbackKey(secret string) ([]byte, bool) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	return key, ok && err == nil && len(key) >= 24 && len(key) <= 64
}

// ByAPIKey returns the tenant that an API key belongs to, and the key's name. Every key is
// compared, each in constant time.
func (s Set) ByAPIKey(key string) (found *Tenant, name string, ok bool) {
	digest := sha256.Sum256([]byte(key))
	for _, t := range s.all {
		for _, k := range t.API.Keys {
			if subtle.ConstantTimeCompare(digest[:], k.Digest[:]) == 1 {
				found, name, ok = t, k.Name, true
			}
		}
	}
	return found, name, ok
}

// CodeText returns the text that says a code, in the tenant's own wording or else in a language of
// the catalogue, "" being the tenant's. With a Codes.Domain it ends with the line by which browsers
// know the site the code is for.
//
// Source: https://wicg.github.io/sms-one-time-codes/
func (t *Tenant) CodeText(code, locale string) string {
	return t.codeText(code, locale, t.Codes.Domain)
}

func (t *Tenant) codeText(code, locale, domain string) string {
	text := t.Codes.text
	if text.IsZero() {
		text = wording.ShippedCode(cmp.Or(locale, t.Codes.Locale, t.ownLanguage()))
	}
	said := text.Fill(wording.Fields{Code: code, Name: t.codeName()})
	if domain == "" {
		return said
	}
	return said + "\n\n@" + domain + " #" + code
}

// codeName is the name in the texts of codes.
func (t *Tenant) codeName() string {
	if t.Codes.OrgName != "" {
		return t.Codes.OrgName
	}
	return t.Name
}
