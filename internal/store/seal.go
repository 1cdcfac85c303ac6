package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// sealer is AES-256-GCM under one key. A sealed value is "v1.KEYID.BASE64(nonce and ciphertext)";
// the key's id allows a second key later.
type sealer struct {
	aead cipher.AEAD
	id   string
}

func newSealer(key []byte) (sealer, error) {
	if len(key) != KeySize {
		return sealer{}, fmt.Errorf("store: the key has %d bytes, %d are needed", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, err
	}
	sum := sha256.Sum256(append([]byte("smsbridge key id\x00"), key...))
	return sealer{aead: aead, id: hex.EncodeToString(sum[:4])}, nil
}

// Seal returns plain encrypted for its place, as text. Empty stays empty: there is nothing to hide.
func (tx *Tx) Seal(p Place, plain []byte) string {
	if len(plain) == 0 {
		return ""
	}
	raw := tx.sealer.aead.Seal(nil, nil, plain, p.bytes())
	return "v1." + tx.sealer.id + "." + base64.RawStdEncoding.EncodeToString(raw)
}

func (r *reader) Open(p Place, sealed string) ([]byte, error) {
	if sealed == "" {
		return nil, nil
	}
	id, text, ok := strings.Cut(strings.TrimPrefix(sealed, "v1."), ".")
	if !ok || id != r.sealer.id || !strings.HasPrefix(sealed, "v1.") {
		return nil, ErrSealed
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrSealed
	}
	plain, err := r.sealer.aead.Open(nil, nil, raw, p.bytes())
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// ParseKey reads a key as people keep it: 32 bytes in hex (64 digits) or base64.
func ParseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if key, err := hex.DecodeString(text); err == nil && len(key) == KeySize {
		return key, nil
	}
	for _, encoding := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if key, err := encoding.DecodeString(text); err == nil && len(key) == KeySize {
			return key, nil
		}
	}
	return nil, errors.New("store: a key is 32 bytes in hex or base64;" +
		" make one with: openssl rand -hex 32")
}

// keyBeside reads the key that lies beside a SQLite file, or makes one for a file that does not
// exist yet. A missing key beside an existing file is an error: a new one could not open what the
// old one sealed.
func keyBeside(path string) ([]byte, error) {
	name := path + ".key"
	text, err := os.ReadFile(name)
	if err == nil {
		return ParseKey(string(text))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("store: reading the key: %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("store: the database %s exists but its key %s does not:"+
			" restore the key from your backup or set SMSBRIDGE_KEY to the one in use", path, name)
	}
	key := make([]byte, KeySize)
	rand.Read(key)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: making a key: %w", err)
	}
	_, err = file.WriteString(hex.EncodeToString(key) + "\n")
	// On disk before the first value is sealed with it.
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("store: making a key: %w", err)
	}
	return key, nil
}
