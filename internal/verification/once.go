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
	if key.Value != "" {
		// The key is taken before the verification starts. A request that comes at the same time
		// waits here, and then finds the key taken.
		n, err := tx.AddIdempotencyKey(ctx, db.AddIdempotencyKeyParams{
			Tenant: r.Tenant.Slug, Key: key.hash(), Digest: key.digest(), VerificationID: id,
			At: tx.Moment(),
		})
		if err != nil {
			return Verification{}, fmt.Errorf("verification: adding a key: %w", err)
		}
		if n == 0 {
			return startedWith(ctx, tx, r.Tenant.Slug, key)
		}
	}
	v, _, err := start(ctx, tx, id, r)
	return v, err
}

// startedWith returns the verification that the first request with the key started.
func startedWith(ctx context.Context, tx *store.Tx, tenant string, key Key) (Verification, error) {
	before, err := tx.GetIdempotencyKey(
		ctx,
		db.GetIdempotencyKeyParams{Tenant: tenant, Key: key.hash()},
	)
	if err != nil {
		return Verification{}, fmt.Errorf("verification: reading a key: %w", err)
	}
	if before.Digest != key.digest() {
		return Verification{}, ErrKeyReused
	}
	return Get(ctx, tx, tenant, before.VerificationID)
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
