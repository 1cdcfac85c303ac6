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
type Verdict string

// The verdicts.
const (
	Right Verdict = "right" // it approved the verification
	// it was compared and counted; the State says whether that was the last attempt
	Wrong   Verdict = "wrong"
	Over    Verdict = "over"    // not compared: the verification had ended; the State says how
	Blocked Verdict = "blocked" // not compared: too many wrong codes for this phone
	// counted, and put to Twilio Verify, whose code it is: Await its answer
	Asked Verdict = "asked"
)

// Checked is the result of a check.
type Checked struct {
	Verdict      Verdict
	Verification Verification // as it stands after the check
	Until        time.Time    // when Blocked: no code of this phone is compared before
	CheckID      string       // when Asked: what Await waits for
}

// Check presents a code to a verification. What the code comes to is a value and not an error:
// an error would undo the transaction, and with it the count of the guess. Commit whatever the
// verdict is. It returns ErrCode for what ParseCode refuses, which counts as no
// attempt, and ErrUnknown.
func Check(ctx context.Context, tx *store.Tx, tenant, id, code string) (Checked, error) {
	given, err := ParseCode(code)
	if err != nil {
		return Checked{}, err
	}
	row, err := get(ctx, tx, tenant, id)
	if err != nil {
		return Checked{}, err
	}
	if v := read(row, tx.Now()); v.State != Pending {
		return Checked{Verdict: Over, Verification: v}, ExpireDue(ctx, tx, id)
	}
	kept, err := tx.LockGuesses(
		ctx,
		db.LockGuessesParams{Tenant: tenant, Phone: row.Phone, Now: tx.Moment()},
	)
	if err != nil {
		return Checked{}, fmt.Errorf("verification %s: %w", id, err)
	}
	wrong := parseGuesses(kept, tx.Now())
	if until, blocked := wrong.blocked(int(row.MaxWrong)); blocked {
		return result(ctx, tx, row, Blocked, until)
	}
	counted, err := tx.CountAttempt(
		ctx,
		db.CountAttemptParams{ID: id, Tenant: tenant, Now: tx.Moment()},
	)
	if errors.Is(err, sql.ErrNoRows) { // ended at this very moment
		return result(ctx, tx, row, Over, time.Time{})
	}
	if err != nil {
		return Checked{}, fmt.Errorf("verification %s: counting: %w", id, err)
	}
	if counted.Checker != "" {
		return askVerify(ctx, tx, counted, given, append(wrong, tx.Now()))
	}
	want, err := tx.Open(place(id, tenant), counted.Code)
	if err != nil {
		return Checked{}, fmt.Errorf("verification %s: %w", id, err)
	}
	// In constant time for codes of one length, which is no secret.
	if subtle.ConstantTimeCompare(want, []byte(given)) == 1 {
		if _, err := end(ctx, tx, id, Approved, ""); err != nil {
			return Checked{}, err
		}
		return result(ctx, tx, row, Right, time.Time{})
	}
	if err := countWrong(ctx, tx, counted, append(wrong, tx.Now())); err != nil {
		return Checked{}, err
	}
	return result(ctx, tx, row, Wrong, time.Time{})
}

// CheckExternal is Check for the newest verification that a door of a tenant calls externalID.
// The second result is true once for each verification that has expired: the first time a
// caller hears it.
func CheckExternal(
	ctx context.Context, tx *store.Tx, tenant, door, externalID, code string,
) (c Checked, news bool, err error) {
	v, err := ByExternalID(ctx, tx, tenant, door, externalID)
	if err != nil {
		return c, false, err
	}
	c, err = Check(ctx, tx, tenant, v.ID, code)
	if err != nil || c.Verification.State != Expired {
		return c, false, err
	}
	n, err := tx.TellExpired(ctx, db.TellExpiredParams{
		Tenant: tenant, Door: door, ExternalID: externalID, Now: tx.Moment(),
	})
	return c, n > 0, err
}

// countWrong notes a wrong code against its phone, and ends the verification when it was the
// last attempt.
func countWrong(ctx context.Context, tx *store.Tx, row db.Verification, all guesses) error {
	if err := tx.SetGuesses(
		ctx, db.SetGuessesParams{Tenant: row.Tenant, Phone: row.Phone, WrongAt: all.String()},
	); err != nil {
		return err
	}
	if err := tx.Record(
		ctx, row.Tenant, row.ID, "verification.wrong",
		fmt.Sprintf("%d of %d", row.Attempts, row.MaxAttempts),
	); err != nil {
		return err
	}
	if row.Attempts < row.MaxAttempts {
		return nil
	}
	_, err := end(ctx, tx, row.ID, MaxAttemptsReached, "")
	return err
}

// result reads how the verification stands now.
func result(
	ctx context.Context,
	tx store.View,
	row db.Verification,
	verdict Verdict,
	until time.Time,
) (Checked, error) {
	v, err := Get(ctx, tx, row.Tenant, row.ID)
	return Checked{Verdict: verdict, Verification: v, Until: until}, err
}
