package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// What stays of an erased phone is a digest of its number under a key. A digest also stands in rows
// that are found by a value which they must not have. All numbers of a country can be tried in a
// moment, so that a plain hash would hide none. The key is random, belongs to the database, and is
// sealed in it as links and codes are: it survives a change of the sealing keys, and is of no use
// in a copy of the database alone.

// digestKeyID is the row of the digests' key.
const digestKeyID = "phone-digest"

// digestBytes is how much of a digest is kept: too much for two phones to share one.
const digestBytes = 16

// digestKey makes digests.
type digestKey []byte

// openDigestKey reads the key of the digests, or makes one for a database that has none.
func openDigestKey(ctx context.Context, q *db.Queries, s sealer) (digestKey, error) {
	place := Place{Table: "secret", ID: digestKeyID, Column: "value", Tenant: ""}
	sealed, err := q.GetSecret(ctx, digestKeyID)
	if Missing(err) {
		fresh := make([]byte, sha256.Size)
		rand.Read(fresh)
		// Another replica may be first. Then its key counts.
		add := db.AddSecretParams{ID: digestKeyID, Value: s.seal(place, fresh)}
		if err := q.AddSecret(ctx, add); err != nil {
			return nil, fmt.Errorf("store: making the digests' key: %w", err)
		}
		sealed, err = q.GetSecret(ctx, digestKeyID)
	}
	if err != nil {
		return nil, fmt.Errorf("store: reading the digests' key: %w", err)
	}
	key, err := s.open(place, sealed)
	if err != nil {
		return nil, fmt.Errorf("store: the digests' key: %w", err)
	}
	return key, nil
}

// Pseudonym is what stands for a phone once its number is erased. That of a pseudonym is itself.
func (r *reader) Pseudonym(phone phonemail.Number) phonemail.Number {
	return r.digests.pseudonym(phone)
}

func (k digestKey) pseudonym(phone phonemail.Number) phonemail.Number {
	if phone == (phonemail.Number{}) || phone.Erased() {
		return phone
	}
	return phonemail.Pseudonym(k.digest("phone\x00" + phone.E164()))
}

// Fingerprint stands for a value by which rows are found. The database alone does not tell which
// value that is, however few there may be. Two kinds of values need different beginnings.
func (r *reader) Fingerprint(value string) string { return r.digests.digest("row\x00" + value) }

func (k digestKey) digest(value string) string {
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(value))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:digestBytes])
}
