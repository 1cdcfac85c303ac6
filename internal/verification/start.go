package verification

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/fact"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// Start starts a verification and makes the text with its code due. The second result is false
// when a pending one of the same door already has the ExternalID: that one is returned, and
// nothing was done. It returns ErrOptedOut, or ErrLimited, ErrBlocked or ErrPaused in a WaitError,
// or an error of the database.
func Start(ctx context.Context, tx *store.Tx, r Request) (Verification, bool, error) {
	return start(ctx, tx, store.NewID(), r)
}

// start is Start with the id for a new verification.
func start(ctx context.Context, tx *store.Tx, id string, r Request) (Verification, bool, error) {
	if err := admit(ctx, tx, r); err != nil {
		return Verification{}, false, err
	}
	old, known, err := standing(ctx, tx, r)
	if err != nil || known && old.State == Pending && !r.Replace {
		return old, false, err
	}
	now := opens(tx.Moment(), id, old)
	if number, test := r.Tenant.Test(r.Phone, now.Time); test {
		r = r.rehearsed(number, now.Time)
	}
	code, renew := r.Code, 0
	if code == "" {
		code = Draw(r.Length)
		if r.Renew {
			renew = r.Length
		}
	}
	draft := text.Draft{
		Tenant: r.Tenant, VerificationID: id, Line: r.Line, Phone: r.Phone, Purpose: text.Code,
		Body: r.Wording(code, r.Locale), Deadline: now.Add(r.Limits.Life).Time, Asker: r.whose(),
		Wording: codeWording, Language: r.Locale, NotBefore: now.Time,
	}
	if r.Unreachable == "" { // else nothing is texted
		if err := admitText(ctx, tx, draft); err != nil {
			return Verification{}, false, err
		}
	}
	if known {
		if err := makeRoom(ctx, tx, old); err != nil {
			return Verification{}, false, err
		}
	}
	row := db.AddVerificationParams{
		ID: id, Tenant: r.Tenant.Slug, Door: r.Door, ExternalID: r.ExternalID, Account: r.Line.Account,
		Sender: r.Line.Sender, Phone: r.Phone, Locale: r.Locale,
		Code: tx.Seal(place(id, r.Tenant.Slug), []byte(code)), Renew: int64(renew),
		MaxAttempts: int64(r.Limits.Attempts), MaxWrong: int64(r.mostWrong()),
		MaxSends: int64(r.Limits.Sends), Gap: r.Limits.Gap.Milliseconds(), Notify: flag(r.Notify),
		OpenedAt: now, ExpiresAt: now.Add(r.Limits.Life),
		Asker: cmp.Or(r.Asker.class, App), Subject: r.Asker.subject, Test: flag(r.test),
	}
	n, err := tx.AddVerification(ctx, row)
	if err == nil && n == 0 {
		err = store.ErrConflict // another replica took the external id at this very moment
	}
	if err != nil {
		return Verification{}, false, fmt.Errorf("verification: adding: %w", err)
	}
	if err := tx.RecordAbout(ctx, r.Tenant.Slug, id, "verification."+string(Pending),
		r.about(), fact.About{Country: r.Phone.Country()}); err != nil {
		return Verification{}, false, err
	}
	v := Verification{
		ID: id, Tenant: r.Tenant.Slug, Door: r.Door, ExternalID: r.ExternalID, Line: r.Line,
		Phone:  r.Phone,
		Locale: r.Locale, State: Pending, MaxAttempts: r.Limits.Attempts,
		Sends: 1, MaxSends: r.Limits.Sends, Opened: now.Time, Expires: row.ExpiresAt.Time,
		NextSend: now.Add(r.Limits.Gap).Time, byText: !r.ComparedElsewhere, Test: r.test,
	}
	if r.Unreachable != "" {
		v, err = failUnsent(ctx, tx, v, r.Unreachable)
		return v, true, err
	}
	return v, true, send(ctx, tx, draft)
}

// rehearsed is a request about a test number: its code is the fixed one, unless Auth0 or another
// app compares a code of its own. It counts no longer than the number is one. No text leaves, and
// so no country refuses it. A number without a code cannot be proved.
func (r Request) rehearsed(number tenant.TestNumber, now time.Time) Request {
	r.test, r.Unreachable = true, ""
	r.Limits.Life = min(r.Limits.Life, number.End.Sub(now))
	switch {
	case r.ComparedElsewhere:
	case number.Code == "":
		r.Unreachable = "a test number without a code"
	default:
		r.Code = number.Code
	}
	return r
}

// about is what the timeline says of a request.
func (r Request) about() string {
	if r.test {
		return r.Door + ": " + text.TestReason
	}
	return r.Door
}

// failUnsent ends a verification whose code cannot be texted to its phone.
func failUnsent(
	ctx context.Context, tx *store.Tx, v Verification, why string,
) (Verification, error) {
	if err := tx.Record(ctx, v.Tenant, v.ID, "verification.refused", why); err != nil {
		return v, err
	}
	if err := Fail(ctx, tx, v.ID, NotPermitted); err != nil {
		return v, err
	}
	return ByID(ctx, tx, v.ID)
}

// admitText counts a text against all limits, and returns ErrLimited in a WaitError when it must
// not be sent.
func admitText(ctx context.Context, tx *store.Tx, d text.Draft) error {
	refusal, err := text.Admit(ctx, tx, d)
	if err == nil && refusal != nil {
		err = &WaitError{fmt.Errorf("%w: %s", ErrLimited, refusal.Reason), refusal.Until}
	}
	return err
}

// send makes a text due that was admitted.
func send(ctx context.Context, tx *store.Tx, d text.Draft) error {
	d.Admitted = true
	_, err := text.Make(ctx, tx, d)
	return err
}

// whose is who asks for the text: the source of a person who types numbers, else the subject that
// an app or an identity provider names. So the people of one office, whom Auth0 names, share none.
func (r Request) whose() string {
	if r.Asker.class == Typed && r.Source != "" {
		return ofSource + r.Source
	}
	if r.Asker.subject != "" {
		return ofSubject + r.Asker.subject
	}
	return ""
}

// standing is what has the request's external id, if any has. A request that replaces it locks it:
// another one that comes at once waits, and then finds what this one started.
func standing(ctx context.Context, tx *store.Tx, r Request) (Verification, bool, error) {
	if r.ExternalID == "" {
		return Verification{}, false, nil
	}
	for locked := ""; ; {
		old, err := ByExternalID(ctx, tx, r.Tenant.Slug, r.Door, r.ExternalID)
		switch {
		case errors.Is(err, ErrUnknown):
			return old, false, nil
		case err != nil || !r.Replace || old.ID == locked:
			return old, err == nil, err
		}
		if _, err := tx.LockVerification(ctx, old.ID); err != nil {
			return old, false, fmt.Errorf("verification %s: locking: %w", old.ID, err)
		}
		locked = old.ID
	}
}

// opens is when a verification with an id opens: now, or just after the one before it. A request
// that waited may have begun before that one, and must still be the newest of its external id.
func opens(now moment.Moment, id string, old Verification) moment.Moment {
	if old.Opened.After(now.Time) || old.Opened.Equal(now.Time) && old.ID > id {
		return moment.Of(old.Opened.Add(time.Millisecond))
	}
	return now
}

// makeRoom ends what has the external id of a request and does not keep it.
func makeRoom(ctx context.Context, tx *store.Tx, old Verification) error {
	if old.State == Pending {
		_, err := end(ctx, tx, old.ID, Canceled, "replaced")
		return err
	}
	return ExpireDue(ctx, tx, old.ID) // it may be overdue, and no worker has recorded that yet
}

// mostWrong is how many wrong codes a phone may have had while the verification counts.
func (r Request) mostWrong() int {
	if r.ComparedElsewhere {
		return elsewhere
	}
	return r.Limits.Wrong
}

// admit refuses what a text or a guess would be refused for.
func admit(ctx context.Context, tx store.View, r Request) error {
	out, err := text.OptedOut(ctx, tx, r.Tenant.Slug, r.Line, r.Phone)
	if err != nil {
		return err
	}
	if out {
		return ErrOptedOut
	}
	if r.ComparedElsewhere {
		return nil
	}
	asked := db.Verification{
		Phone: r.Phone, MaxWrong: int64(r.Limits.Wrong),
		Asker: cmp.Or(r.Asker.class, App), Subject: r.Asker.subject,
	}
	wait, err := look(ctx, tx, r.Tenant.Slug, budgets(asked, r.Door, digestOf(r.Source)))
	if err == nil && wait != nil {
		err = wait
	}
	return err
}
