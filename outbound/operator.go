package outbound

import (
	"context"

	"smsbridge/internal/limit"
)

// tellOperator does the job tell_operator: it logs what an operator should know about the limits.
func (w *Worker) tellOperator(_ context.Context, b begun[limit.Told]) error {
	w.Log.Warn("limits", "tenant", b.row.Tenant, "event", b.row.Name, "detail", b.row.Detail)
	return nil
}
