package outbound

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// askedByApp is a question of the tenant's app, and the text that asks it, which is due.
func (w *world) askedByApp() (id, textID string) {
	w.t.Helper()
	id = store.NewID()
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := challenge.AskApp(ctx, tx, w.tenant(), challenge.AppQuestion{
			ID: id, Phone: w.phone(phone), Subject: "OK?", Life: time.Hour,
		})
		return err
	})
	return id, w.one("SELECT id FROM text WHERE challenge_id = '" + id + "'")
}

// Ensure that an app's question fails as soon as its text will not be sent: its phone opted out
// meanwhile, an operator's provider is gone, or the job was given up.
func TestAppQuestionThatIsNotSent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		failed := func(id string) {
			w.t.Helper()
			c := w.challenge(id)
			require.Equal(w.t, challenge.Failed, c.State)
			require.Equal(w.t, challenge.Unsent, c.Outcome)
		}
		id, textID := w.askedByApp()
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return lostText(ctx, tx, textID, "given up")
		})
		failed(id)

		id, textID = w.askedByApp()
		providers := w.tenant().Sending.Providers
		w.tenant().Sending.Providers = nil
		require.NoError(w.t, w.sendText(w.t.Context(), textID))
		w.tenant().Sending.Providers = providers
		failed(id)

		id, textID = w.askedByApp()
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, w.line(), w.phone(phone))
		})
		require.NoError(w.t, w.sendText(w.t.Context(), textID))
		failed(id)
	})
}
