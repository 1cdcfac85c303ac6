package challenge_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
)

// Ensure that only an accepted challenge is clicked, and that its end erases the link.
func TestClick(t *testing.T) {
	each(t, func(b bridge) {
		open := b.open()
		_, due := b.click(open.ID)
		require.False(b, due, "nobody has said yes")
		_, due = b.click("none")
		require.False(b, due)

		for o, state := range map[challenge.Outcome]challenge.State{
			challenge.OutcomeConfirmed: challenge.Confirmed, challenge.OutcomeAlready: challenge.Confirmed,
			challenge.OutcomeUsed: challenge.Failed, challenge.OutcomeUnknown: challenge.Failed,
		} {
			c := b.accepted()
			require.Equal(b, b.Now(), c.Accepted)
			require.Equal(b, 1, b.Jobs("click_link", c.ID))
			click, due := b.click(c.ID)
			require.True(b, due)
			require.Equal(b, link, click.Link)
			require.False(b, click.Again || click.Submitted || click.Spent)
			require.EqualValues(b, "clicking", b.row(c.ID).State)

			b.Do(finish(click, o))
			ended := b.row(c.ID)
			require.Equal(b, state, ended.State)
			require.EqualValues(b, o, ended.Outcome)
			require.Empty(b, ended.Link)
			require.Equal(b, b.Now(), ended.EndedAt.Time)
			require.ErrorIs(b, b.Try(finish(click, challenge.OutcomeConfirmed)), challenge.ErrGone)
			_, due = b.click(c.ID)
			require.False(b, due)
			b.Do(putBack(click))
			require.Equal(b, ended, b.row(c.ID), "the end is final")
		}
	})
}

func putBack(c challenge.Click) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.PutBack(ctx, tx, c) }
}

// Ensure that an interrupted click is begun once more, knowing what may have happened, and never
// a third time.
func TestInterruptedClick(t *testing.T) {
	each(t, func(b bridge) {
		first := b.clicking()
		id := first.Challenge.ID
		b.Do(b.submit(id))
		second, due := b.click(id)
		require.True(b, due)
		require.True(b, second.Again)
		require.True(b, second.Submitted)
		require.False(b, second.Spent)
		require.Equal(b, link, second.Link)
		require.ErrorIs(b, b.Try(b.submit(id)), challenge.ErrSubmitted)

		for range 2 {
			third, due := b.click(id)
			require.True(b, due)
			require.True(b, third.Spent)
			require.Equal(b, link, third.Link, "the person may still open it")
			require.EqualValues(b, 2, b.row(id).Clicks)
		}
		third, _ := b.click(id)
		b.Do(finish(third, challenge.OutcomeUnknown))
		require.EqualValues(b, "failed", b.row(id).State)
	})
}

// Ensure that a form is submitted once per challenge, however many workers race for it, and only
// while it is clicked.
func TestSubmitOnce(t *testing.T) {
	each(t, func(b bridge) {
		require.ErrorIs(b, b.Try(b.submit(b.accepted().ID)), challenge.ErrSubmitted, "nobody is clicking")
		for range 10 {
			id := b.clicking().Challenge.ID
			require.Equal(b, 1, b.race(challenge.ErrSubmitted, b.submit(id), b.submit(id), b.submit(id),
				b.submit(id)))
			require.NotZero(b, b.row(id).SubmittedAt)
		}
	})
}

// Ensure that a click that reached no server does not count, unless a form was about to be
// submitted.
func TestPutBack(t *testing.T) {
	each(t, func(b bridge) {
		c := b.clicking()
		for range 5 {
			b.Do(putBack(c))
			row := b.row(c.Challenge.ID)
			require.EqualValues(b, "accepted", row.State)
			require.Zero(b, row.Clicks)
			again, due := b.click(c.Challenge.ID)
			require.True(b, due)
			require.False(b, again.Again || again.Spent)
			require.Equal(b, link, again.Link)
		}
		b.Do(b.submit(c.Challenge.ID))
		b.Do(putBack(c))
		require.EqualValues(b, "clicking", b.row(c.Challenge.ID).State)
	})
}

// Ensure that a row tells how its last four clicks went, also those that were put back.
func TestTries(t *testing.T) {
	each(t, func(b bridge) {
		c := b.clicking()
		id := c.Challenge.ID
		c.Went = challenge.Try{Outcome: challenge.OutcomeUnreachable, Reason: "the host is down"}
		for range 5 {
			b.Pass(time.Second)
			b.Do(putBack(c))
			c, _ = b.click(id)
			c.Went = challenge.Try{Outcome: challenge.OutcomeUnreachable, Reason: "the host is down"}
		}
		c.Went = challenge.Try{Outcome: challenge.OutcomeConfirmed, Reason: "the page said so",
			Steps: []challenge.Step{{Method: "GET", Host: "login.acme.example", Status: 200}}}
		b.Do(finish(c, challenge.OutcomeConfirmed))
		tries := challenge.Tries(b.row(id))
		require.Len(b, tries, 4)
		c.Went.At = b.Now().UnixMilli()
		require.Equal(b, c.Went, tries[3])
		require.Equal(b, "the host is down", tries[2].Reason)
		require.NotContains(b, b.row(id).Click, "very-secret")

		lost := b.clicking()
		b.Do(finish(lost, challenge.OutcomeUnknown))
		require.Empty(b, challenge.Tries(b.row(lost.Challenge.ID)), "nothing was opened")
	})
}

// Ensure that of workers that race for one click one is the first and at most one other repeats it.
// Another question's click stays due.
func TestRacingClicks(t *testing.T) {
	each(t, func(b bridge) {
		other := b.accepted()
		for range 10 {
			c := b.accepted()
			var (
				clicks [4]challenge.Click
				due    [4]bool
				begin  []func(context.Context, *store.Tx) error
			)
			for i := range clicks {
				begin = append(begin, func(ctx context.Context, tx *store.Tx) (err error) {
					clicks[i], due[i], err = challenge.BeginClick(ctx, tx, c.ID)
					return err
				})
			}
			require.NoError(b, errors.Join(b.AtOnce(begin...)...))
			first, repeated := 0, 0
			for i, click := range clicks {
				switch {
				case !due[i] || click.Spent:
				case click.Again:
					repeated++
				default:
					first++
				}
			}
			require.Equal(b, 1, first)
			require.LessOrEqual(b, repeated, 1)
		}
		require.Equal(b, challenge.Accepted, b.row(other.ID).State)
	})
}

// Ensure that a link that Mailgun keeps, or that cannot be opened any more, is reported as
// missing, so that it is looked up.
func TestMissingLink(t *testing.T) {
	each(t, func(b bridge) {
		q := b.question()
		q.Link = ""
		kept := b.get(b.ask(q))
		require.Empty(b, b.row(kept.ID).Link)
		b.Do(accept(kept))
		click, due := b.click(kept.ID)
		require.True(b, due)
		require.Empty(b, click.Link)

		foreign := b.accepted()
		b.Exec("UPDATE challenge SET link = $1 WHERE id = $2", b.row(b.accepted().ID).Link, foreign.ID)
		click, due = b.click(foreign.ID)
		require.True(b, due)
		require.Empty(b, click.Link, "another row's link does not open")
	})
}
