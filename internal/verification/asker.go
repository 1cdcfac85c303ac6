package verification

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// This file says whose budget a wrong code is taken from. The package comment has the reasons.

// Class is what stands behind the number of a verification: who says that the phone is the person's
// who asks.
type Class = db.VerificationAsker

// The classes of those who ask. A code that comes by text is of a fourth class, the phone's own.
const (
	Claim Class = "claim" // the identity provider says so
	App   Class = "app"   // a tenant's app says so, with its key
	Typed Class = "typed" // the person typed the number, and it may be any number
)

const (
	ofReplies = "reply" // the class of codes that come by text
	ofSubject = "subject/"
	ofSource  = "source/"
)

// Asker is who asks for a verification. The zero Asker is an app that does not say for whom.
type Asker struct {
	class   Class
	subject string // a digest, "" for none
}

// AskedBy is an asker of a class. Subject names for whom it asks, in as many parts as are needed,
// such as the user's id. Only a digest of it is kept.
func AskedBy(class Class, subject ...string) Asker {
	return Asker{class, digest(subject...)}
}

// digest is equal for equal texts, and "" when there are none. It is short enough for a key and too
// long to be met by chance.
func digest(texts ...string) string {
	if len(texts) == 0 {
		return ""
	}
	hash := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(hash, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// digestOf is the digest of a source, "" when it is not known.
func digestOf(source string) string {
	if source == "" {
		return ""
	}
	return digest(source)
}

// share is how many wrong codes a class may have when the setting code_wrong is most. No class has
// another's share: so none can use up what another needs.
func share(class string, most int) int {
	switch class {
	case string(Typed), ofReplies:
		return max(1, most/2)
	}
	return most
}

// budget is one count of wrong codes, and what follows from them: a block of one phone, or a pause
// of a person or source that presents codes of typed numbers.
type budget struct {
	phone phonemail.Number // of a block
	whose string
	most  int // of a block: so many wrong codes in GuessMemory, from 1
	pause pause
	wrong guesses // as read
}

// budgets are the budgets from which a wrong code is taken that comes through a door. Source is a
// digest. They are locked in this order, which is the same for every code, so that two codes never
// wait for each other.
func budgets(row db.Verification, door, source string) []*budget {
	most := int(row.MaxWrong)
	if door == ByText {
		return []*budget{{phone: row.Phone, whose: ofReplies, most: share(ofReplies, most)}}
	}
	class := string(row.Asker)
	all := []*budget{{phone: row.Phone, whose: class, most: share(class, most)}}
	switch {
	case row.Asker == App && row.Subject != "":
		// Half of the share, so that one user of the app does not spend what the others need.
		half := max(1, share(class, most)/2)
		all = append(all, &budget{phone: row.Phone, whose: class + "/" + row.Subject, most: half})
	case row.Asker == Typed:
		if row.Subject != "" {
			all = append(all, &budget{whose: ofSubject + row.Subject, pause: ofOnePerson()})
		}
		if source != "" {
			all = append(all, &budget{whose: ofSource + source, pause: ofOneSource()})
		}
	}
	return all
}

// lock locks and reads all budgets, and returns why the code may not be compared now: a WaitError,
// nil when it may.
func lock(ctx context.Context, tx *store.Tx, tenant string, all []*budget) (*WaitError, error) {
	for _, b := range all {
		var kept string
		var err error
		if b.pauses() {
			kept, err = tx.LockPause(ctx, db.LockPauseParams{
				Tenant: tenant, Who: b.whose, Now: tx.Moment(),
			})
		} else {
			kept, err = tx.LockGuesses(ctx, db.LockGuessesParams{
				Tenant: tenant, Phone: b.phone, Asker: b.whose, Now: tx.Moment(),
			})
		}
		if err != nil {
			return nil, fmt.Errorf("verification: locking the wrong codes: %w", err)
		}
		b.wrong = parseGuesses(kept, tx.Now())
	}
	return obstacle(all, tx.Now()), nil
}

// look reads all budgets without a lock, and returns what lock does.
func look(ctx context.Context, tx store.View, tenant string, all []*budget) (*WaitError, error) {
	for _, b := range all {
		var kept string
		var err error
		if b.pauses() {
			kept, err = tx.GetPause(ctx, db.GetPauseParams{Tenant: tenant, Who: b.whose})
		} else {
			kept, err = tx.GetGuesses(ctx, db.GetGuessesParams{
				Tenant: tenant, Phone: b.phone, Asker: b.whose,
			})
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		b.wrong = parseGuesses(kept, tx.Now())
	}
	return obstacle(all, tx.Now()), nil
}

// obstacle is why the budgets let no code be compared: a block before a pause, and of two pauses
// the longer one.
func obstacle(all []*budget, now time.Time) *WaitError {
	var wait *WaitError
	for _, b := range all {
		if b.pauses() {
			until := b.pause.until(b.wrong)
			if now.Before(until) && (wait == nil || wait.Until.Before(until)) {
				wait = &WaitError{ErrPaused, until}
			}
			continue
		}
		if until, blocked := b.wrong.blocked(b.most); blocked {
			return &WaitError{ErrBlocked, until}
		}
	}
	return wait
}

// charge takes a wrong code from all budgets, which are locked.
func charge(ctx context.Context, tx *store.Tx, tenant string, all []*budget) error {
	for _, b := range all {
		b.wrong = append(b.wrong, tx.Now())
	}
	return keep(ctx, tx, tenant, all)
}

// refund gives back what a code cost that was presented at a time. The budgets are locked.
func refund(
	ctx context.Context, tx *store.Tx, tenant string, all []*budget, at time.Time,
) error {
	for _, b := range all {
		if i := slices.IndexFunc(b.wrong, at.Equal); i >= 0 {
			b.wrong = slices.Delete(b.wrong, i, i+1)
		}
	}
	return keep(ctx, tx, tenant, all)
}

func keep(ctx context.Context, tx *store.Tx, tenant string, all []*budget) error {
	for _, b := range all {
		var err error
		if b.pauses() {
			b.wrong = b.wrong[max(0, len(b.wrong)-mostPauses):]
			err = tx.SetPause(ctx, db.SetPauseParams{
				Tenant: tenant, Who: b.whose, WrongAt: b.wrong.String(),
			})
		} else {
			err = tx.SetGuesses(ctx, db.SetGuessesParams{
				Tenant: tenant, Phone: b.phone, Asker: b.whose, WrongAt: b.wrong.String(),
			})
		}
		if err != nil {
			return fmt.Errorf("verification: keeping the wrong codes: %w", err)
		}
	}
	return nil
}

func (b *budget) pauses() bool { return b.pause != (pause{}) }

// pause says how long a person or source that gave wrong codes must wait for the next one. After
// the free ones of GuessMemory that is not at all, then first, and twice as long each time, up to
// the longest.
type pause struct {
	free           int
	first, longest time.Duration
}

// A pause is far shorter than a log-in, so that it never keeps the owner of a phone out. A source
// may be the address of a whole company or carrier, so it has more codes and shorter pauses.
func ofOnePerson() pause {
	return pause{free: 2, first: 5 * time.Second, longest: 5 * time.Minute}
}

func ofOneSource() pause {
	return pause{free: 10, first: 2 * time.Second, longest: time.Minute}
}

// mostPauses is how many wrong codes are kept for a pause: more than lead to the longest one.
const mostPauses = 32

// until is when the next code may be presented.
func (p pause) until(wrong guesses) time.Time {
	over := len(wrong) - p.free
	if over <= 0 {
		return time.Time{}
	}
	wait := p.longest
	if doubled := p.first << (over - 1); over < 16 && doubled < wait {
		wait = doubled
	}
	return wrong[len(wrong)-1].Add(wait)
}
