package verification

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// KeyMemory is how long a retry of a request with an Idempotency-Key is known as one.
const KeyMemory = 48 * time.Hour

// ErrKeyReused says that the key came with another request before.
var ErrKeyReused = errors.New("verification: the key came with another request before")

// Key makes a request that its caller may retry. The database keeps only hashes of both fields.
type Key struct {
	Value string // as the caller chose it, "" for no key
	Asked string // what the caller asked for; two requests are the same when this is the same
}

// StartOnce is Start for a request whose caller may send it again: with the same key it returns the
// verification that the first request started. Requests that come at once start one verification.
// Besides the errors of Start it returns ErrKeyReused. The request has no ExternalID.
func StartOnce(ctx context.Context, tx *store.Tx, r Request, key Key) (Verification, error) {
	id := store.NewID()
	before, err := Once(ctx, tx, r.Tenant.Slug, key, id)
	if err != nil {
		return Verification{}, err
	}
	if before != "" {
		return Get(ctx, tx, r.Tenant.Slug, before)
	}
	v, _, err := start(ctx, tx, id, r)
	return v, err
}

// Once takes the key of a request that makes the row id. When the key came before, it returns the
// id that the first request made, or ErrKeyReused when that asked for something else. Without a
// key every request is a new one.
func Once(
	ctx context.Context, tx *store.Tx, tenant string, key Key, id string,
) (before string, err error) {
	if key.Value == "" {
		return "", nil
	}
	// The key is taken before the row is made. A request that comes at the same time waits here, and
	// then finds the key taken.
	n, err := tx.AddIdempotencyKey(ctx, db.AddIdempotencyKeyParams{
		Tenant: tenant, Key: key.hash(), Digest: key.digest(), VerificationID: id, At: tx.Moment(),
	})
	if err != nil {
		return "", fmt.Errorf("verification: adding a key: %w", err)
	}
	if n > 0 {
		return "", nil
	}
	first, err := tx.GetIdempotencyKey(ctx, db.GetIdempotencyKeyParams{
		Tenant: tenant, Key: key.hash(),
	})
	if err != nil {
		return "", fmt.Errorf("verification: reading a key: %w", err)
	}
	if first.Digest != key.digest() {
		return "", ErrKeyReused
	}
	return first.VerificationID, nil
}

func (k Key) hash() string {
	hash := sha256.Sum256([]byte(k.Value))
	return hex.EncodeToString(hash[:])
}

// digest tells whether two requests ask for the same. It is keyed with the key, of which the
// database knows only a hash. So a code in the request cannot be found by trying all codes.
func (k Key) digest() string {
	mac := hmac.New(sha256.New, []byte(k.Value))
	mac.Write([]byte(k.Asked))
	return hex.EncodeToString(mac.Sum(nil))
}
