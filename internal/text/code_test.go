package text_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
)

// Ensure that a code is not sent when a later text of its verification was made, or when that
// ended.
func TestCodeGoesWithItsVerification(t *testing.T) {
	each(t, func(b bridge) {
		for name, test := range map[string]struct {
			state  db.VerificationState
			resent time.Duration
			reason string
		}{
			"pending":         {"pending", 0, ""},
			"texted again":    {"pending", time.Millisecond, "texted again since"},
			"approved before": {"approved", 0, "the verification is over"},
		} {
			id, to := store.NewID(), b.Phone()
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.AddVerification(ctx, db.AddVerificationParams{
					ID: id, Tenant: "acme", Phone: to, OpenedAt: tx.Moment().Add(test.resent),
				})
				return err
			})
			b.Exec("UPDATE verification SET state = $1 WHERE id = $2", string(test.state), id)
			code := b.draft(text.Draft{
				Tenant: acme(), VerificationID: id, Line: line(), Phone: to, Purpose: text.Code,
				Body: "x", Deadline: b.Now().Add(time.Hour),
			})
			_, due := b.begin(code)
			require.Equal(b, test.reason == "", due, name)
			require.Equal(b, test.reason, b.row(code).Error, name)
		}
	})
}
