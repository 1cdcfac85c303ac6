package challenge_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
)

// Ensure that a mail is asked about whose standing question ends after it was looked at, whether
// its sender is proved or not: the link of a mail is not held beside a question that is over.
func TestQuestionEndsUnderAResend(t *testing.T) {
	each(t, func(b bridge) {
		for _, author := range []string{idp, ""} {
			id := b.ask(b.question().by(author))
			b.send(id)
			c := b.get(id)
			next := b.askAfter(again(c).by(author), func(ctx context.Context, tx *store.Tx) error {
				return challenge.Deny(ctx, tx, c)
			})
			require.NotEqual(b, id, next)
			require.Equal(b, []string{"challenge.open", "challenge.denied"}, b.EventNames(id))
			require.Empty(b, b.row(id).HeldLink)
			require.Equal(b, []string{"due"}, b.texts(next))
			require.Equal(b, link+"2", b.clicked(b.get(next)))
		}
	})
}

// Ensure that a mail takes no link's place whose sender was proved after the mail was looked at.
func TestProvedMailComesUnderAResend(t *testing.T) {
	each(t, func(b bridge) {
		for _, author := range []string{"", "other@acme.example"} {
			c := b.get(b.ask(b.question()))
			proved, later := again(c).by(idp), again(c).by(author)
			later.Link = link + "3"
			id := b.askAfter(later, func(ctx context.Context, tx *store.Tx) error {
				_, err := proved.ask(ctx, tx)
				return err
			})
			require.Equal(b, c.ID, id)
			require.Equal(b, link+"2", b.clicked(c), "%q", author)
		}
	})
}

// askAfter asks about a mail, before which a step comes that was not there when it was looked at.
// On PostgreSQL another replica may make it.
func (b bridge) askAfter(
	q question, step func(ctx context.Context, tx *store.Tx) error,
) (id string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		asking, err := challenge.Consider(ctx, tx, q.asker, q.Question)
		if err != nil {
			return err
		}
		if err = step(ctx, tx); err != nil {
			return err
		}
		id, err = asking.Ask(ctx, tx)
		return err
	})
	return id
}

// Ensure that the end of a click whose held link was taken already takes no other one: the click of
// that link is under way. Nor does the first click submit a form any more.
func TestClickEndsAfterItsHeldLinkWasTaken(t *testing.T) {
	each(t, func(b bridge) {
		id := b.ask(b.question().by(idp))
		b.send(id)
		c := b.get(id)
		b.ask(again(c).by(idp))
		b.Do(accept(c))
		first, due := b.click(id)
		require.True(b, due)
		b.Do(finish(first, challenge.OutcomeExpired))
		second, due := b.click(id)
		require.True(b, due)
		require.Equal(b, link+"2", second.Link)
		newest := again(c).by(idp)
		newest.Link = link + "3"
		require.Equal(b, id, b.ask(newest))

		late := func(ctx context.Context, tx *store.Tx) error {
			return challenge.Submit(ctx, tx, id, first.Challenge.MailID)
		}
		require.ErrorIs(b, b.Try(late), challenge.ErrSubmitted)
		require.Zero(b, b.row(id).SubmittedAt, "the form of the second link is still to be submitted")
		b.tooLate(finish(first, challenge.OutcomeExpired))
		require.Equal(b, 2, b.Jobs("click_link", id), "one for each link that was clicked")
		require.Equal(b, challenge.Clicking, b.row(id).State)
		require.Equal(b, newest.MailID, b.row(id).HeldMailID)
	})
}

// tooLate makes a move that comes too late. Its caller passes over that, and commits.
func (b bridge) tooLate(move func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		require.ErrorIs(b, move(ctx, tx), challenge.ErrGone)
		return nil
	})
}

// Ensure that a yes which finds its question answered leaves no second click due: a click under way
// would be taken for one that a crash interrupted.
func TestLateYesMakesNoClickDue(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		b.Do(accept(c))
		b.tooLate(accept(c))
		require.Equal(b, 1, b.Jobs("click_link", c.ID))
	})
}
