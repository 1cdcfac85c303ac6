package tenant

import (
	"encoding/base64"
	"encoding/hex"
	"slices"

	"smsbridge/internal/settings"
)

// This file judges secrets. A provider's key is the proof that a webhook is the provider's, and a
// key of ours opens a door or the database. So a key that an attacker guesses, or has from another
// place, is as bad as none. All of them are compared: the keys of the process, and every tenant's.
// Two tenants have a secret in common only where it is an account's at a provider. A secret that a
// tenant gives to its own app or identity provider is known there, and would open the other
// tenant's door.

// sealingKey is the length of a key that seals, in bytes, and fewestBytes how many of them differ
// at least. A random key has more than 20 that do, always.
const (
	sealingKey  = 32
	fewestBytes = 8
)

// checkSecrets judges every secret that no other check has reported.
func (l *loader) checkSecrets(s Settings) {
	known := settings.NewPlaces()
	l.CheckSecrets(known, settings.Rows(processOptions()), l.process)
	rows := settings.Rows(tenantOptions())
	for _, t := range s.Tenants.all {
		l.CheckSecrets(known, rows, l.given[t])
	}
}

// judgeRing judges the keys that seal the database: one, or a new one and old ones behind it.
func judgeRing(ring string) *settings.Mistake {
	const remedy = "make one with: openssl rand -hex 32"
	parts := settings.SplitRing(ring)
	var keys []string
	for _, part := range parts {
		key, ok := decodeKey(part)
		if !ok {
			break
		}
		if differentBytes(key) < fewestBytes {
			return settings.Wrong("is too weak: a key of 32 bytes has more than a few different ones",
				remedy)
		}
		if slices.Contains(keys, key) {
			return settings.Wrong("has one key twice",
				"keep one of the two, or put a new one before it: openssl rand -hex 32")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) < len(parts) {
		return settings.Wrong("is not a key of 32 bytes in hex or base64",
			remedy+"; old keys follow the new one, with commas between")
	}
	return nil
}

// decodeKey reads a key of 32 bytes as people write it.
func decodeKey(s string) (key string, ok bool) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if key, err := decode(s); err == nil && len(key) == sealingKey {
			return string(key), true
		}
	}
	return "", false
}

func differentBytes(key string) int {
	different := map[byte]bool{}
	for i := range len(key) {
		different[key[i]] = true
	}
	return len(different)
}
