// Package operator is the rule for the people who look after the bridge through its pages: their
// sessions, wrong passwords, and what they did.
//
// It is for the door under /operator. It promises:
//
//   - A session is known by a digest alone: a thief of the database cannot use one.
//   - It ends when it was not used for a while, after a working day, and when the operator's
//     password or role changes. Replicas share it.
//   - Guesses that come at one time all count, for names that there are and for others alike.
//   - What an operator does is recorded in the transaction that does it.
package operator

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

const (
	// Idle is how long a session lasts without a request.
	Idle = 30 * time.Minute
	// Life is how long it lasts at most.
	Life = 12 * time.Hour
	// touchEvery is how exactly it is known when a session was used.
	touchEvery = time.Minute
)

// ErrNoSession: there is no such session, or it has ended.
var ErrNoSession = errors.New("operator: no such session")

// NewToken makes what only the browser of a session knows.
func NewToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func sessionID(view store.View, token string) string {
	return view.Fingerprint("operator session\x00" + token)
}

func digestOf(view store.View, proof string) string {
	return view.Fingerprint("operator proof\x00" + proof)
}

// Open opens a session of an operator. The proof is of the password and the role.
func Open(ctx context.Context, tx *store.Tx, token, name, proof string) error {
	err := tx.AddOperatorSession(ctx, db.AddOperatorSessionParams{
		ID: sessionID(tx, token), Name: name, Proof: digestOf(tx, proof),
		OpenedAt: tx.Moment(), UsedAt: tx.Moment(),
	})
	if err != nil {
		return fmt.Errorf("operator: opening a session: %w", err)
	}
	return nil
}

// Session is one that has not ended.
type Session struct {
	Name string
	// Stale says that Touch should be called when the operator makes a request.
	Stale bool
	proof string
}

// Fits reports whether the operator's password and role are what they were when it was opened.
func (s Session) Fits(view store.View, proof string) bool {
	return s.proof == digestOf(view, proof)
}

// Find returns the session of a token, or ErrNoSession.
func Find(ctx context.Context, view store.View, token string) (Session, error) {
	row, err := view.GetOperatorSession(ctx, sessionID(view, token))
	now := view.Now()
	switch {
	case store.Missing(err):
		return Session{}, ErrNoSession
	case err != nil:
		return Session{}, fmt.Errorf("operator: reading a session: %w", err)
	case now.Sub(row.UsedAt.Time) >= Idle, now.Sub(row.OpenedAt.Time) >= Life:
		return Session{}, ErrNoSession
	}
	return Session{row.Name, now.Sub(row.UsedAt.Time) >= touchEvery, row.Proof}, nil
}

// Touch records that a session is used.
func Touch(ctx context.Context, tx *store.Tx, token string) error {
	_, err := tx.UseOperatorSession(ctx, db.UseOperatorSessionParams{
		ID: sessionID(tx, token), UsedAt: tx.Moment(),
	})
	if err != nil {
		return fmt.Errorf("operator: using a session: %w", err)
	}
	return nil
}

// Close ends a session.
func Close(ctx context.Context, tx *store.Tx, token string) error {
	if _, err := tx.EndOperatorSession(ctx, sessionID(tx, token)); err != nil {
		return fmt.Errorf("operator: ending a session: %w", err)
	}
	return nil
}
