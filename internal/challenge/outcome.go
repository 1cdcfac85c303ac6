package challenge

import (
	"context"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/fact"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// Outcome is what the click on a challenge's link came to. The words are linkclick's, which a rule
// must not import; a test in outbound fails when linkclick has one that is missing here. A canceled
// challenge has the reason in its place.
type Outcome = db.ChallengeOutcome

// The outcomes of a click.
const (
	OutcomeConfirmed   Outcome = "confirmed"   // this click did it
	OutcomeUnapproved  Outcome = "unapproved"  // it did it, but the account may need approval
	OutcomeAlready     Outcome = "already"     // it had been done before
	OutcomeUsed        Outcome = "used"        // the link had been used before; by whom is not said
	OutcomeExpired     Outcome = "expired"     // the link is too old
	OutcomeNeedsUser   Outcome = "needs_user"  // the page wants something only a person can give
	OutcomeRefused     Outcome = "refused"     // the identity provider does not accept the link
	OutcomeUnreachable Outcome = "unreachable" // no request was sent
	OutcomeUnknown     Outcome = "unknown"     // a request may have been sent; its result is unclear
)

// Confirms reports whether an outcome of a click says that the address is verified. The test in
// outbound fails when linkclick says otherwise.
func Confirms(o Outcome) bool {
	return o == OutcomeConfirmed || o == OutcomeUnapproved || o == OutcomeAlready
}

// Saying is what a phone is told about an outcome. An outcome that is not here is told as unknown.
func Saying(p Purpose, o Outcome) wording.Saying {
	switch o {
	case OutcomeConfirmed:
		if p == Password {
			return wording.ConfirmedPassword
		}
		return wording.ConfirmedRegistration
	case OutcomeUnapproved:
		return wording.Unapproved
	case OutcomeAlready:
		return wording.Already
	case OutcomeUsed:
		return wording.Used
	case OutcomeExpired:
		return wording.LinkExpired
	case OutcomeNeedsUser:
		return wording.NeedsUser
	case OutcomeRefused:
		return wording.Refused
	case OutcomeUnreachable:
		return wording.Unreachable
	}
	return wording.Unknown
}

// OverSaying is what a phone is told whose yes came when its question was over: the truth about its
// end. Too late is only what came too late.
func OverSaying(c Challenge) wording.Saying {
	switch {
	case c.State == Confirmed:
		return wording.DoneBefore
	case c.State == Failed && c.Purpose != App: // whose text, if it came after all, came too late
		return Saying(c.Purpose, c.Outcome)
	case c.State == Denied:
		return wording.DeniedBefore
	case c.State == Canceled && c.Outcome == CanceledByStop:
		return wording.Stopped
	case c.State == Canceled && c.Outcome == CanceledByCodes:
		return wording.WrongCodes
	}
	return wording.Late
}

// Why a question was canceled by its phone or app.
const (
	CanceledByStop  Outcome = "stop"
	CanceledByApp   Outcome = "app"
	CanceledByCodes Outcome = "wrong codes"
)

// goesOn reports whether the person may still finish what the click did not.
func goesOn(o Outcome) bool { return o == OutcomeNeedsUser || o == OutcomeUnknown }

// relaying is what a phone is told with a short link to the link of a mail.
func relaying(p Purpose) wording.Saying {
	if p == Password {
		return wording.RelayReset
	}
	return wording.RelayVerify
}

// Tell makes a text due that says how a challenge stands to the phone it was put to. Answered says
// that it follows from a yes.
func Tell(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, c Challenge, said Said,
) error {
	_, err := text.Make(ctx, tx, text.Draft{
		Tenant: t, ChallengeID: c.ID, Line: c.Line, Phone: c.Phone, Answered: said.Answered,
		Purpose: said.Purpose, Body: said.Body, Deadline: tx.Now().Add(outcomeLife),
		Wording: string(said.Saying), Language: t.LanguageOf(c.Language),
	})
	return err
}

// Said is what a phone is told about a challenge.
type Said struct {
	Purpose  text.Purpose
	Saying   wording.Saying // which the body says
	Body     string
	Answered bool // it follows from a yes of the phone
}

// MarkHinted records that the phone gets the one hint about a challenge. It reports false when it
// has had it.
func MarkHinted(ctx context.Context, tx *store.Tx, c Challenge) (bool, error) {
	n, err := tx.MarkHinted(ctx, db.MarkHintedParams{ID: c.ID, HintedAt: tx.Moment()})
	return n == 1, err
}

// MarkLate records that the phone gets the one text that says that a challenge is over. It reports
// false when it has had it.
func MarkLate(ctx context.Context, tx *store.Tx, c Challenge) (bool, error) {
	n, err := tx.MarkLate(ctx, db.MarkLateParams{ID: c.ID, LateAt: tx.Moment()})
	return n == 1, err
}

// record records a move of c, which those who count may tell from others by purpose and country.
func (c Challenge) record(ctx context.Context, tx *store.Tx, name State, detail string) error {
	return tx.RecordAbout(ctx, c.Tenant, c.ID, "challenge."+string(name), detail, fact.About{
		Purpose: string(c.Purpose), Country: c.Phone.Country(),
	})
}
