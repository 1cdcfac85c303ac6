package challenge

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// digest identifies the link of a challenge. It has no key: a yes must still open its link, fetched
// again, after the key of the sealed one was lost. A link has the identity provider's random
// ticket, so its digest says nothing about it. The challenge's id makes each digest another.
// The statement that ends the challenge erases the digest, too.
func digest(id, link string) string {
	if link == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("smsbridge link\x00" + id + "\x00" + link))
	return hex.EncodeToString(sum[:])
}

// opens reports whether a yes to c opens this link. It opens none when the row does not say which.
func (c Challenge) opens(link string) bool {
	sum := digest(c.ID, link)
	return sum != "" && subtle.ConstantTimeCompare([]byte(sum), []byte(c.digest)) == 1
}

// openAbout returns the open question that asks a phone about the same already, whatever its
// deadline and its line.
func openAbout(
	ctx context.Context, view store.View, same Challenge, phone phonemail.Number,
) (Challenge, bool, error) {
	row, err := view.GetOpenChallenge(ctx, db.GetOpenChallengeParams{
		Tenant: same.Tenant, Phone: phone, Recipient: same.Recipient,
		Purpose: string(same.Purpose),
	})
	if store.Missing(err) {
		return Challenge{}, false, nil
	}
	return read(row, view.Now()), err == nil, err
}

// resend takes a mail about which its phone is being asked already. It returns the id of that
// challenge, or "" when the mail needs one of its own.
func (a Asking) resend(ctx context.Context, tx *store.Tx) (string, error) {
	if !a.stands {
		return "", nil
	}
	var err error
	switch {
	case a.standing.State == Expired:
		err = end(ctx, tx, a.standing, Open, Expired, "")
	case a.lost:
		err = Cancel(ctx, tx, a.standing, "its text did not leave")
	default:
		return keepResent(ctx, tx, a.tenant, a.standing, a.question)
	}
	if errors.Is(err, ErrGone) {
		err = nil
	}
	return "", err
}

// promptLost reports whether the prompt of an open question will not reach its phone. A test number
// needs none.
func promptLost(ctx context.Context, view store.View, c Challenge) (bool, error) {
	if c.State != Open || c.Test {
		return false, nil
	}
	state, err := view.PromptOfChallenge(ctx, c.ID)
	if store.Missing(err) {
		return true, nil
	}
	return state == text.Failed || state == text.Suppressed, err
}

// keepResent keeps what may be used of a resent mail's link beside or in place of the one of c. It
// returns c's id, or "" when c has ended meanwhile. A link that must never be used is not kept.
func keepResent(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, c Challenge, q Question,
) (string, error) {
	sum := digest(c.ID, q.Link)
	if c.State == Open && (c.Author == "" || c.Author == q.Author) {
		n, err := tx.ReplaceLink(ctx, db.ReplaceLinkParams{
			ID: c.ID, MailID: q.MailID, Digest: sum, Author: q.Author,
			Link: seal(tx, t, place(c.ID, t.Slug), q.Link),
		})
		if err != nil {
			return "", err
		}
		if n == 1 {
			return c.ID, record(ctx, tx, t.Slug, c.ID, "resent", "asked about in place of the first")
		}
	}
	if c.Author == "" || c.Author != q.Author {
		if now, err := Get(ctx, tx, c.ID); err != nil || now.Over() {
			return "", err // it ended after c was read
		}
		return c.ID, record(ctx, tx, t.Slug, c.ID, "resent", "not proved to be of the same sender")
	}
	n, err := tx.HoldLink(ctx, db.HoldLinkParams{
		ID: c.ID, HeldMailID: q.MailID, HeldDigest: sum,
		HeldLink: seal(tx, t, heldPlace(c.ID, t.Slug), q.Link),
	})
	if err != nil || n == 0 {
		return "", err
	}
	return c.ID, record(ctx, tx, t.Slug, c.ID, "resent", "held")
}

// takeHeld has the link clicked that was held beside the one of a click, if there is one. It is for
// a click whose link proved used or expired.
func takeHeld(ctx context.Context, tx *store.Tx, c Click) (bool, error) {
	row, err := tx.GetChallenge(ctx, c.Challenge.ID)
	if err != nil || row.HeldMailID == "" {
		return false, err
	}
	plain, err := tx.Open(heldPlace(row.ID, row.Tenant), row.HeldLink)
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return false, err
	}
	job := ClickLink{row.ID}
	n, err := tx.TakeHeldLink(ctx, db.TakeHeldLinkParams{
		ID: row.ID, MailID: c.Challenge.MailID, HeldMailID: row.HeldMailID,
		Link: tx.Seal(place(row.ID, row.Tenant), plain), BegunAt: tx.Enqueue(job),
		Click: c.went(tx),
	})
	if err != nil {
		return false, err
	}
	if n == 0 {
		tx.Dequeue(job)
		return false, nil
	}
	return true, record(ctx, tx, row.Tenant, row.ID, Accepted, "the held link")
}
