package limit

import (
	"context"
	"fmt"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
)

// TellOperator is the job that logs what was recorded about the subject ID.
type TellOperator struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (TellOperator) Kind() string { return "tell_operator" }

// tell records what an operator should know, and has it logged.
func tell(ctx context.Context, tx *store.Tx, slug, name, detail string) error {
	id := store.NewID()
	tx.Enqueue(TellOperator{id})
	return tx.Record(ctx, slug, id, name, detail)
}

// Told is what an operator should know.
type Told struct{ Tenant, Name, Detail string }

// ToldOf returns what was recorded about a subject. The second result is false when nothing was.
func ToldOf(ctx context.Context, view store.View, id string) (Told, bool, error) {
	events, err := view.EventsOf(ctx, id)
	if err != nil || len(events) == 0 {
		return Told{}, false, err
	}
	return Told{events[0].Tenant, events[0].Name, events[0].Detail}, true, nil
}

// alerts are the shares of a budget, in percent, at which an operator is told.
var alerts = [...]int64{100, 80, 50}

// alert tells an operator once for each share of a budget that the text has reached. The whole is
// reached when the text was refused for it, or when no other of its kind fits in.
func (c count) alert(
	ctx context.Context, tx *store.Tx, now map[string]db.Tally, refusal *Refusal,
) error {
	for _, of := range []struct {
		key, slug, whose string
		budget           tenant.Budget
	}{
		{keyAll, "", "all tenants", c.Tenant.Limits.ProcessDay},
		{c.tenant, c.Tenant.Slug, "the tenant", c.Tenant.Limits.Day},
	} {
		row := now[of.key]
		level := reached(of.budget, row, int64(c.Segments), c.Cost())
		if level <= row.Alerted {
			continue
		}
		if refusal != nil && c.overDay(row, of.budget) == nil {
			continue // it was refused for another reason, and is not counted here
		}
		err := tx.SetAlerted(ctx, db.SetAlertedParams{Key: of.key, Alerted: level})
		if err != nil {
			return err
		}
		detail := fmt.Sprintf("%d %% of the day of %s: %s", level, of.whose, spent(of.budget, row))
		if err := tell(ctx, tx, of.slug, "limit.budget", detail); err != nil {
			return err
		}
	}
	return nil
}

// reached is the highest share of a budget that a row has reached, 0 for none.
func reached(b tenant.Budget, row db.Tally, segments, cost int64) (level int64) {
	for _, one := range [][3]int64{
		{int64(b.Segments), row.Segments, segments}, {int64(b.Money), row.Money, cost},
	} {
		most, used, next := one[0], one[1], one[2]
		for _, share := range alerts {
			if most != 0 && (used*100 >= most*share || share == 100 && used+next > most) {
				level = max(level, share)
			}
		}
	}
	return level
}

// spent says what of a budget is spent.
func spent(b tenant.Budget, row db.Tally) (s string) {
	if b.Segments != 0 {
		s = fmt.Sprintf("%d of %d segments", min(row.Segments, int64(b.Segments)), b.Segments)
	}
	if b.Money != 0 {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf("%s of %s dollars", price.Micro(row.Money), b.Money)
	}
	return s
}
