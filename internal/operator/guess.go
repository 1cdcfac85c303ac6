package operator

import (
	"context"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

const (
	// GuessMemory is how long wrong passwords count.
	GuessMemory = 15 * time.Minute
	// mostOfName and mostOfSource are how many there may be for a name, and from one network.
	mostOfName   = 10
	mostOfSource = 30
)

// Guess counts a password that is about to be compared. The source may be "". It reports
// true when it must not be compared: there were too many wrong ones.
func Guess(ctx context.Context, tx *store.Tx, name, source string) (slow bool, err error) {
	for _, g := range guessed(tx, name, source) {
		wrong, err := tx.CountOperatorGuess(ctx, db.CountOperatorGuessParams{
			Who: g.who, NowAt: tx.Moment(), SinceAt: tx.Moment().Add(-GuessMemory),
		})
		if err != nil {
			return false, fmt.Errorf("operator: counting a password: %w", err)
		}
		slow = slow || wrong > g.most
	}
	return slow, nil
}

// Right takes back what Guess counted: the password was right.
func Right(ctx context.Context, tx *store.Tx, name, source string) error {
	for _, g := range guessed(tx, name, source) {
		if _, err := tx.TakeBackOperatorGuess(ctx, g.who); err != nil {
			return fmt.Errorf("operator: taking back a guess: %w", err)
		}
	}
	return nil
}

// guesses is whose wrong passwords are counted, and how many there may be.
type guesses struct {
	who  string
	most int64
}

func guessed(view store.View, name, source string) []guesses {
	all := []guesses{{view.Fingerprint("operator name\x00" + name), mostOfName}}
	if source != "" {
		all = append(all, guesses{view.Fingerprint("operator source\x00" + source), mostOfSource})
	}
	return all
}
