// Package shortlink is the rule for the short addresses that texts carry:
// https://bridge.example/l/{token}.
//
// It is for the rules that put one into a text and for the page that opens there. A short link
// stands for one of two things. For a question, its page lets people accept or deny it by a tap.
// For a link out of a mail, its page leads on to that link.
//
// It promises that a token cannot be guessed (128 random bits) and that the database holds only
// the token's hash. The link behind it is sealed. A short link leads nowhere after its end.
package shortlink

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// Length is the number of characters of a token: 128 bits in unpadded base64url (RFC 4648 section
// 5).
const Length = 22

// ErrGone says that there is no such short link, or that its time is over.
var ErrGone = errors.New("shortlink: unknown or expired")

// Link is what a short link stands for.
type Link struct {
	Tenant      string
	ChallengeID string // the question to answer, or "" when it leads on
	URL         string // where it leads on to, or ""
	Language    string // of its page, "" when it is not known
	Expires     time.Time
}

// Make records a short link and returns its token, which is kept nowhere.
func Make(ctx context.Context, tx *store.Tx, l Link) (string, error) {
	var raw [16]byte
	rand.Read(raw[:])
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	id := hash(token)
	err := tx.AddShortLink(ctx, db.AddShortLinkParams{
		ID: id, Tenant: l.Tenant, ChallengeID: l.ChallengeID, Language: l.Language,
		Link:      tx.Seal(place(id, l.Tenant), []byte(l.URL)),
		ExpiresAt: moment.Of(l.Expires),
	})
	if err != nil {
		return "", fmt.Errorf("shortlink: adding: %w", err)
	}
	return token, nil
}

// Get returns what a token stands for, or ErrGone.
func Get(ctx context.Context, tx store.View, token string) (Link, error) {
	if len(token) != Length {
		return Link{}, ErrGone
	}
	row, err := tx.GetShortLink(ctx, hash(token))
	if store.Missing(err) {
		return Link{}, ErrGone
	}
	if err != nil {
		return Link{}, err
	}
	l := Link{
		Tenant: row.Tenant, ChallengeID: row.ChallengeID, Language: row.Language,
		Expires: row.ExpiresAt.Time,
	}
	if !tx.Now().Before(l.Expires) {
		return Link{}, ErrGone
	}
	url, err := tx.Open(place(row.ID, row.Tenant), row.Link)
	if err != nil {
		return Link{}, ErrGone // sealed under a key that is gone: it leads nowhere any more
	}
	l.URL = string(url)
	return l, nil
}

// hash is what the database knows of a token. The token has 128 random bits, so that a fast hash
// without salt is enough.
func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func place(id, tenant string) store.Place {
	return store.Place{Table: "short_link", ID: id, Column: "link", Tenant: tenant}
}
