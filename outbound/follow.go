package outbound

import (
	"context"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// recordAndText commits what came of an effect, and sends at once the texts that this makes due.
// Their sending begins in the same transaction: between two effects there is one commit. When the
// worker dies before it has sent them, the sweep finds them. Said logs what is on disk by then.
func (w *Worker) recordAndText(
	ctx context.Context, f func(ctx context.Context, tx *store.Tx) error, said func(),
) error {
	var texts []begun[sending]
	err := w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		texts = nil
		if err := f(ctx, tx); err != nil {
			return err
		}
		for _, due := range store.Withdraw[text.SendText](tx) {
			s, wanted, err := w.beginText(ctx, tx, due.ID)
			if err != nil {
				return err
			}
			if wanted {
				texts = append(texts, begun[sending]{due.ID, s, tx.Now(), sendLimits()})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	said()
	for _, b := range texts {
		w.follow(ctx, b)
	}
	return nil
}

// follow sends a text as the next step of another job. That job is done, whatever becomes of the
// text: so a failure is only logged and counted.
func (w *Worker) follow(ctx context.Context, b begun[sending]) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.within)
	defer cancel()
	err := store.Survive("a job", func() error {
		return traced(ctx, w, text.SendText{}.Kind(), b, w.sendText)
	})
	if err != nil {
		j, _ := w.kind(text.SendText{}.Kind())
		j.failed.Add(1)
		w.ofText(b.row.Attempt).ErrorContext(ctx,
			"a text's sending failed, and it is looked for at its provider",
			"kind", j.kind, "id", b.id, "error", err)
	}
}
