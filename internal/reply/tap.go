package reply

import (
	"context"
	"errors"

	"smsbridge/internal/challenge"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

// Tapped is a short link that was tapped.
type Tapped struct {
	shortlink.Link
	Phone phonemail.Number // that was asked, no number when it leads on
}

// Tap takes the tap on the page of a short link: it accepts the question behind it, as a yes with
// its code would, or returns where the link leads on to. A question that was answered or ended
// before stays as it is. shortlink.ErrGone says that the link leads nowhere any more.
func Tap(ctx context.Context, tx *store.Tx, token string) (l Tapped, err error) {
	l.Link, err = shortlink.Get(ctx, tx, token)
	if err != nil || l.ChallengeID == "" {
		return l, err
	}
	c, err := challenge.Get(ctx, tx, l.ChallengeID)
	if errors.Is(err, challenge.ErrUnknown) {
		return l, shortlink.ErrGone
	}
	if err != nil {
		return l, err
	}
	l.Phone = c.Phone
	if err := challenge.Accept(ctx, tx, c); err != nil && !errors.Is(err, challenge.ErrGone) {
		return l, err
	}
	return l, nil
}
