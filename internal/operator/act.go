package operator

import (
	"context"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Act is one thing that an operator did.
type Act struct {
	ID       string
	Operator string
	Act      string // login, hold, optout.add, …
	Subject  string // on what: an id, a tenant, a masked number
	Detail   string // short, without secrets
	At       time.Time
}

// Record records an act in the transaction that does it.
func Record(ctx context.Context, tx *store.Tx, a Act) error {
	err := tx.AddOperatorAct(ctx, db.AddOperatorActParams{
		ID: store.NewID(), Operator: a.Operator, Act: a.Act, Subject: a.Subject, Detail: a.Detail,
		At: tx.Moment(),
	})
	if err != nil {
		return fmt.Errorf("operator: recording what was done: %w", err)
	}
	return nil
}

// Acts returns what operators did, the newest first, at most most. Before is the ID of the last one
// that was shown, "" for none.
func Acts(ctx context.Context, view store.View, before string, most int) ([]Act, error) {
	if before == "" {
		before = store.AfterAll
	}
	rows, err := view.OperatorActsBefore(ctx,
		db.OperatorActsBeforeParams{Before: before, Most: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("operator: reading what was done: %w", err)
	}
	var all []Act
	for _, r := range rows {
		all = append(all, Act{r.ID, r.Operator, r.Act, r.Subject, r.Detail, r.At.Time})
	}
	return all, nil
}
