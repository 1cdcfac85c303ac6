package challenge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/segment"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// This file is about the questions of a tenant's app. Such a question has no mail and no link: a
// yes confirms it at once. Everything else is as for a mail's: the limits, the codes beside
// another question, and which question a reply means.

// AppQuestion is what a tenant's app asks a phone.
type AppQuestion struct {
	ID        string // of the question to be opened
	Phone     phonemail.Number
	Subject   string // the question, in the app's words
	Reference string // what the app calls it, "" for nothing
	Language  string // in which the rest of the text is
	Life      time.Duration
}

// Why an app's question is not asked. The transaction may as well be undone then.
var (
	// ErrOptedOut: the phone said STOP to this line.
	ErrOptedOut = errors.New("challenge: the phone opted out")
	// ErrSubject, in a Refused: the text would not do.
	ErrSubject = errors.New("challenge: the subject cannot be texted")
	// ErrUnaskable, in a Refused: no question works in the phone's country.
	ErrUnaskable = errors.New("challenge: no question can be asked")
	// ErrBusy, in a Refused: the phone is being asked too much, or guessed at codes.
	ErrBusy = errors.New("challenge: the phone cannot be asked now")
	// ErrLimited, in a Refused: a limit of texts refuses the prompt.
	ErrLimited = errors.New("challenge: no more texts now")
)

// Refused says why an app's question is not asked.
type Refused struct {
	Err   error
	Why   string
	Until time.Time // when it may be asked, zero when that is not known
}

func (r *Refused) Error() string { return r.Err.Error() + ": " + r.Why }

// Unwrap returns Err.
func (r *Refused) Unwrap() error { return r.Err }

// AskApp opens the question of an app and makes its prompt due. It returns ErrOptedOut, or another
// of the errors above in a Refused.
func AskApp(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, q AppQuestion,
) (Challenge, error) {
	if fault := wording.JudgeSubject(q.Subject); fault != nil {
		return Challenge{}, &Refused{Err: ErrSubject, Why: fault.What + "; " + fault.Hint}
	}
	_, test := t.Test(q.Phone, tx.Now())
	way := t.Way(q.Phone, tenant.ForQuestion)
	switch {
	case test:
	case way.Refusal != "":
		return Challenge{}, &Refused{Err: ErrUnaskable, Why: way.Refusal}
	case way.Answer == tenant.ByTap:
		return Challenge{}, &Refused{Err: ErrUnaskable, Why: "it cannot text back"}
	}
	out, err := text.OptedOut(ctx, tx, t.Slug, way.Line, q.Phone)
	if err == nil && out {
		err = ErrOptedOut
	}
	if err != nil {
		return Challenge{}, err
	}
	a, err := Consider(ctx, tx, t, Question{
		Phone: q.Phone, Recipient: q.ID, Purpose: App, Language: q.Language, app: q,
	})
	if err != nil {
		return Challenge{}, err
	}
	if a.Obstacle != "" {
		return Challenge{}, &Refused{Err: ErrBusy, Why: a.Obstacle}
	}
	a.way.Answer = tenant.ByReply
	if err := a.judge(); err != nil {
		return Challenge{}, err
	}
	refusal, err := a.Admit(ctx, tx)
	if err == nil && refusal != nil {
		err = &Refused{Err: ErrLimited, Why: string(refusal.Reason), Until: refusal.Until}
	}
	if err != nil {
		return Challenge{}, err
	}
	if _, err := a.Ask(ctx, tx); err != nil {
		return Challenge{}, err
	}
	return Get(ctx, tx, q.ID)
}

// judge refuses a text that costs more than such a text may.
func (a Asking) judge() error {
	c := a.question.about(a.tenant)
	c.Coded, c.ReplyCode, c.Language = a.needsCode(), wording.SampleCode, a.question.Language
	most := asking(tenant.ByReply, c).MostSegments(a.tenant.LanguageOf(c.Language))
	if a.tenant.LongTexts {
		most = wording.MaxSegments
	}
	m := segment.Measure(a.prompt(c, "").Body)
	if m.Segments <= most {
		return nil
	}
	why := fmt.Sprintf("makes the text take %d segments; it may take %d", m.Segments, most)
	if !m.GSM && most == 1 {
		why += ". It has characters that GSM-7 lacks, such as curly quotes, and holds 70 of them"
	}
	return &Refused{Err: ErrSubject, Why: why}
}

// acceptApp confirms an open question of an app, or returns ErrGone.
func acceptApp(ctx context.Context, tx *store.Tx, c Challenge) error {
	n, err := tx.ConfirmChallenge(ctx, db.ConfirmChallengeParams{ID: c.ID, Now: tx.Moment()})
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrGone
	}
	if !c.Test {
		if err := limit.Answer(ctx, tx, c.Tenant, c.Line.Account, c.Phone); err != nil {
			return err
		}
	}
	return ended(ctx, tx, c, Confirmed, "")
}

// Unsent is why an app's question failed: its prompt did not leave.
const Unsent Outcome = "not_sent"

// FailUnsent ends the question of an app whose prompt is the text, if that will not be sent. It
// does nothing for any other text: a mail's question waits for the next mail.
func FailUnsent(ctx context.Context, tx *store.Tx, textID string) error {
	row, err := tx.GetText(ctx, textID)
	if store.Missing(err) {
		return nil
	}
	lost := row.State == text.Failed || row.State == text.Suppressed
	if err != nil || !lost || row.Purpose != text.Prompt || row.ChallengeID == "" {
		return err
	}
	c, err := Get(ctx, tx, row.ChallengeID)
	if errors.Is(err, ErrUnknown) || err == nil && (c.Purpose != App || c.State != Open) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := end(ctx, tx, c, Open, Failed, Unsent); !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}

// OfApp returns the question of a tenant's app, or ErrUnknown.
func OfApp(ctx context.Context, view store.View, slug, id string) (Challenge, error) {
	c, err := Get(ctx, view, id)
	if err == nil && (c.Tenant != slug || c.Purpose != App) {
		return Challenge{}, ErrUnknown
	}
	return c, err
}
