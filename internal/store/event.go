package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"smsbridge/internal/store/db"
	"smsbridge/internal/store/fact"
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

// pending are events that the calls of a group have recorded and no statement has written yet. The
// commit writes those of all calls together: on PostgreSQL each statement is a round trip.
type pending struct {
	events   []db.AddEventParams
	recorder Recorder // nil for none
	after    []func() // what it wants done once the transaction is on disk
	hearing  bool     // whether facts are kept, for those who count
	facts    []fact.Fact
	// announced are the ids that calls of the group have announced.
	announced []string
}

// A Recorder is called with each event that a transaction records, in that transaction. What it
// returns is done once the transaction is on disk; nil is nothing. It must return at once.
type Recorder func(ctx context.Context, tx *Tx, e Event) (after func(), err error)

// RecordWith has a Recorder called. Call it before Start.
func (s *Store) RecordWith(r Recorder) { s.recorder = r }

// mostPending is how many events wait at most. It bounds what a transaction that records thousands
// of them keeps in memory.
const mostPending = 512

// Record appends to the timeline: what happened to which row. Detail is short and holds no secret
// and no phone number. The event is written before the commit, or before this Tx reads events. So
// an error is nearly always the commit's, which then fails for every call of the group.
func (tx *Tx) Record(ctx context.Context, tenant, subject, name, detail string) error {
	return tx.RecordAbout(ctx, tenant, subject, name, detail, fact.About{})
}

// note has an event wait until it is written.
func (tx *Tx) note(ctx context.Context, tenant, subject, name, detail string) error {
	id := NewID()
	tx.events.events = append(tx.events.events, db.AddEventParams{
		ID: id, Tenant: tenant, Subject: subject, Name: name, Detail: detail, At: tx.Moment(),
	})
	if tx.events.recorder != nil {
		e := Event{id, tenant, subject, name, detail, tx.Moment().Time}
		after, err := tx.events.recorder(ctx, tx, e)
		if err != nil {
			return err
		}
		if after != nil {
			tx.events.after = append(tx.events.after, after)
		}
	}
	if len(tx.events.events) < mostPending {
		return nil
	}
	return tx.events.write(ctx, tx.Queries)
}

// write writes the events that wait. Those that an error kept from it wait on: they are of other
// calls too, and a caller's context may have ended.
func (p *pending) write(ctx context.Context, q *db.Queries) error {
	added, err := q.AddEvents(ctx, p.events)
	p.events = slices.Delete(p.events, 0, added)
	if err != nil {
		return fmt.Errorf("store: recording: %w", err)
	}
	return nil
}

// EventsAfter is the query of that name. It finds what this transaction has recorded, too.
func (tx *Tx) EventsAfter(ctx context.Context, arg db.EventsAfterParams) ([]db.Event, error) {
	if err := tx.events.write(ctx, tx.Queries); err != nil {
		return nil, err
	}
	return tx.reader.EventsAfter(ctx, arg)
}

// EventsOf is the query of that name. It finds what this transaction has recorded, too.
func (tx *Tx) EventsOf(ctx context.Context, subject string) ([]db.Event, error) {
	if err := tx.events.write(ctx, tx.Queries); err != nil {
		return nil, err
	}
	return tx.reader.EventsOf(ctx, subject)
}
