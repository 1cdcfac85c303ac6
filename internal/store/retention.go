package store

import (
	"context"
	"fmt"

	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// The methods of this file drop rows that were made and have ended before a time, at most 1,000 of
// the oldest. A row that has not ended stays, however old it is. Each row has its end, and an id
// that tells when it was made. So the primary key finds what is old, and no row pays for an index
// by age. Ids come from the clocks of processes, and ends from that of the database. Where these
// differ, the later of the two counts.

// DropMailsBefore drops mails that were examined or refused.
func (tx *Tx) DropMailsBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropMails(ctx, db.DropMailsParams{FirstKept: firstID(t), At: t})
}

// DropChallengesBefore drops questions that have ended.
func (tx *Tx) DropChallengesBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropChallenges(ctx, db.DropChallengesParams{FirstKept: firstID(t), At: t})
}

// DropTextsBefore drops texts that will not be sent any more.
func (tx *Tx) DropTextsBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropTexts(ctx, db.DropTextsParams{FirstKept: firstID(t), At: t})
}

// DropVerificationsBefore drops verifications that have ended, and that no instance points to.
func (tx *Tx) DropVerificationsBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropVerifications(ctx, db.DropVerificationsParams{FirstKept: firstID(t), At: t})
}

// DropDurableInstancesBefore drops instances of Azure Durable Functions that have ended.
func (tx *Tx) DropDurableInstancesBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropDurableInstances(ctx, db.DropDurableInstancesParams{FirstKept: firstID(t), At: t})
}

// DropEventsBefore drops lines of the timeline.
func (tx *Tx) DropEventsBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropEvents(ctx, db.DropEventsParams{FirstKept: firstID(t), At: t})
}

// DropOperatorActsBefore drops what operators did.
func (tx *Tx) DropOperatorActsBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropOperatorActs(ctx, db.DropOperatorActsParams{FirstKept: firstID(t), At: t})
}

// DropCallbacksBefore drops what the tenants' apps were told.
func (tx *Tx) DropCallbacksBefore(ctx context.Context, t moment.Moment) (int64, error) {
	return tx.DropCallbacks(ctx, db.DropCallbacksParams{FirstKept: firstID(t), At: t})
}

// firstID sorts before every id that NewID makes at a time or later, and after all before.
func firstID(t moment.Moment) string {
	millis := uint64(t.UnixMilli())
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000000", millis>>16, millis&0xffff)
}
