// Package cases tells what happened to the requests of one phone, in sentences. It lists the newest
// of all phones, and counts how far the mails of a time came.
//
// It is for the operator who is asked "I answered YES and nothing happened". A case is all that
// follows from one mail or one verification: its question, texts, replies, click and end.
//
// A case has the id of the row with which it began, and the question about a mail has the mail's
// id as its own. So most rows name their case without a column for it. A text that follows from a
// mail or a reply without a question has one. A mail that comes while its phone is being asked
// about the same has no case of its own: an event says which question stands for it. A reply that
// answered no question, or a text that follows from nothing else, is a case by itself. Questions
// of older versions have an id of their own, and are found by their mail's.
//
// It promises that no sentence has a number, a link, a code or words of a mail or text: only what
// the rules recorded. It changes nothing. The cases of a phone are found in whole tables, which
// takes about a second for each million rows. [Newest] and [Funnels] read what they tell of.
package cases

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Case is all that happened about one thing: a mail, a verification, a question of an app, a reply
// to no question, or a text of an app's own words.
type Case struct {
	ID     string    `json:"id"`
	Kind   Kind      `json:"kind"`
	Tenant string    `json:"tenant,omitempty"` // of a reply to no question it may be unknown
	Began  time.Time `json:"began"`
	Steps  []Step    `json:"steps"` // in their order
	// Mail is what was found in the mail, nil when nothing was looked for.
	Mail *mail.Report `json:"mail,omitempty"`
	// Clicks are those of the link, the first of them first.
	Clicks []challenge.Try `json:"clicks,omitempty"`
	Texts  []Text          `json:"texts,omitempty"`
	// NoText is why its last text has not reached the phone, or why there is none; "" when it has.
	NoText string `json:"no_text,omitempty"`
	// Remedy is what the operator can do about that, "" for nothing.
	Remedy string `json:"remedy,omitempty"`
}

// Kind is what a case is about.
type Kind string

// The kinds of a case.
const (
	OfMail         Kind = "mail"
	OfVerification Kind = "verification"
	OfReply        Kind = "reply"
	OfText         Kind = "text"
	OfQuestion     Kind = "question" // of an app
)

// Step is one thing that happened.
type Step struct {
	At   time.Time `json:"at"`
	Said string    `json:"said"`
}

// Errors of Whose.
var (
	// ErrUnknown: no row has that id.
	ErrUnknown = errors.New("cases: nothing has that id")
	// ErrSeveral: rows of several phones have it, as those of one mail to several.
	ErrSeveral = errors.New("cases: several phones have that id")
)

// Whose returns the phone of a case, by an id: of any of its rows, or the Message-Id of its mail.
// An id is also what a provider, a door or an app calls a text, reply, verification or question.
// The phone may be the digest that stands for a number after the retention. Whose returns
// ErrUnknown or ErrSeveral.
func Whose(ctx context.Context, view store.View, id string) (phonemail.Number, error) {
	if id == "" { // which is what a row has for an id that it has not got
		return phonemail.Number{}, ErrUnknown
	}
	var found []phonemail.Number
	for _, find := range []func(context.Context, string) ([]phonemail.Number, error){
		view.PhonesOfMail, view.PhonesOfChallenge, view.PhonesOfText, view.PhonesOfReply,
		view.PhonesOfVerification,
	} {
		phones, err := find(ctx, id)
		if err != nil {
			return phonemail.Number{}, fmt.Errorf("cases: finding an id: %w", err)
		}
		found = append(found, phones...)
	}
	switch {
	case len(found) == 0:
		return phonemail.Number{}, ErrUnknown
	case slices.ContainsFunc(found, func(p phonemail.Number) bool { return p != found[0] }):
		return phonemail.Number{}, ErrSeveral
	}
	return found[0], nil
}

// Of returns the cases of a phone, oldest first.
func Of(ctx context.Context, view store.View, phone phonemail.Number) ([]Case, error) {
	r, err := read(ctx, view, phone)
	if err != nil {
		return nil, err
	}
	var all []Case
	for _, m := range r.mails {
		if _, joined := r.first(m); !joined {
			all = append(all, r.ofMail(m))
		}
	}
	for _, v := range r.verifications {
		all = append(all, r.ofVerification(v))
	}
	for _, c := range r.challenges {
		if c.Purpose == challenge.App {
			all = append(all, r.ofQuestion(c))
		}
	}
	for _, reply := range r.replies {
		if r.stands(reply) {
			all = append(all, r.ofReply(reply))
		}
	}
	for _, t := range r.texts {
		if text.CaseOf(t) == t.ID && !r.isAboutAny(t) {
			all = append(all, r.ofText(t))
		}
	}
	for i := range all {
		slices.SortStableFunc(all[i].Steps, func(a, b Step) int { return a.At.Compare(b.At) })
	}
	slices.SortFunc(all, func(a, b Case) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// rows are all rows of a phone, and the events about them by the id of the row.
type rows struct {
	mails         []db.Mail
	challenges    []db.Challenge
	texts         []db.Text
	replies       []db.Reply
	verifications []db.Verification
	events        map[string][]db.Event
}

func read(ctx context.Context, view store.View, phone phonemail.Number) (r rows, err error) {
	gone := view.Pseudonym(phone)
	if r.mails, err = view.MailsOfPhone(ctx,
		db.MailsOfPhoneParams{Phone: phone, Gone: gone}); err != nil {
		return r, fmt.Errorf("cases: reading mails: %w", err)
	}
	r.challenges, err = view.ChallengesOfPhone(ctx,
		db.ChallengesOfPhoneParams{Phone: phone, Gone: gone})
	if err != nil {
		return r, fmt.Errorf("cases: reading questions: %w", err)
	}
	if r.texts, err = view.TextsOfPhone(ctx,
		db.TextsOfPhoneParams{Phone: phone, Gone: gone}); err != nil {
		return r, fmt.Errorf("cases: reading texts: %w", err)
	}
	r.replies, err = view.RepliesOfPhone(ctx, db.RepliesOfPhoneParams{Phone: phone, Gone: gone})
	if err != nil {
		return r, fmt.Errorf("cases: reading replies: %w", err)
	}
	r.verifications, err = view.VerificationsOfPhone(ctx,
		db.VerificationsOfPhoneParams{Phone: phone, Gone: gone})
	if err != nil {
		return r, fmt.Errorf("cases: reading verifications: %w", err)
	}
	r.sort()
	r.events = map[string][]db.Event{}
	for _, id := range r.ids() {
		if r.events[id], err = view.EventsOf(ctx, id); err != nil {
			return r, fmt.Errorf("cases: reading events: %w", err)
		}
	}
	return r, nil
}

// sort puts the rows into the order in which they were made, which is that of their ids. PostgreSQL
// returns them in another one: a row that changes moves behind the others.
func (r rows) sort() {
	slices.SortFunc(r.mails, func(a, b db.Mail) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.challenges, func(a, b db.Challenge) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.texts, func(a, b db.Text) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.replies, func(a, b db.Reply) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(r.verifications, func(a, b db.Verification) int {
		return cmp.Compare(a.ID, b.ID)
	})
}

// ids are those of the rows about which there are events that say more than the row.
func (r rows) ids() (all []string) {
	for _, m := range r.mails {
		all = append(all, m.ID)
	}
	for _, c := range r.challenges {
		all = append(all, c.ID)
	}
	for _, t := range r.texts {
		all = append(all, t.ID)
	}
	for _, v := range r.verifications {
		all = append(all, v.ID)
	}
	for _, reply := range r.replies {
		all = append(all, reply.ID)
	}
	return all
}

func (r rows) ofMail(m db.Mail) Case {
	c := Case{ID: m.ID, Kind: OfMail, Tenant: m.Tenant, Began: m.ReceivedAt.Time}
	if report := mail.ReportOf(m); m.Found != "" {
		c.Mail = &report
	}
	c.add(r.mail(m)...)
	for _, later := range r.mails {
		if first, joined := r.first(later); joined && first == m.ID {
			c.add(r.joining(later)...)
		}
	}
	asked := false
	for _, q := range r.challenges {
		if !r.asks(q, m) {
			continue
		}
		asked = true
		c.add(opened(q))
		for _, reply := range r.replies {
			if of, ok := r.questionOf(reply); ok && of.ID == q.ID {
				c.add(r.reply(reply)...)
			}
		}
		c.add(r.question(q)...)
		c.Clicks = append(c.Clicks, challenge.Tries(q)...)
	}
	var last *db.Text
	for i, t := range r.texts {
		if r.isAbout(t, m) {
			c.tell(r, t)
			last = later(last, &r.texts[i])
		}
	}
	switch {
	case m.State == mail.Refused:
		c.NoText, c.Remedy = m.Reason, remedy(m.Reason)
	case last != nil:
		c.NoText, c.Remedy = unreached(*last)
	case m.State == mail.Received:
		c.NoText = "the mail has not been examined yet"
	case !asked:
		c.NoText = "the phone was being asked about another mail already, which stands for this one"
	}
	return c
}

// first is the mail whose question stands for a later mail, if it is still held.
func (r rows) first(m db.Mail) (id string, joined bool) {
	for _, e := range r.events[m.ID] {
		if e.Name == mail.JoinedEvent && e.Detail != m.ID && r.hasMail(e.Detail) {
			return e.Detail, true
		}
	}
	return "", false
}

func (r rows) hasMail(id string) bool {
	return slices.ContainsFunc(r.mails, func(m db.Mail) bool { return m.ID == id })
}

// asks reports whether a question is that of a mail. One of an older version has an id of its own.
func (r rows) asks(q db.Challenge, m db.Mail) bool {
	if r.hasMail(q.ID) {
		return q.ID == m.ID
	}
	return q.MailID == m.ID || q.HeldMailID == m.ID
}

// isAbout reports whether a text is about a mail: it says so, or its question does. One that an
// older version made of what a mail carried says nothing: it was made in the transaction that ended
// the examination.
func (r rows) isAbout(t db.Text, m db.Mail) bool {
	if text.CaseOf(t) == m.ID {
		return true
	}
	if text.CaseOf(t) == t.ID {
		return t.Tenant == m.Tenant && t.CreatedAt == m.EndedAt &&
			(t.Purpose == text.Relay || t.Purpose == text.Prompt)
	}
	return slices.ContainsFunc(r.challenges, func(q db.Challenge) bool {
		return q.ID == t.ChallengeID && r.asks(q, m)
	})
}

func (r rows) isAboutAny(t db.Text) bool {
	return slices.ContainsFunc(r.mails, func(m db.Mail) bool { return r.isAbout(t, m) })
}

func later(last, t *db.Text) *db.Text {
	if last != nil && last.CreatedAt.After(t.CreatedAt.Time) {
		return last
	}
	return t
}

func (r rows) ofVerification(v db.Verification) Case {
	c := Case{ID: v.ID, Kind: OfVerification, Tenant: v.Tenant, Began: v.OpenedAt.Time}
	c.add(r.verification(v)...)
	for _, reply := range r.replies {
		if reply.ChallengeID == v.ID {
			c.add(r.reply(reply)...)
		}
	}
	var last *db.Text
	for i, t := range r.texts {
		if t.VerificationID == v.ID {
			c.tell(r, t)
			last = later(last, &r.texts[i])
		}
	}
	switch {
	case last != nil:
		c.NoText, c.Remedy = unreached(*last)
	case v.Reason != "":
		c.NoText, c.Remedy = string(v.Reason), remedy(string(v.Reason))
	}
	return c
}

// questionOf is the question that a reply answered, or the newest that was open when it came.
func (r rows) questionOf(reply db.Reply) (found db.Challenge, ok bool) {
	for _, c := range r.challenges {
		if c.ID == reply.ChallengeID {
			return c, true
		}
		over := c.EndedAt
		if over.IsZero() {
			over = c.ExpiresAt
		}
		open := c.Account == reply.Account && c.Sender == reply.Sender && reply.ChallengeID == "" &&
			!reply.ReceivedAt.Before(c.OpenedAt.Time) && !reply.ReceivedAt.After(over.Time)
		if open && !found.OpenedAt.After(c.OpenedAt.Time) {
			found, ok = c, true
		}
	}
	return found, ok
}

func (r rows) ofReply(reply db.Reply) Case {
	c := Case{ID: reply.ID, Kind: OfReply, Began: reply.ReceivedAt.Time}
	c.add(r.reply(reply)...)
	for _, e := range r.events[reply.ID] {
		c.Tenant = cmp.Or(c.Tenant, e.Tenant)
	}
	for _, t := range r.texts {
		if text.CaseOf(t) == reply.ID {
			c.tell(r, t)
			c.NoText, c.Remedy = unreached(t)
		}
	}
	return c
}

// stands reports whether a reply is a case by itself.
func (r rows) stands(reply db.Reply) bool {
	if _, answers := r.questionOf(reply); answers {
		return false
	}
	return !slices.ContainsFunc(r.verifications, func(v db.Verification) bool {
		return v.ID == reply.ChallengeID
	})
}

func (r rows) ofText(t db.Text) Case {
	c := Case{ID: t.ID, Kind: OfText, Tenant: t.Tenant, Began: t.CreatedAt.Time}
	c.tell(r, t)
	c.NoText, c.Remedy = unreached(t)
	return c
}

func (c *Case) add(steps ...Step) {
	for _, s := range steps {
		if s.Said != "" && !s.At.IsZero() {
			c.Steps = append(c.Steps, s)
		}
	}
}
