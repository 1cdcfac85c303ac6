package azuredurable

import (
	"context"
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

// maxScan is how many instances one List looks at.
const maxScan = 1000

// List returns the instances that a filter means, the oldest first, from the one after the token on: at most most of them. The token it returns
// continues the list; it is "" at the end. There may be a token though nothing was found so far.
func List(ctx context.Context, tx store.View, tenant string, f Filter, token string, most int) ([]Instance, string, error) {
	to := f.To
	if to.IsZero() {
		to = tx.Now().Add(time.Hour) // later than any
	}
	rows, err := tx.ListDurableInstances(ctx, db.ListDurableInstancesParams{
		Tenant: tenant, After: token, CreatedFrom: moment.Of(f.From), CreatedTo: moment.Of(to), Prefix: f.Prefix, Most: maxScan,
	})
	if err != nil {
		return nil, "", err
	}
	var found []Instance
	for n, row := range rows {
		if i := read(row, tx.Now()); f.means(i) {
			found = append(found, i)
		}
		if last := n == len(rows)-1; len(found) == most && !last || last && len(rows) == maxScan {
			return found, row.DurableInstance.ID, nil
		}
	}
	return found, "", nil
}

func (f Filter) means(i Instance) bool {
	return len(f.Statuses) == 0 || slices.Contains(f.Statuses, i.Status)
}

// PurgeAll forgets the finished instances that a filter means and returns how many they were.
func PurgeAll(ctx context.Context, tx *store.Tx, tenant string, f Filter) (int, error) {
	purged, token := 0, ""
	for {
		found, next, err := List(ctx, tx, tenant, f, token, maxScan)
		if err != nil {
			return 0, err
		}
		for _, i := range found {
			if !i.Status.Finished() {
				continue
			}
			if err := drop(ctx, tx, i); err != nil {
				return 0, err
			}
			purged++
		}
		if token = next; token == "" {
			return purged, nil
		}
	}
}
