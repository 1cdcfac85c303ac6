package limit

import (
	"context"
	"fmt"
	"iter"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
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

// spending is a budget of a day of which something was spent.
type spending struct {
	slug, whose string
	budget      tenant.Budget
	// what the largest text takes, of those that were counted or refused for this budget
	segments, cost int64
}

// watch has an operator told at the end of what the budgets of a text have reached. The whole is
// reached when a text was refused for it, or when no other of its kind fits in. A text that was
// refused for another reason says nothing about a budget.
func (c count) watch(l *ledger, refusal *Refusal) {
	for key, s := range c.budgets() {
		if s.budget == (tenant.Budget{}) {
			continue
		}
		if refusal != nil {
			row := l.now[key]
			row.Segments, row.Money = row.Segments+int64(c.Segments), row.Money+c.Cost()
			if c.overDay(row, s.budget) == nil {
				continue
			}
			l.add([]db.TallyParams{{Key: key, WindowAt: moment.Of(c.now.Truncate(day))}})
		}
		if l.days == nil {
			l.days = map[string]spending{}
		}
		s.segments = max(l.days[key].segments, int64(c.Segments))
		s.cost = max(l.days[key].cost, c.Cost())
		l.days[key] = s
	}
}

// budgets are those of which a text takes, by the key of their row.
func (c count) budgets() iter.Seq2[string, spending] {
	return func(yield func(string, spending) bool) {
		limits := c.Tenant.Limits
		all := spending{whose: "all tenants", budget: limits.ProcessDay}
		own := spending{slug: c.Tenant.Slug, whose: "the tenant", budget: limits.Day}
		_ = yield(keyAll, all) && yield(c.tenant, own)
	}
}

// alert tells an operator once for each share of a budget that a row has reached.
func (s spending) alert(ctx context.Context, tx *store.Tx, row db.Tally) error {
	level := reached(s.budget, row, s.segments, s.cost)
	if level <= row.Alerted {
		return nil
	}
	key := keyAll
	if s.slug != "" {
		key = tenantKey(s.slug)
	}
	if err := tx.SetAlerted(ctx, db.SetAlertedParams{Key: key, Alerted: level}); err != nil {
		return err
	}
	detail := fmt.Sprintf("%d %% of the day of %s: %s", level, s.whose, spent(s.budget, row))
	return tell(ctx, tx, s.slug, "limit.budget", detail)
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
