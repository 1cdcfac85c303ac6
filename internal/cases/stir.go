package cases

import (
	"context"
	"fmt"

	"smsbridge/internal/store"
)

// Stirred is how many events there are about a case and its texts. A page that follows a case reads
// it anew when there are more. To count them costs a few rows, and a case costs whole tables.
func (c Case) Stirred(ctx context.Context, view store.View) (n int, err error) {
	ids := []string{c.ID}
	for _, t := range c.Texts {
		ids = append(ids, t.ID)
	}
	for _, id := range ids {
		events, err := view.EventsOf(ctx, id)
		if err != nil {
			return 0, fmt.Errorf("cases: counting events: %w", err)
		}
		n += len(events)
	}
	return n, nil
}
