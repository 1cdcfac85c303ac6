// Package cases tells what happened to the requests of one phone, in sentences.
//
// It is for the operator who is asked "I answered YES and nothing happened". A case is one mail
// or one verification, with its question, texts, replies, click and end. It has the id of that
// mail or verification. A reply that answered no question is a case by itself.
//
// It promises that no sentence has a number, a link, a code or words of a mail or text: only what
// the rules recorded. It changes nothing. It reads whole tables, so it takes about a second for
// each million rows.
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

// Case is all that happened about one mail, one verification, one question of an app, or one reply
// to no question.
type Case struct {
	ID     string    `json:"id"`
	Kind   Kind      `json:"kind"`
	Tenant string    `json:"tenant,omitempty"` // of a reply to no question it may be unknown
	Began  time.Time `json:"began"`
	Steps  []Step    `json:"steps"` // in their order
	// NoText is why its last text has not reached the phone, or why there is none; "" when it has.
	NoText string `json:"no_text,omitempty"`
	// Remedy is what the operator can do about that, "" for nothing.
	Remedy string `json:"remedy,omitempty"`
}

// Kind is what a case is about.
type Kind string

// The kinds of a case.
const (
	Mail         Kind = "mail"
	Verification Kind = "verification"
	Reply        Kind = "reply"
	Question     Kind = "question" // of an app
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

// Whose returns the phone of a case, by an id: of any of its rows, the Message-Id of its mail, or
// what a provider or a door calls its text, reply or verification. The phone may be the digest that
// stands for a number after the retention. Whose returns ErrUnknown or ErrSeveral.
func Whose(ctx context.Context, view store.View, id string) (phonemail.Number, error) {
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
		all = append(all, r.ofMail(m))
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
		if _, ok := r.questionOf(reply); !ok {
			all = append(all, r.ofReply(reply))
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
	r.events = map[string][]db.Event{}
	for _, id := range r.ids() {
		if r.events[id], err = view.EventsOf(ctx, id); err != nil {
			return r, fmt.Errorf("cases: reading events: %w", err)
		}
	}
	return r, nil
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
	c := Case{ID: m.ID, Kind: Mail, Tenant: m.Tenant, Began: m.ReceivedAt.Time}
	c.add(r.mail(m)...)
	asked := false
	for _, q := range r.challenges {
		if q.MailID != m.ID && q.HeldMailID != m.ID {
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
	}
	var last *db.Text
	for i, t := range r.texts {
		if r.isAbout(t, m) {
			c.add(r.text(t)...)
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

// isAbout reports whether a text is about a mail: by its question, or as what the mail carried,
// which is made in the transaction that ends the examination.
func (r rows) isAbout(t db.Text, m db.Mail) bool {
	if t.ChallengeID == "" {
		return t.VerificationID == "" && t.Tenant == m.Tenant && t.CreatedAt == m.EndedAt &&
			(t.Purpose == text.Relay || t.Purpose == text.Prompt)
	}
	return slices.ContainsFunc(r.challenges, func(q db.Challenge) bool {
		return q.ID == t.ChallengeID && (q.MailID == m.ID || q.HeldMailID == m.ID)
	})
}

func later(last, t *db.Text) *db.Text {
	if last != nil && last.CreatedAt.After(t.CreatedAt.Time) {
		return last
	}
	return t
}

func (r rows) ofVerification(v db.Verification) Case {
	c := Case{ID: v.ID, Kind: Verification, Tenant: v.Tenant, Began: v.OpenedAt.Time}
	c.add(r.verification(v)...)
	var last *db.Text
	for i, t := range r.texts {
		if t.VerificationID == v.ID {
			c.add(r.text(t)...)
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
	c := Case{ID: reply.ID, Kind: Reply, Began: reply.ReceivedAt.Time}
	c.add(r.reply(reply)...)
	for _, e := range r.events[reply.ID] {
		c.Tenant = cmp.Or(c.Tenant, e.Tenant)
	}
	return c
}

func (c *Case) add(steps ...Step) {
	for _, s := range steps {
		if s.Said != "" && !s.At.IsZero() {
			c.Steps = append(c.Steps, s)
		}
	}
}
