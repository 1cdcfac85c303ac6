package store

import (
	"context"
	"time"

	"smsbridge/internal/store/db"
)

// Event is one entry of the timeline, which [Tx.Record] wrote: what happened to which row, and
// when.
type Event struct {
	ID, Tenant, Subject, Name, Detail string
	At                                time.Time
}

// Timeline returns the events after the one with the id after, oldest first. Their number is at
// most most. The id "" begins with the first event.
func Timeline(ctx context.Context, view View, after string, most int) ([]Event, error) {
	rows, err := view.EventsAfter(ctx, db.EventsAfterParams{ID: after, Most: int32(most)})
	if err != nil {
		return nil, err
	}
	events := make([]Event, len(rows))
	for i, row := range rows {
		events[i] = Event{row.ID, row.Tenant, row.Subject, row.Name, row.Detail, row.At.Time}
	}
	return events, nil
}
