package challenge

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

const (
	// GuessMemory is how long a wrong reply code counts against its phone.
	GuessMemory = 24 * time.Hour
	// MaxGuesses is how many comparisons with a wrong reply code a phone may cause in that time. A
	// text causes as many as there are questions that it may be meant for. The last text may cause
	// more than are left. With four digits and three open questions, that is a chance of
	// about one in a thousand a day.
	MaxGuesses = 10
)

// MayGuess reports whether a reply code of a phone may be compared, and has others wait that would
// compare one. Who can fake the sender of a text can guess. So wrong codes are counted for the
// phone: over all questions, lines and tenants, and whatever else it texts. Neither a right code
// nor STOP, START or a new question takes one back.
func MayGuess(ctx context.Context, tx *store.Tx, phone phonemail.Number) (bool, error) {
	kept, err := tx.LockReplyGuesses(ctx, db.LockReplyGuessesParams{Phone: phone, Now: tx.Moment()})
	return len(recent(kept, tx.Now())) < MaxGuesses, err
}

// CountGuess counts a wrong reply code of a phone, after MayGuess, once for each question with
// whose code it was compared. It returns how many are counted now.
func CountGuess(
	ctx context.Context, tx *store.Tx, phone phonemail.Number, compared int,
) (int, error) {
	kept, err := tx.GetReplyGuesses(ctx, phone)
	if err != nil {
		return 0, fmt.Errorf("challenge: counting a code: %w", err)
	}
	now := strconv.FormatInt(tx.Now().UnixMilli(), 10)
	wrong := append(recent(kept, tx.Now()), slices.Repeat([]string{now}, compared)...)
	return len(wrong), tx.SetReplyGuesses(ctx, db.SetReplyGuessesParams{
		Phone: phone, WrongAt: strings.Join(wrong, " "),
	})
}

// Blocked reports whether no reply code of a phone is compared any more today.
func Blocked(ctx context.Context, view store.View, phone phonemail.Number) (bool, error) {
	kept, err := view.GetReplyGuesses(ctx, phone)
	if store.Missing(err) {
		return false, nil
	}
	return len(recent(kept, view.Now())) >= MaxGuesses, err
}

// recent are those of the times in a row that still count.
func recent(kept string, now time.Time) (times []string) {
	for field := range strings.FieldsSeq(kept) {
		millis, err := strconv.ParseInt(field, 10, 64)
		if err == nil && now.Sub(time.UnixMilli(millis)) < GuessMemory {
			times = append(times, field)
		}
	}
	return times
}
