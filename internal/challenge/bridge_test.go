package challenge_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// bridge is a storetest.Bench with what is done to challenges.
type bridge struct{ storetest.Bench }

// each runs test on a new store of each database.
func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(bridge{b}) })
}

func (b bridge) run(name string, f func(b bridge)) {
	b.Run(name, func(t *testing.T) { b.T = t; f(b) })
}

func (b bridge) row(id string) (c db.Challenge) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = tx.GetChallenge(ctx, id)
		return err
	})
	return c
}

func (b bridge) get(id string) (c challenge.Challenge) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = challenge.Get(ctx, tx, id)
		return err
	})
	return c
}

// texts are the states of the texts that a challenge had sent, oldest first.
func (b bridge) texts(challengeID string) []string {
	b.Helper()
	return b.Strings("SELECT state FROM text WHERE challenge_id = $1 ORDER BY id", challengeID)
}

// send begins the sending of all due texts of a challenge.
func (b bridge) send(challengeID string) {
	b.Helper()
	for _, id := range b.Strings("SELECT id FROM text WHERE state = 'due' AND challenge_id = $1"+
		" ORDER BY id", challengeID) {
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := text.Begin(ctx, tx, id)
			return err
		})
	}
}

// race runs the moves at once and returns how many came to nil. The others must come to lost.
func (b bridge) race(lost error, moves ...func(ctx context.Context, tx *store.Tx) error) (won int) {
	b.Helper()
	for _, err := range b.AtOnce(moves...) {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(b, err, lost)
	}
	return won
}

const link = "https://login.acme.example/verify?ticket=very-secret"

// asker is a tenant that takes a bare yes about passwords too.
func asker(slug string, life time.Duration) *tenant.Tenant {
	return &tenant.Tenant{
		Slug: slug, Name: slug, Works: tenant.Works{Links: []string{"DK"}},
		Question: tenant.Question{
			Answer: tenant.ByReply, Accept: []string{"YES"}, Deny: []string{"NO"}, ValidFor: life,
			UnsafeBareYes: true,
		},
		Sending: tenant.Sending{Twilio: tenant.Twilio{AccountSID: "AC1", From: "+15005550006"}},
	}
}

// tell tells a phone how a challenge stands.
func tell(
	ctx context.Context, tx *store.Tx, c challenge.Challenge, purpose text.Purpose, body string,
) error {
	said := challenge.Said{Purpose: purpose, Body: body}
	return challenge.Tell(ctx, tx, asker(c.Tenant, time.Minute), c, said)
}

// question is a question with the tenant that asks it.
type question struct {
	challenge.Question
	asker *tenant.Tenant
}

// question is what a tenant asks a phone that was never asked before.
func (b bridge) question() question {
	b.Helper()
	phone := b.Phone()
	return question{
		challenge.Question{
			MailID: store.NewID(), Phone: phone, Purpose: challenge.Registration, Link: link,
			Recipient: "acme" + phone.E164() + "@sms.acme.example",
		}, asker("acme", 10*time.Minute),
	}
}

// line is the line on which a question is asked.
func (q question) line() phonemail.Line {
	return q.asker.Line(q.Phone)
}

// ask asks about a mail. When that one has its question, it is another mail that asks the same.
func (q question) ask(ctx context.Context, tx *store.Tx) (string, error) {
	if _, err := challenge.Get(ctx, tx, q.MailID); err == nil {
		q.MailID = store.NewID()
	} else if !errors.Is(err, challenge.ErrUnknown) {
		return "", err
	}
	a, err := challenge.Consider(ctx, tx, q.asker, q.Question)
	if err != nil {
		return "", err
	}
	return a.Ask(ctx, tx)
}

func (b bridge) ask(q question) (id string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		id, err = q.ask(ctx, tx)
		return err
	})
	return id
}

// open is an open challenge whose phone has its prompt.
func (b bridge) open() challenge.Challenge {
	b.Helper()
	id := b.ask(b.question())
	b.send(id)
	return b.get(id)
}

func accept(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.Accept(ctx, tx, c) }
}

func deny(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.Deny(ctx, tx, c) }
}

func cancel(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return challenge.Cancel(ctx, tx, c, "stop")
	}
}

func expire(c challenge.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.ExpireDue(ctx, tx, c.ID) }
}

// accepted is a challenge to which its phone has said yes.
func (b bridge) accepted() challenge.Challenge {
	b.Helper()
	c := b.open()
	b.Do(accept(c))
	return b.get(c.ID)
}

func (b bridge) click(id string) (c challenge.Click, due bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, due, err = challenge.BeginClick(ctx, tx, id)
		return err
	})
	return c, due
}

// clicking is a challenge whose link is being redeemed.
func (b bridge) clicking() challenge.Click {
	b.Helper()
	c, due := b.click(b.accepted().ID)
	require.True(b, due)
	return c
}

func finish(c challenge.Click, o challenge.Outcome) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return challenge.Finish(ctx, tx, nil, c, o)
	}
}

// submit submits a form for the link that a challenge has now.
func (b bridge) submit(id string) func(context.Context, *store.Tx) error {
	mailID := b.row(id).MailID
	return func(ctx context.Context, tx *store.Tx) error {
		return challenge.Submit(ctx, tx, id, mailID)
	}
}
