package azuredurable

import (
	"context"
	"fmt"
	"slices"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// Filter says which instances are meant. The zero value means all.
type Filter struct {
	From, To time.Time // of their creation, both included; zero for no bound
	Statuses []Status  // none for any
	Prefix   string    // of their ids
}

const (
	// maxScan is how many instances one List looks at.
	maxScan = 1000
	// purgeBatch is how many instances one transaction of PurgeAll deletes at most: on SQLite every
	// webhook waits for the transaction.
	purgeBatch = 100
)

// List returns the instances that a filter means, the oldest first. Their number is at most most.
// The list begins after the token, "" for the start. The token in the result continues the list; it
// is "" at the end. There may be a token though no instance was found so far.
func List(
	ctx context.Context, tx store.View, tenant string, f Filter, token string, most int,
) ([]Instance, string, error) {
	to := f.To
	if to.IsZero() {
		to = tx.Now().Add(time.Hour) // later than any
	}
	rows, err := tx.ListDurableInstances(ctx, db.ListDurableInstancesParams{
		Tenant: tenant, After: max(token, before(f.From)), CreatedFrom: moment.Of(f.From),
		CreatedTo: moment.Of(to), Prefix: f.Prefix, Most: maxScan,
	})
	if err != nil {
		return nil, "", err
	}
	var found []Instance
	for n, row := range rows {
		if i := readJoined(row, tx.Now()); f.means(i) {
			found = append(found, i)
		}
		last := n == len(rows)-1
		if len(found) == most && !last || last && len(rows) == maxScan {
			return found, row.DurableInstance.ID, nil
		}
	}
	return found, "", nil
}

// skew is how much later a row's created_at may be than the time in its id: created_at is by the
// database's clock, the id by the replica's.
const skew = time.Hour

// before is a text that sorts before the ids of all instances that were created at a time or later.
// An id is a UUIDv7 and begins with the milliseconds since 1970 (RFC 9562 section 5.7).
func before(created time.Time) string {
	millis := created.Add(-skew).UnixMilli()
	if millis <= 0 {
		return ""
	}
	digits := fmt.Sprintf("%012x", millis)
	return digits[:8] + "-" + digits[8:]
}

func (f Filter) means(i Instance) bool {
	return len(f.Statuses) == 0 || slices.Contains(f.Statuses, i.Status)
}

// PurgeAll deletes the finished instances that a filter means and returns how many they were. It
// deletes them in batches, each in a transaction of its own. If ctx ends between two batches, the
// deleted ones stay deleted, and a retry goes on with the others.
func PurgeAll(ctx context.Context, s *store.Store, tenant string, f Filter) (int, error) {
	purged, token := 0, ""
	for {
		var some int
		var next string
		err := s.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			some, next, err = purge(ctx, tx, tenant, f, token)
			return err
		})
		if err != nil {
			return purged, err
		}
		purged += some
		if token = next; token == "" {
			return purged, nil
		}
	}
}

// purge deletes one batch, and returns how many instances that were and the token of the next
// batch.
func purge(
	ctx context.Context, tx *store.Tx, tenant string, f Filter, token string,
) (purged int, next string, err error) {
	found, next, err := List(ctx, tx, tenant, f, token, purgeBatch)
	if err != nil {
		return 0, "", err
	}
	for _, i := range found {
		if !i.Status.Finished() {
			continue
		}
		if err := drop(ctx, tx, i); err != nil {
			return 0, "", err
		}
		purged++
	}
	return purged, next, nil
}
