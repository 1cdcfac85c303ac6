package cases

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// Brief is a case in one line.
type Brief struct {
	ID     string
	Kind   Kind
	What   string // the kind of the mail, the door of the verification, or whose question it is
	Tenant string
	Phone  phonemail.Number
	Began  time.Time
	State  State
	Said   string // the state in words
}

// State says how it is with a case.
type State string

// The states. A text that does not reach its phone makes a case fail, whatever else there is.
const (
	Running   State = "running"   // the bridge or the person has something to do
	Confirmed State = "confirmed" // a yes had its effect, or the right code came
	Handed    State = "handed on" // what the mail had is with the person
	Unwanted  State = "ended"     // no, STOP, too late, or another took its place
	Failed    State = "failed"    // refused, or it went wrong
)

// States are all states.
func States() []State { return []State{Running, Confirmed, Handed, Unwanted, Failed} }

// Filter says which cases are looked for.
type Filter struct {
	Tenant string // "" for all
	State  State  // "" for all
}

func (f Filter) fits(b Brief) bool {
	return (f.Tenant == "" || f.Tenant == b.Tenant) && (f.State == "" || f.State == b.State)
}

const (
	// readAtOnce is how many mails, as many verifications and as many questions of apps are read to
	// find what is looked for.
	readAtOnce = 200
	// readsOfPage bounds how often that is done for one page.
	readsOfPage = 5
)

// Newest returns the newest cases that are looked for, at most most, out of those before an id; ""
// begins with the newest. Next is the id before which the search goes on, "" when there are no
// more. It reads a bounded number of rows, so that a page may have few cases and a next one.
func Newest(
	ctx context.Context, view store.View, f Filter, before string, most int,
) (found []Brief, next string, err error) {
	if before == "" {
		before = store.AfterAll
	}
	for range readsOfPage {
		some, last, err := someBefore(ctx, view, before)
		if err != nil {
			return nil, "", err
		}
		for _, b := range some {
			if !f.fits(b) {
				continue
			}
			if len(found) == most {
				return found, found[most-1].ID, nil
			}
			found = append(found, b)
		}
		if before = last; last == "" || len(found) == most {
			break
		}
	}
	return found, before, nil
}

// Find returns the case of an id, with its phone: a mail, also one for which the question of
// another stands, or a verification, question of an app, reply or text. It returns ErrUnknown
// when there is none, and ErrSeveral as Whose does.
func Find(ctx context.Context, view store.View, id string) (Case, phonemail.Number, error) {
	phone, err := Whose(ctx, view, id)
	if err != nil {
		return Case{}, phone, err
	}
	events, err := view.EventsOf(ctx, id)
	if err != nil {
		return Case{}, phone, fmt.Errorf("cases: reading events: %w", err)
	}
	asked := id
	for _, e := range events {
		if e.Name == mail.JoinedEvent {
			asked = e.Detail
		}
	}
	all, err := Of(ctx, view, phone)
	if err != nil {
		return Case{}, phone, err
	}
	for _, c := range all {
		if c.ID == asked || c.ID == id {
			return c, phone, nil
		}
	}
	return Case{}, phone, ErrUnknown
}

// someBefore returns the newest cases before an id, and the id from which on none is left out; ""
// if these are the last ones.
func someBefore(
	ctx context.Context, view store.View, before string,
) (all []Brief, last string, err error) {
	const most = readAtOnce + 1 // see whole
	mails, err := view.NewestMails(ctx, db.NewestMailsParams{Before: before, Most: most})
	if err != nil {
		return nil, "", fmt.Errorf("cases: reading the newest mails: %w", err)
	}
	codes, err := view.NewestVerifications(ctx,
		db.NewestVerificationsParams{Before: before, Most: most})
	if err != nil {
		return nil, "", fmt.Errorf("cases: reading the newest verifications: %w", err)
	}
	questions, err := view.NewestAppQuestions(ctx,
		db.NewestAppQuestionsParams{Before: before, Most: most})
	if err != nil {
		return nil, "", fmt.Errorf("cases: reading the newest questions of apps: %w", err)
	}
	now := view.Now()
	for _, of := range [][]Brief{
		briefs(mails, briefOfMail, now), briefs(codes, briefOfVerification, now),
		briefs(questions, briefOfQuestion, now),
	} {
		of, end := whole(of)
		all, last = append(all, of...), max(last, end)
	}
	// A row is there once for each text. That of the text which went wrong counts.
	slices.SortStableFunc(all, func(a, b Brief) int {
		return cmp.Or(cmp.Compare(b.ID, a.ID), cmp.Compare(order(a), order(b)))
	})
	all = slices.CompactFunc(all, func(a, b Brief) bool { return a.ID == b.ID })
	all = slices.DeleteFunc(all, func(b Brief) bool { return b.ID < last })
	return all, last, nil
}

func briefs[R any](rows []R, of func(row R, now time.Time) Brief, now time.Time) []Brief {
	all := make([]Brief, len(rows))
	for i, row := range rows {
		all[i] = of(row, now)
	}
	return all
}

// whole leaves out the last case of a read that may have more rows than were read. It also returns
// the id of the last case that stays, "" when the read has all cases.
func whole(read []Brief) (cases []Brief, last string) {
	if len(read) <= readAtOnce {
		return read, ""
	}
	end := readAtOnce
	for end > 0 && read[end-1].ID == read[readAtOnce].ID {
		end--
	}
	if end == 0 { // one case has them all, and is told by those
		end = len(read)
	}
	return read[:end], read[end-1].ID
}

// order is 0 for a case that failed, and 1 for others.
func order(b Brief) int {
	if b.State == Failed {
		return 0
	}
	return 1
}

func briefOfMail(m db.NewestMailsRow, now time.Time) Brief {
	b := Brief{
		ID: m.ID, Kind: OfMail, What: cmp.Or(m.Kind, "mail"), Tenant: m.Tenant, Phone: m.Phone,
		Began: m.ReceivedAt.Time,
	}
	switch {
	case m.State == mail.Received:
		b.State, b.Said = Running, "the mail is being examined"
	case m.State == mail.Refused:
		b.State, b.Said = Failed, m.Reason
	case unsent(m.Texted, m.TextError):
		b.State, b.Said = Failed, "no text: "+explained(m.TextError)
	case m.Question == "" && waits(m.Texted):
		b.State, b.Said = Running, textWaits
	case m.Question == "":
		b.State, b.Said = Handed, "what the mail had is texted, or another mail stands for it"
	default:
		q := db.Challenge{State: m.Question, Outcome: m.Outcome, ExpiresAt: m.Over}
		b.State, b.Said = asked(q, m.Texted, now)
	}
	return b
}

func briefOfQuestion(q db.NewestAppQuestionsRow, now time.Time) Brief {
	b := Brief{
		ID: q.ID, Kind: OfQuestion, What: string(q.Purpose), Tenant: q.Tenant, Phone: q.Phone,
		Began: q.OpenedAt.Time,
	}
	if unsent(q.Texted, q.TextError) {
		b.State, b.Said = Failed, "no text: "+explained(q.TextError)
		return b
	}
	b.State, b.Said = asked(db.Challenge{Purpose: q.Purpose, State: q.State, Outcome: q.Outcome,
		ExpiresAt: q.ExpiresAt}, q.Texted, now)
	return b
}

// waits reports whether no provider is known to have a text of a state.
func waits(s text.State) bool { return s == text.Due || s == text.Unclear }

// textWaits is what is said of a text that waits.
const textWaits = "the text waits for a provider"

// asked says how it is with a question whose last prompt has a state.
func asked(q db.Challenge, prompt text.State, now time.Time) (State, string) {
	switch {
	case q.State == challenge.Open && !now.Before(q.ExpiresAt.Time):
		return Unwanted, "no answer came in time"
	case q.State == challenge.Open && waits(prompt):
		return Running, textWaits
	case q.State == challenge.Open:
		return Running, "the person is asked"
	case q.State == challenge.Accepted || q.State == challenge.Clicking:
		return Running, "the person agreed; the link is being opened"
	case q.State == challenge.Confirmed:
		return Confirmed, ended(q)
	case q.State == challenge.Failed && q.Outcome == challenge.OutcomeNeedsUser:
		return Handed, ended(q)
	case q.State == challenge.Failed:
		return Failed, ended(q)
	}
	return Unwanted, ended(q)
}

func briefOfVerification(v db.NewestVerificationsRow, now time.Time) Brief {
	b := Brief{
		ID: v.ID, Kind: OfVerification, What: v.Door, Tenant: v.Tenant, Phone: v.Phone,
		Began: v.OpenedAt.Time,
	}
	switch {
	case v.State == verification.Approved:
		b.State, b.Said = Confirmed, "the right code came"
	case v.State == verification.Failed:
		b.State, b.Said = Failed, string(v.Reason)
	case v.State == verification.MaxAttemptsReached:
		b.State, b.Said = Failed, "too many wrong codes came"
	case unsent(v.Texted, v.TextError):
		b.State, b.Said = Failed, "no text: "+explained(v.TextError)
	case v.State == verification.Canceled:
		b.State, b.Said = Unwanted, "it is canceled"
	case v.State == verification.Pending && now.Before(v.ExpiresAt.Time):
		b.State, b.Said = Running, "the code is awaited"
	default:
		b.State, b.Said = Unwanted, "no right code came in time"
	}
	return b
}

// unsent reports whether a text of that state should have reached its phone, and does not. None
// should reach a test number.
func unsent(s text.State, why string) bool {
	return s == text.Suppressed && why != text.TestReason || s == text.Undelivered || s == text.Failed
}
