package verification

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// A verification whose code Twilio Verify texts is one at Verify too. A job tells Verify how ours
// ends, because its Fraud Guard learns from that
// (https://www.twilio.com/docs/verify/preventing-toll-fraud/sms-fraud-guard).
//
// When the code is Verify's own, Verify alone can compare it. A check is then recorded, put to
// Verify by a job, and awaited.

const (
	// verifyLife is the longest life of a verification at Verify
	// (https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts).
	verifyLife = 24 * time.Hour
	// mostUnreported is how many outcomes Verify is told before it is asked to start a verification.
	mostUnreported = 10
)

// checkedByVerify is the checker of a verification whose code is Verify's own.
const checkedByVerify = "verify"

// ReportVerification is the job that tells Twilio Verify how the verification ID ended.
type ReportVerification struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (ReportVerification) Kind() string { return "report_verification" }

// CheckCode is the job that has Twilio Verify compare the code of the check ID.
type CheckCode struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (CheckCode) Kind() string { return "check_code" }

// Secret is what a provider must know to say the code of a verification in its own words.
type Secret struct {
	Verification Verification
	Code         string
	Renewed      bool   // an earlier text said another code
	VerifySID    string // under which Twilio Verify knows the verification, "" while it does not
}

// Open returns a pending verification with its code, or ErrUnknown or ErrGone. It is for the
// worker that sends it.
func Open(ctx context.Context, tx store.View, tenant, id string) (Secret, error) {
	row, err := get(ctx, tx, tenant, id)
	if err != nil {
		return Secret{}, err
	}
	v := read(row, tx.Now())
	if v.State != Pending {
		return Secret{}, ErrGone
	}
	code, err := tx.Open(place(id, tenant), row.Code)
	if err != nil {
		return Secret{}, fmt.Errorf("verification %s: %w", id, err)
	}
	return Secret{v, string(code), row.Renew > 0 && row.VerifySID != "", row.VerifySID}, nil
}

// SentByVerify records that Twilio Verify took a text of the verification, and under which id.
// With own, the code in it was drawn by Verify and ours counts no more. If the verification has
// ended meanwhile, Verify is told now.
func SentByVerify(ctx context.Context, tx *store.Tx, id, sid string, own bool) error {
	changed, err := tx.SetVerifySID(ctx, db.SetVerifySIDParams{ID: id, VerifySID: sid})
	if err != nil {
		return err
	}
	checker := ""
	if own {
		checker = checkedByVerify
	}
	pending, err := tx.SetChecker(ctx, db.SetCheckerParams{ID: id, Checker: checker})
	if err == nil && pending == 0 && changed == 1 {
		tx.Enqueue(ReportVerification{id})
	}
	return err
}

// SentByOthers records that another provider than Twilio Verify took a text of the verification.
// The code in it is ours, and it is the one that counts.
func SentByOthers(ctx context.Context, tx *store.Tx, id string) error {
	_, err := tx.SetChecker(ctx, db.SetCheckerParams{ID: id})
	return err
}

// Outcome is how a verification ended, in the words that Twilio Verify takes.
type Outcome struct {
	ID, Tenant string
	VerifySID  string // Verify's id of a verification of ours
	Approved   bool   // else it is canceled there
	Ended      time.Time

	phone phonemail.Number // of a verification that Verify made for others, which has no VerifySID
	began time.Time
}

// Key is what names the verification in a request to Twilio Verify: its id there, or the phone.
func (o Outcome) Key() string {
	if o.phone != (phonemail.Number{}) {
		return o.phone.E164()
	}
	return o.VerifySID
}

// Unreported returns how a verification ended, for Twilio Verify to be told; or the report of
// another's verification. The second result is false when there is nothing to tell: Verify did not
// send the code, has heard, or compared the right code itself.
func Unreported(ctx context.Context, tx store.View, id string) (Outcome, bool, error) {
	row, err := tx.GetVerification(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return unreportedReport(ctx, tx, id)
	}
	if err != nil || row.VerifySID == "" || row.Reported != "" || row.State == Pending {
		return Outcome{}, false, err
	}
	return outcome(row), true, nil
}

// UnreportedOfPhone returns what Twilio Verify must be told before it is asked to start the
// verification: while it holds an older one of the same phone as pending, it would go on with
// that one, and with its code. At most ten.
func UnreportedOfPhone(ctx context.Context, tx store.View, v Verification) ([]Outcome, error) {
	rows, err := tx.UnreportedVerificationsOfPhone(ctx, db.UnreportedVerificationsOfPhoneParams{
		Account: v.Line.Account, Sender: v.Line.Sender, Phone: v.Phone, Tenant: v.Tenant, ID: v.ID,
		Since: tx.Moment().Add(-verifyLife),
	})
	if err != nil {
		return nil, err
	}
	var all []Outcome
	for _, row := range rows {
		all = append(all, outcome(row))
	}
	return withReports(ctx, tx, v, all)
}

func outcome(row db.Verification) Outcome {
	return Outcome{
		ID: row.ID, Tenant: row.Tenant, VerifySID: row.VerifySID,
		Approved: row.State == Approved, Ended: row.EndedAt.Time, began: row.OpenedAt.Time,
	}
}

// Reported records what Twilio Verify made of an outcome: matched, unmatched, refused or given up.
func Reported(ctx context.Context, tx *store.Tx, o Outcome, result string) error {
	var n int64
	var err error
	if o.phone != (phonemail.Number{}) {
		n, err = tx.SetVerifyReportResult(ctx, db.SetVerifyReportResultParams{ID: o.ID, Result: result})
	} else {
		n, err = tx.SetReported(ctx, db.SetReportedParams{
			ID: o.ID, VerifySID: o.VerifySID, Reported: result,
		})
	}
	if err != nil || n == 0 {
		return err
	}
	return tx.Record(ctx, o.Tenant, o.ID, "verification.reported", result)
}

// askVerify puts a counted code to Twilio Verify. Until Verify has answered, the code counts
// as a wrong one. So guesses made at once are as few as guesses made one by one.
func askVerify(
	ctx context.Context,
	tx *store.Tx,
	row db.Verification,
	p Presented,
	all []*budget,
) (Checked, error) {
	code, err := ParseCode(p.Code)
	if err != nil {
		return Checked{}, err
	}
	if err := charge(ctx, tx, row.Tenant, all); err != nil {
		return Checked{}, err
	}
	id := store.NewID()
	err = tx.AddCodeCheck(ctx, db.AddCodeCheckParams{
		ID: id, VerificationID: row.ID, Tenant: row.Tenant,
		Code: tx.Seal(checkPlace(id, row.Tenant), []byte(code)), AskedAt: tx.Moment(),
		Door: p.Door, Source: digestOf(p.Source),
	})
	if err != nil {
		return Checked{}, err
	}
	tx.Enqueue(CheckCode{id})
	checked, err := result(ctx, tx, row, Asked, time.Time{})
	checked.CheckID = id
	return checked, err
}

// Comparison is a code that Twilio Verify is to compare.
type Comparison struct {
	ID, Tenant, VerificationID, VerifySID, Code string
	Asked, Expires                              time.Time
	// Ended is how the verification ended at Verify, if Verify compares no more codes of it and says
	// why.
	Ended State

	door, source string // through which the code came, and the digest of where from
}

// Unanswered returns a check that Twilio Verify has not answered yet. The second result is
// false when it has.
func Unanswered(ctx context.Context, tx store.View, checkID string) (Comparison, bool, error) {
	check, err := tx.GetCodeCheck(ctx, checkID)
	if errors.Is(err, sql.ErrNoRows) {
		return Comparison{}, false, nil
	}
	if err != nil || check.Verdict != "" {
		return Comparison{}, false, err
	}
	row, err := tx.GetVerification(ctx, check.VerificationID)
	if err != nil {
		return Comparison{}, false, err
	}
	code, err := tx.Open(checkPlace(check.ID, check.Tenant), check.Code)
	if err != nil {
		return Comparison{}, false, fmt.Errorf("check %s: %w", checkID, err)
	}
	return Comparison{
		ID: check.ID, Tenant: check.Tenant, VerificationID: row.ID, VerifySID: row.VerifySID,
		Code: string(code), Asked: check.AskedAt.Time, Expires: row.ExpiresAt.Time,
		door: check.Door, source: check.Source,
	}, true, nil
}

// Answer records what Twilio Verify said to a check: Right, Wrong, or Over when it compares no
// more codes of this verification. What comes late changes nothing. While another check is
// unanswered the verification goes on, because that one may turn out to be the right one.
func Answer(ctx context.Context, tx *store.Tx, q Comparison, verdict Verdict) error {
	row, err := tx.GetVerification(ctx, q.VerificationID)
	if err != nil {
		return err
	}
	all := budgets(row, q.door, q.source)
	if _, err := lock(ctx, tx, row.Tenant, all); err != nil {
		return err
	}
	// Codes of one verification may come from several budgets, and the last answer decides.
	if _, err := tx.LockVerification(ctx, row.ID); err != nil {
		return err
	}
	n, err := tx.EndCodeCheck(ctx, db.EndCodeCheckParams{ID: q.ID, Verdict: verdict})
	if err != nil || n == 0 {
		return err
	}
	tx.Announce(q.ID)
	if row, err = tx.GetVerification(ctx, q.VerificationID); err != nil {
		return err
	}
	if verdict == Right {
		return approveAsked(ctx, tx, row, q, all)
	}
	if verdict == Wrong {
		if err := tx.Record(
			ctx, row.Tenant, row.ID, "verification.wrong",
			fmt.Sprintf("%d of %d", row.Attempts, row.MaxAttempts),
		); err != nil {
			return err
		}
	}
	open, err := tx.CountOpenCodeChecks(ctx, row.ID)
	if err != nil || open > 0 {
		return err
	}
	switch {
	case verdict == Wrong && row.Attempts < row.MaxAttempts:
	case row.Attempts >= row.MaxAttempts, q.Ended == MaxAttemptsReached:
		_, err = end(ctx, tx, row.ID, MaxAttemptsReached, "")
	case !tx.Now().Before(row.ExpiresAt.Time):
		_, err = end(ctx, tx, row.ID, Expired, "")
	case q.Ended == Failed:
		err = fail(ctx, tx, row, ProviderRefused)
	default:
		_, err = end(ctx, tx, row.ID, Canceled, "over at Twilio Verify")
	}
	return err
}

// approveAsked approves, and takes back that the code was counted as a wrong one. Verify knows:
// it approved first.
func approveAsked(
	ctx context.Context,
	tx *store.Tx,
	row db.Verification,
	q Comparison,
	all []*budget,
) error {
	if err := refund(ctx, tx, row.Tenant, all, q.Asked); err != nil {
		return err
	}
	if err := Reported(ctx, tx, outcome(row), "matched"); err != nil {
		return err
	}
	_, err := end(ctx, tx, row.ID, Approved, "")
	return err
}

// Await waits until ctx ends for Twilio Verify's verdict on a code that Check put to it. How long
// that is, its caller decides: see web.CommitWait. The verdict is still Asked when there is none:
// the door then says "pending, ask again", and the verification shows later what came of it.
// Another result of Check is returned as it is.
func Await(ctx context.Context, s *store.Store, checked Checked) (Checked, error) {
	if checked.Verdict != Asked {
		return checked, nil
	}
	err := await(ctx, s, checked.CheckID, func(ctx context.Context, view store.View) (bool, error) {
		check, err := view.GetCodeCheck(ctx, checked.CheckID)
		if err != nil || check.Verdict == "" {
			return true, err
		}
		now, err := Get(ctx, view, checked.Verification.Tenant, checked.Verification.ID)
		if err != nil {
			return false, err
		}
		checked.Verdict, checked.Verification = check.Verdict, now
		if check.Verdict == Right && now.State != Approved {
			checked.Verdict = Over // it was canceled while Verify was asked
		}
		return checked.Verdict == Asked, nil
	})
	return checked, err
}

func checkPlace(id, tenant string) store.Place {
	return store.Place{Table: "code_check", ID: id, Column: "code", Tenant: tenant}
}
