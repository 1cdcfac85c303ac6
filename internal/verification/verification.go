// Package verification is the rule for one code that proves who holds a phone: it is texted
// there and must be given back.
//
// It is for every door through which a verification is started or a code presented: our own
// API, the compatible ones, the hosted form and a reply by text. A verification goes
//
//	pending ──▶ approved               the right code came in time
//	 ├──▶ canceled               its app, or the phone's STOP, called it off
//	 ├──▶ expired                the right code did not come in time
//	 ├──▶ failed                 no provider texts the code, for the reason that is kept with it
//	 └──▶ max_attempts_reached   too many wrong ones did
//
// It promises:
//   - Each of these moves happens once, however many callers and replicas race for it.
//   - A code approves once.
//   - A code is compared only at the door at which its verification was started, or by a reply of
//     the phone. A code that is compared elsewhere, such as Auth0's own, is compared at no door: at
//     all of them its verification is unknown.
//   - No more guesses are compared than are allowed, per verification and per phone and day. A
//     verification that starts later gives no new guesses.
//   - A code that cannot reach its phone ends at once. A receipt that says undelivered is no end:
//     carriers send it for phones that are off, and also for texts that were read. The person may
//     ask again, and the delivery shows.
//   - The code is sealed while it counts, and leaves the database in the statement that ends it.
//
// # Who may guess how often
//
// A thief must not guess a code, and must not keep the owner of a phone from using it. With one
// count of wrong codes for each phone both cannot be had: the thief types the number and wrong
// codes, and the owner is refused until tomorrow. So wrong codes count per phone, and per class of
// who asked for the code. Each class has a share of its own, and spends no other's. With the
// setting code_wrong at its default of 10, a phone may in any 24 hours have
//
//	claim   10   the identity provider says that the phone is the person's
//	app     10   an app says so, with its key
//	typed    5   a person typed the number, which may be any number
//	reply    5   the codes come by text, from the phone or from who fakes its number
//
// wrong codes, which are 30 in all. Codes of 6 digits are drawn evenly, so the odds that one guess
// is right are 1 in 10^6. The odds of 30 guesses are at most the sum of theirs: 30 in 10^6.
// That is 3 in 100,000 per phone and day. It makes no difference how the guesses are spread over
// codes. Each digit less makes the odds ten times better for the thief, and each digit more ten
// times worse.
//
// A thief who types a number spends only the share of typed numbers. Before that, the thief must
// pause: after the third wrong code of one log-in subject for five seconds, then twice as long each
// time. Codes and new texts wait alike. The source of the requests pauses too, after more wrong
// codes and for shorter times: a company or a carrier may share one address. No pause
// is longer than five minutes, so it delays and never locks out. An app that says for whom it asks
// has half of its share for each of them.
package verification

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/fact"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// State is how far a verification has come. The words are Twilio Verify's
// (https://www.twilio.com/docs/verify/api/verification#verification-status-values), but for
// denied, which it does not have.
type State = db.VerificationState

// The states of a verification; see the drawing above.
const (
	Pending            State = "pending"
	Approved           State = "approved"
	Canceled           State = "canceled"
	Expired            State = "expired"
	Failed             State = "failed"
	MaxAttemptsReached State = "max_attempts_reached"
)

// Why something is refused. Nothing was recorded then, and the transaction may as well be undone.
var (
	// ErrUnknown: the tenant has no verification with that id.
	ErrUnknown = errors.New("verification: no such verification")
	// ErrGone: the verification has ended.
	ErrGone = errors.New("verification: it has ended")
	// ErrOptedOut: the phone said STOP to this line.
	ErrOptedOut = errors.New("verification: the phone opted out")
	// ErrSends: the code has been texted as often as is allowed.
	ErrSends = errors.New("verification: no texts left")
	// ErrLimited, in a WaitError: a limit of texts refuses the text. Its words say which.
	ErrLimited = errors.New("verification: no more texts now")
	// ErrTooSoon, in a WaitError: the last text was made a moment ago.
	ErrTooSoon = errors.New("verification: too soon for another text")
	// ErrBlocked, in a WaitError: too many wrong codes for this phone.
	ErrBlocked = errors.New("verification: too many wrong codes for this phone")
	// ErrPaused, in a WaitError: the person, or the source, gave wrong codes a moment ago.
	ErrPaused = errors.New("verification: a pause after wrong codes")
)

// WaitError says that something is refused until a time.
type WaitError struct {
	Err   error // ErrLimited, ErrTooSoon, ErrBlocked or ErrPaused
	Until time.Time
}

func (e *WaitError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *WaitError) Unwrap() error { return e.Err }

// Limits bound one verification. They are kept with it, so that they hold at every door.
type Limits struct {
	// how long the code counts, from the start; another text does not prolong it
	Life     time.Duration
	Attempts int // codes that may be presented, from 1
	// wrong codes of a phone in any 24 hours over all verifications of the tenant, from 1; each class
	// of askers has a share by this number
	Wrong int
	Sends int           // texts with the code, the first included, from 1
	Gap   time.Duration // between two of them
}

// Wording says a code in a language: "" is the tenant's own, else a BCP 47 tag that the tenant
// has words for.
type Wording func(code, locale string) string

// Request is a verification to be started. For makes one of a tenant's settings.
type Request struct {
	Tenant     *tenant.Tenant
	Door       string // who starts it: "api", "flowroute", "durable", …
	ExternalID string // what the door calls it, "" when it goes by our id
	Replace    bool   // a pending one with the same ExternalID is canceled, not returned
	Line       phonemail.Line
	Phone      phonemail.Number // judged by the tenant's policy
	// Unreachable is why no text with a code may go to the phone, "" when one may. Such a verification
	// fails at once.
	Unreachable string
	Code        string // as ParseCode returns it; "" to have one drawn
	Length      int    // digits of a drawn code, MinDigits to MaxDigits
	// Renew has each further text carry a new drawn code; the old one counts no more.
	Renew   bool
	Limits  Limits
	Locale  string
	Wording Wording
	Notify  bool // the tenant's app is told of the end
	Asker   Asker
	Source  string // where a request of class Typed comes from, "" when that is not known
	// ComparedElsewhere says that the door's app compares the code, and counts the wrong codes of a
	// phone itself. Those that were presented here do not keep the code from being texted, and no
	// code for this verification can be presented here.
	ComparedElsewhere bool

	test bool // Phone is a test number
}

// elsewhere is the most wrong codes of a row whose code is compared elsewhere. No phone reaches it.
const elsewhere = math.MaxInt32

// Verification is a verification as it stands. The code is not in it.
type Verification struct {
	ID, Tenant, Door, ExternalID string
	Line                         phonemail.Line
	Phone                        phonemail.Number
	Locale                       string
	// expired as soon as its time is over, whether or not that has been recorded
	State                 State
	Reason                Reason // why it failed, "" if it did not
	Attempts, MaxAttempts int
	Sends, MaxSends       int
	Opened, Expires       time.Time
	NextSend              time.Time // the earliest time for another text
	Ended                 time.Time // zero while pending

	// Test says that its phone is a test number: no text leaves, and no limit counts it.
	Test bool

	byText bool // a reply may present a code
}

// ExpireVerification is the job that ends the verification ID when its time is over.
type ExpireVerification struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (ExpireVerification) Kind() string { return "expire_verification" }

// Notify is the job that tells the tenant's app how the verification ID ended.
type Notify struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (Notify) Kind() string { return "notify" }

// Cancel ends a pending verification for its app, or returns ErrUnknown or ErrGone. Reason is a
// word for the timeline.
func Cancel(ctx context.Context, tx *store.Tx, tenant, id, reason string) (Verification, error) {
	return conclude(ctx, tx, tenant, id, Canceled, reason)
}

// ExpireDue ends the verification if it is still pending after its deadline, and does nothing
// otherwise.
func ExpireDue(ctx context.Context, tx *store.Tx, id string) error {
	row, err := tx.GetVerification(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil || row.State != Pending || read(row, tx.Now()).State != Expired {
		return err
	}
	row, ended, err := endRow(ctx, tx, id, Expired, "")
	if err != nil || !ended {
		return err
	}
	return limit.CountSilence(ctx, tx, silence(row))
}

// ExpireOverdue ends pending verifications whose deadline has passed, the most overdue first, at
// most a number of them. It returns how many it found.
func ExpireOverdue(ctx context.Context, tx *store.Tx, most int) (int, error) {
	ids, err := tx.OverdueVerifications(ctx, db.OverdueVerificationsParams{
		Now: tx.Moment(), Most: int32(most),
	})
	if err != nil {
		return 0, err
	}
	var silent []limit.Silence
	for _, id := range ids {
		row, ended, err := endRow(ctx, tx, id, Expired, "")
		if err != nil {
			return 0, err
		}
		if ended {
			silent = append(silent, silence(row)...)
		}
	}
	return len(ids), limit.CountSilence(ctx, tx, silent)
}

// silence is what an expired verification says about its phone. Of a code that is compared
// elsewhere the bridge does not know whether it came back. A test number says nothing.
func silence(row db.Verification) []limit.Silence {
	if row.MaxWrong == elsewhere || row.Test != 0 {
		return nil
	}
	return []limit.Silence{{Tenant: row.Tenant, Phone: row.Phone}}
}

// end moves a pending verification to its last state. Its code goes with it, and so does a text
// that has not left yet. It reports false when another caller ended it.
func end(ctx context.Context, tx *store.Tx, id string, state State, detail string) (bool, error) {
	_, ended, err := endRow(ctx, tx, id, state, detail)
	return ended, err
}

// endRow is end, and returns the row that it ended.
func endRow(
	ctx context.Context, tx *store.Tx, id string, state State, detail string,
) (row db.Verification, ended bool, err error) {
	row, err = tx.EndVerification(ctx, db.EndVerificationParams{
		ID: id, State: state, EndedAt: tx.Moment(),
	})
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	if err != nil {
		return row, false, err
	}
	return row, true, settle(ctx, tx, row, detail)
}

// settle does what follows from the end of a verification.
func settle(ctx context.Context, tx *store.Tx, row db.Verification, detail string) error {
	if err := suppress(ctx, tx, row.ID, string(row.State)); err != nil {
		return err
	}
	if row.State == Approved && row.Test == 0 {
		if err := limit.Answer(ctx, tx, row.Tenant, row.Account, row.Phone); err != nil {
			return err
		}
	}
	if row.Notify != 0 {
		tx.Enqueue(Notify{row.ID})
	}
	if row.VerifySID != "" {
		tx.Enqueue(ReportVerification{row.ID})
	}
	return tx.RecordAbout(ctx, row.Tenant, row.ID, "verification."+string(row.State), detail,
		fact.About{Country: row.Phone.Country()})
}

func suppress(ctx context.Context, tx *store.Tx, id, reason string) error {
	_, err := tx.SuppressTextsOfVerification(ctx, db.SuppressTextsOfVerificationParams{
		VerificationID: id, Error: reason, EndedAt: tx.Moment(),
	})
	return err
}

func place(id, tenant string) store.Place {
	return store.Place{Table: "verification", ID: id, Column: "code", Tenant: tenant}
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
