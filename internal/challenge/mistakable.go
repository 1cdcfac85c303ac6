package challenge

import (
	"context"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// This file says for which question a bare yes may have been meant.

// Mistakable returns the questions to a phone on a line that a yes might be meant for, oldest
// first: those without an end, and those that ended in the last lookalikeTime while no text said so
// to the phone. They went unanswered, or the app called its question off. Wrong codes may have
// ended them, or a yes that an app got, and that its person may repeat.
func Mistakable(
	ctx context.Context, view store.View, l phonemail.Line, phone phonemail.Number,
) (found []Challenge, err error) {
	rows, err := view.MistakableChallenges(ctx, db.MistakableChallengesParams{
		Account: l.Account, Sender: l.Sender, Phone: phone, Since: view.Moment().Add(-lookalikeTime),
	})
	for _, c := range readAll(rows, view.Now()) {
		if !c.Over() || view.Now().Sub(c.Ended) < lookalikeTime {
			found = append(found, c)
		}
	}
	return found, err
}

// MayRepeat reports whether a yes to c may be the one to another question once more: that one is
// being clicked, and had its yes before the prompt of c left.
func (c Challenge) MayRepeat(other Challenge) bool {
	return (other.State == Accepted || other.State == Clicking) && !c.asked.Before(other.Accepted)
}
