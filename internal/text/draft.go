package text

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/segment"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// Draft is a text to be sent.
type Draft struct {
	Tenant      *tenant.Tenant
	ChallengeID string // "" when it belongs to no question
	// Case is what it is about when neither a question nor a verification says so: the id of a mail
	// or a reply. Else "": a case of its own.
	Case string
	// VerificationID is the verification whose code it says, "" when it says none.
	VerificationID string
	Line           phonemail.Line
	Phone          phonemail.Number
	Purpose        Purpose
	Body           string
	Wording        string    // the key of its words, "" for those of a caller
	Language       string    // in which it is said, "" when nothing tells
	Deadline       time.Time // not worth sending later than this
	Asker, Mail    string    // who asks for it, and by which mail, as in limit.Text
	Answered       bool      // it follows from a yes of the phone
	Admitted       bool      // Admit has counted it
	// NotBefore is when its verification opened, which may be just after now. Its row says no earlier
	// time: texts from before the last code was made are not sent.
	NotBefore time.Time
}

// Admit counts a text against all limits before it is made, for a rule that does something else
// when it must not be sent. It returns why it must not, or nil: Make must follow, with the same
// text as Admitted. Only what the text says may differ then, in as many segments.
// A text to a test number costs nothing, is counted nowhere and always admitted.
func Admit(ctx context.Context, tx *store.Tx, d Draft) (*limit.Refusal, error) {
	if _, test := d.Tenant.Test(d.Phone, tx.Now()); test {
		return nil, nil
	}
	return limit.Count(ctx, tx, d.counted())
}

// counted is a text as the limits count it.
func (d Draft) counted() limit.Text {
	return limit.Text{
		Tenant: d.Tenant, Account: d.Line.Account, Phone: d.Phone, Kind: kind(d.Purpose), Asker: d.Asker,
		Mail: d.Mail, Segments: d.segments(), Code: d.VerificationID != "", Answered: d.Answered,
	}
}

func (d Draft) segments() int { return segment.Measure(d.Body).Segments }

// kind is how the limits treat a text.
func kind(p Purpose) limit.Kind {
	switch p {
	case Hint:
		return limit.Hints
	case Outcome, Keyword:
		return limit.Tells
	}
	return limit.Asks
}

// SendText is the job that sends the text ID.
type SendText struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (SendText) Kind() string { return "send_text" }

// Make makes a text due and returns its id. To a phone that opted out, to a test number, or when a
// limit refuses it, it is recorded as suppressed and never sent.
func Make(ctx context.Context, tx *store.Tx, d Draft) (string, error) {
	out, err := unwanted(ctx, tx, d.Purpose, d.Tenant.Slug, d.Line, d.Phone)
	if err != nil {
		return "", err
	}
	if out {
		return add(ctx, tx, d, Suppressed, OptedOutReason)
	}
	if _, test := d.Tenant.Test(d.Phone, tx.Now()); test {
		return add(ctx, tx, d, Suppressed, TestReason)
	}
	if !d.Admitted {
		refusal, err := Admit(ctx, tx, d)
		if err != nil {
			return "", err
		}
		if refusal != nil {
			return Suppress(ctx, tx, d, *refusal)
		}
	}
	return add(ctx, tx, d, Due, "")
}

// Suppress records a text that a limit refused, and returns its id.
func Suppress(ctx context.Context, tx *store.Tx, d Draft, r limit.Refusal) (string, error) {
	return add(ctx, tx, d, Suppressed, string(r.Reason))
}

// add records a text that is due, or that is suppressed for a reason.
func add(
	ctx context.Context, tx *store.Tx, d Draft, state State, reason string,
) (string, error) {
	if hear, ok := ctx.Value(hearer{}).(func(Made)); ok {
		hear(Made{d, state, reason})
	}
	id, now, slug := store.NewID(), tx.Moment(), d.Tenant.Slug
	row := db.AddTextParams{
		ID: id, ChallengeID: d.ChallengeID, VerificationID: d.VerificationID, Tenant: slug,
		Account: d.Line.Account, Sender: d.Line.Sender, Phone: d.Phone,
		Purpose: d.Purpose, Segments: int64(d.segments()),
		Deadline: moment.Of(d.Deadline), CreatedAt: now, Wording: d.Wording, Language: d.Language,
	}
	if d.NotBefore.After(now.Time) {
		row.CreatedAt = moment.Of(d.NotBefore)
	}
	if cmp.Or(d.ChallengeID, d.VerificationID) == "" {
		row.CaseID = d.Case
	}
	detail := string(d.Purpose)
	if state == Suppressed {
		row.State, row.Error, row.EndedAt = Suppressed, reason, now
		detail += ": " + reason
	} else {
		row.State, row.Body = Due, tx.Seal(place(id, slug), []byte(d.Body))
		row.Charged = d.counted().Cost()
		tx.Enqueue(SendText{id})
	}
	if err := tx.AddText(ctx, row); err != nil {
		return "", fmt.Errorf("text: adding: %w", err)
	}
	made := db.Text{ID: id, Tenant: slug, Purpose: d.Purpose, Phone: d.Phone}
	return id, record(ctx, tx, made, row.State, detail)
}
