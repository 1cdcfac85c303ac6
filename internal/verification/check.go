package verification

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Verdict is what became of a code that was presented.
type Verdict = db.CodeVerdict

// The verdicts.
const (
	Right   Verdict = "right"   // it approved the verification
	Wrong   Verdict = "wrong"   // compared and counted; the State says whether it was the last attempt
	Over    Verdict = "over"    // not compared: the verification had ended; the State says how
	Blocked Verdict = "blocked" // not compared: too many wrong codes for this phone
	Paused  Verdict = "paused"  // not compared: who presents it gave wrong codes a moment ago
	Asked   Verdict = "asked"   // counted, and put to Twilio Verify, whose code it is: call Await
)

// ByText, as a door, is a reply of the phone.
const ByText = "text"

// Presented is a code that is presented.
type Presented struct {
	Door   string // through which it comes
	Code   string
	Source string // where the request comes from, "" if not known; for numbers that were typed
}

// checkableAt reports whether codes for a verification may be presented at a door: at the one at
// which it was started, and by text. A code of one door is thus not checkable with the keys of
// another.
func checkableAt(door string, row db.Verification) bool {
	return row.MaxWrong != elsewhere && (door == row.Door || door == ByText)
}

// Checked is the result of a check.
type Checked struct {
	Verdict      Verdict
	Verification Verification // as it stands after the check
	Until        time.Time    // when Blocked or Paused: no such code is compared before
	CheckID      string       // when Asked: what Await waits for
}

// Undecided reports whether Twilio Verify has yet to say if a code is right: this one, or one of
// those that used up all attempts before it.
func (c Checked) Undecided() bool {
	return c.Verdict == Asked || c.Verdict == Over && c.Verification.State == Pending
}

// Check presents a code to a verification. The verdict is a value and not an error: an error would
// undo the transaction and with it the count of the guess. Commit whatever the verdict. Check
// returns ErrUnknown, also at a door at which the verification is not checkable. It returns ErrCode
// for what ParseCode refuses, which counts as no attempt.
func Check(ctx context.Context, tx *store.Tx, tenant, id string, p Presented) (Checked, error) {
	if _, err := ParseCode(p.Code); err != nil {
		return Checked{}, err
	}
	row, err := get(ctx, tx, tenant, id)
	if err != nil {
		return Checked{}, err
	}
	return CheckRow(ctx, tx, row, p)
}

// CheckRow is Check for a rule that reads verifications together with rows of its own.
func CheckRow(
	ctx context.Context, tx *store.Tx, row db.Verification, p Presented,
) (Checked, error) {
	given, err := ParseCode(p.Code)
	if err != nil {
		return Checked{}, err
	}
	if !checkableAt(p.Door, row) {
		return Checked{}, ErrUnknown
	}
	if v := read(row, tx.Now()); v.State != Pending {
		return Checked{Verdict: Over, Verification: v}, ExpireDue(ctx, tx, row.ID)
	}
	all := budgets(row, p.Door, digestOf(p.Source))
	wait, err := lock(ctx, tx, row.Tenant, all)
	switch {
	case err != nil:
		return Checked{}, err
	case wait != nil && errors.Is(wait, ErrPaused):
		return result(ctx, tx, row, Paused, wait.Until)
	case wait != nil:
		return result(ctx, tx, row, Blocked, wait.Until)
	}
	row, verdict, err := attempt(ctx, tx, row, given)
	switch {
	case err != nil:
		return Checked{}, err
	case verdict == Asked:
		return askVerify(ctx, tx, row, p, all)
	case verdict == Wrong:
		err = countWrong(ctx, tx, row, all)
	case verdict == Right:
		err = settle(ctx, tx, row, "")
	}
	return Checked{Verdict: verdict, Verification: read(row, tx.Now())}, err
}

// CheckExternal is Check for the newest verification that its door calls externalID. The
// second result is true once for each verification that has expired: the first time that a caller
// hears it.
func CheckExternal(
	ctx context.Context, tx *store.Tx, tenant, externalID string, p Presented,
) (c Checked, news bool, err error) {
	v, err := ByExternalID(ctx, tx, tenant, p.Door, externalID)
	if err != nil {
		return c, false, err
	}
	c, err = Check(ctx, tx, tenant, v.ID, p)
	if err != nil || c.Verification.State != Expired {
		return c, false, err
	}
	n, err := tx.TellExpired(ctx, db.TellExpiredParams{
		Tenant: tenant, Door: p.Door, ExternalID: externalID, Now: tx.Moment(),
	})
	return c, n > 0, err
}

// attempt compares a code and counts the attempt, under the lock of its budgets. It returns
// the row after that. A row that changed since it was read is read again: another check came before
// the lock, or the code was texted once more.
func attempt(
	ctx context.Context, tx *store.Tx, row db.Verification, given string,
) (db.Verification, Verdict, error) {
	for {
		verdict, err := compare(tx, row, given)
		if err != nil {
			return row, "", err
		}
		counted := db.CountAttemptParams{
			ID: row.ID, Now: tx.Moment(), Attempts: row.Attempts, Sends: row.Sends,
			Checker: row.Checker, State: Pending, Code: row.Code,
		}
		switch last := row.Attempts+1 >= row.MaxAttempts; {
		case verdict == Right:
			counted.State, counted.Code, counted.EndedAt = Approved, "", tx.Moment()
		case verdict == Wrong && last:
			counted.State, counted.Code, counted.EndedAt = MaxAttemptsReached, "", tx.Moment()
		}
		now, err := tx.CountAttempt(ctx, counted)
		if err == nil {
			return now, verdict, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return row, "", fmt.Errorf("verification %s: counting: %w", row.ID, err)
		}
		if row, err = get(ctx, tx, row.Tenant, row.ID); err != nil {
			return row, "", err
		}
		if read(row, tx.Now()).State != Pending || row.Attempts >= row.MaxAttempts {
			return row, Over, nil
		}
	}
}

// compare compares a code with that of a verification. The verdict is Asked if Twilio Verify must
// compare it.
func compare(tx store.View, row db.Verification, given string) (Verdict, error) {
	if row.Checker != "" {
		return Asked, nil
	}
	want, err := tx.Open(place(row.ID, row.Tenant), row.Code)
	if err != nil {
		return "", fmt.Errorf("verification %s: %w", row.ID, err)
	}
	// In constant time for codes of one length, which is no secret.
	if subtle.ConstantTimeCompare(want, []byte(given)) == 1 {
		return Right, nil
	}
	return Wrong, nil
}

// countWrong takes a wrong code from its budgets. If it was the last attempt, the verification has
// ended.
func countWrong(ctx context.Context, tx *store.Tx, row db.Verification, all []*budget) error {
	if err := charge(ctx, tx, row.Tenant, all); err != nil {
		return err
	}
	detail := fmt.Sprintf("%d of %d", row.Attempts, row.MaxAttempts)
	if err := tx.Record(ctx, row.Tenant, row.ID, "verification.wrong", detail); err != nil {
		return err
	}
	if row.State == Pending {
		return nil
	}
	return settle(ctx, tx, row, "")
}

// result reads how the verification stands now.
func result(
	ctx context.Context, tx store.View, row db.Verification, verdict Verdict, until time.Time,
) (Checked, error) {
	v, err := Get(ctx, tx, row.Tenant, row.ID)
	return Checked{Verdict: verdict, Verification: v, Until: until}, err
}
