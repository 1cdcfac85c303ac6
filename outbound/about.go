package outbound

import (
	"context"
	"log/slog"
	"time"

	"smsbridge/internal/cases"
	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// This file says of whom a line of the log is: every line about a request has the tenant, the case
// and the phone, which is masked.

func (w *Worker) about(tenant, caseID string, phone phonemail.Number) *slog.Logger {
	return w.Log.With("tenant", tenant, "case", caseID, "phone", phone)
}

func (w *Worker) ofQuestion(c challenge.Challenge) *slog.Logger {
	return w.about(c.Tenant, c.ID, c.Phone)
}

func (w *Worker) ofText(a text.Attempt) *slog.Logger { return w.about(a.Tenant, a.Case, a.Phone) }

func (w *Worker) ofVerification(v verification.Verification) *slog.Logger {
	return w.about(v.Tenant, v.ID, v.Phone)
}

// ofJob is about the row that a job has the id of, for a job that failed before it said so. It adds
// nothing when there is no such row, or when the database does not answer.
func (w *Worker) ofJob(ctx context.Context, id string) *slog.Logger {
	return w.Log.With(w.describe(context.WithoutCancel(ctx), id)...)
}

// describeWithin is how long a line of the log waits for the database.
const describeWithin = 2 * time.Second

// describe is what ofJob adds.
func (w *Worker) describe(ctx context.Context, id string) (attrs []any) {
	if id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, describeWithin)
	defer cancel()
	_ = w.Store.Read(ctx, func(ctx context.Context, view store.View) error {
		about, err := cases.About(ctx, view, id)
		if err == nil {
			attrs = []any{"tenant", about.Tenant, "case", about.Case, "phone", about.Phone}
		}
		return err
	})
	return attrs
}
