package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a sealing key in bytes: AES-256.
const KeySize = 32

// ErrSealed says that a value cannot be opened: another key sealed it, it belongs to another row,
// or it was changed.
var ErrSealed = errors.New("store: sealed value cannot be opened with this key in this place")

// Place is where a sealed value lives. It is authenticated with the value, so that a value copied
// elsewhere does not open.
type Place struct{ Table, ID, Column, Tenant string }

func (p Place) bytes() []byte {
	return []byte(strings.Join([]string{p.Table, p.ID, p.Column, p.Tenant}, "\x00"))
}

// sealer holds the keys. The first seals, and each of them opens what it has sealed. A sealed value
// is "v1.KEYID.BASE64(nonce and ciphertext)".
type sealer []sealKey

// sealKey is AES-256-GCM under one key.
type sealKey struct {
	aead cipher.AEAD
	id   string
}

func newSealer(keys ...[]byte) (sealer, error) {
	s := make(sealer, 0, len(keys))
	for _, key := range keys {
		k, err := newSealKey(key)
		if err != nil {
			return nil, err
		}
		s = append(s, k)
	}
	return s, nil
}

func newSealKey(key []byte) (sealKey, error) {
	if len(key) != KeySize {
		return sealKey{}, fmt.Errorf("store: the key has %d bytes, %d are needed", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealKey{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealKey{}, err
	}
	sum := sha256.Sum256(append([]byte("smsbridge key id\x00"), key...))
	return sealKey{aead: aead, id: hex.EncodeToString(sum[:4])}, nil
}

// seal returns plain encrypted for its place, under the first key.
func (s sealer) seal(p Place, plain []byte) string {
	raw := s[0].aead.Seal(nil, nil, plain, p.bytes())
	return sealedBy(s[0].id) + base64.RawStdEncoding.EncodeToString(raw)
}

// sealedBy is how a value begins that a key sealed.
func sealedBy(id string) string { return "v1." + id + "." }

func (s sealer) open(p Place, sealed string) ([]byte, error) {
	for _, key := range s {
		text, ok := strings.CutPrefix(sealed, sealedBy(key.id))
		if !ok {
			continue
		}
		raw, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return nil, ErrSealed
		}
		plain, err := key.aead.Open(nil, nil, raw, p.bytes())
		if err != nil {
			return nil, ErrSealed
		}
		return plain, nil
	}
	return nil, ErrSealed
}

// Seal returns plain encrypted for its place, as text. Empty stays empty: there is nothing to hide.
func (tx *Tx) Seal(p Place, plain []byte) string {
	if len(plain) == 0 {
		return ""
	}
	return tx.sealer.seal(p, plain)
}

func (r *reader) Open(p Place, sealed string) ([]byte, error) {
	if sealed == "" {
		return nil, nil
	}
	return r.sealer.open(p, sealed)
}
