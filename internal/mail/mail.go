// Package mail is the rule for one received mail: taking it once, and what follows from its
// examination.
//
// It is for the door that receives Mailgun's webhook and for the workers that examine mails. A
// mail goes
//
//	received ──▶ examined    a question was asked about it
//	    └──────▶ refused     nothing is done about it, and the reason is kept
//
// It promises that a mail counts once however often it is delivered, under fresh tokens too. A
// token counts once, over all tenants, and only with the content it came with. Mailgun's key is the
// account's, so every tenant of that account would take what one of them was sent.
//
// The body holds a live link, so it is sealed until the examination, and the statement that ends
// the examination removes it.
package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/phonemail"
)

// State is how far a mail has come.
type State = db.MailState

// The states of a mail; see the drawing above.
const (
	Received State = "received"
	Examined State = "examined"
	Refused  State = "refused"
)

// Body is what a mail says: parsed by Mailgun, or raw.
type Body struct {
	Subject string `json:"subject,omitempty"`
	From    string `json:"from,omitempty"`
	Text    string `json:"text,omitempty"`
	HTML    string `json:"html,omitempty"`
	// MIME is the whole mail. The fields above are not needed then.
	MIME string `json:"mime,omitempty"`
	// Envelope is the SMTP sender.
	Envelope string `json:"envelope,omitempty"`
}

// Delivery is one webhook: one mail for one or more phones of a tenant.
type Delivery struct {
	Tenant     string
	Phones     []phonemail.Number
	Signer     string    // stands for the key that signed the token
	Token      string    // Mailgun's single-use token
	PostedAt   time.Time // Mailgun's signed time stamp
	MessageID  string    // the Message-Id header, "" when there is none
	MessageURL string    // where Mailgun keeps the mail, "" when it does not
	Body       Body
	// KeepBody false: only the envelope is recorded. The body is fetched from Mailgun when it is
	// needed.
	KeepBody bool
}

// ExamineMail is the job that examines the mail ID.
type ExamineMail struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (ExamineMail) Kind() string { return "examine_mail" }

// DeleteMail is the job that deletes the mail ID at Mailgun.
type DeleteMail struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (DeleteMail) Kind() string { return "delete_mail" }

// Taken is what became of a delivery.
type Taken int

const (
	// New means that the delivery was recorded, for at least one phone.
	New Taken = iota
	// Duplicate means that all of it had been recorded before.
	Duplicate
	// Reused means that its token came before with another content: an attack, or a defect of the
	// sender.
	Reused
)

// Take records a delivery and makes its examination due.
func Take(ctx context.Context, tx *store.Tx, d Delivery) (Taken, error) {
	digest, err := d.digest()
	if err != nil {
		return 0, err
	}
	used, err := useToken(ctx, tx, d, digest)
	if err != nil || used != New {
		return used, err
	}
	taken := Duplicate
	// In one order, so that two deliveries of one mail do not deadlock.
	phones := slices.SortedFunc(slices.Values(d.Phones), func(a, b phonemail.Number) int {
		return strings.Compare(a.E164(), b.E164())
	})
	for _, phone := range phones {
		added, err := add(ctx, tx, d, phone)
		if err != nil {
			return 0, err
		}
		if added {
			taken = New
		}
	}
	return taken, nil
}

// useToken uses up the token of a delivery. It returns New when the token was not used before.
func useToken(ctx context.Context, tx *store.Tx, d Delivery, digest string) (Taken, error) {
	// A row that names a tenant is of a version that counted tokens by tenant. It goes on protecting.
	_, err := tx.GetSeen(ctx, db.GetSeenParams{Source: "mailgun", Tenant: d.Tenant, ID: d.Token})
	if err == nil {
		return Reused, nil
	}
	if !store.Missing(err) {
		return 0, fmt.Errorf("mail: looking for the token: %w", err)
	}
	key := db.GetSeenParams{Source: "mailgun", ID: d.Signer + " " + d.Token}
	n, err := tx.AddSeen(ctx, db.AddSeenParams{
		Source: key.Source, ID: key.ID, Digest: digest, At: moment.Of(d.PostedAt),
	})
	if err != nil {
		return 0, fmt.Errorf("mail: keeping the token: %w", err)
	}
	if n > 0 {
		return New, nil
	}
	seen, err := tx.GetSeen(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("mail: looking for the token: %w", err)
	}
	if seen.Digest != digest {
		return Reused, nil
	}
	return Duplicate, nil
}

func add(ctx context.Context, tx *store.Tx, d Delivery, phone phonemail.Number) (bool, error) {
	id := store.NewID()
	row := db.AddMailParams{
		ID: id, Tenant: d.Tenant, Phone: phone, MessageID: d.MessageID, MessageURL: d.MessageURL,
		PostedAt: moment.Of(d.PostedAt), ReceivedAt: tx.Moment(),
	}
	if row.MessageID == "" {
		// Without a Message-Id only a repeated token shows that a mail is the same.
		row.MessageID = "token:" + d.Token
	}
	if d.KeepBody {
		plain, err := json.Marshal(d.Body)
		if err != nil {
			return false, fmt.Errorf("mail: %w", err)
		}
		row.Body = tx.Seal(place(id, d.Tenant), plain)
	}
	n, err := tx.AddMail(ctx, row)
	if err != nil {
		return false, fmt.Errorf("mail: adding: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	tx.Enqueue(ExamineMail{id})
	return true, record(ctx, tx, d.Tenant, id, Received, "")
}

// digest identifies the content that came with a token, and for whom it came.
func (d Delivery) digest() (string, error) {
	phones := make([]string, len(d.Phones))
	for i, p := range d.Phones {
		phones[i] = p.E164()
	}
	content, err := json.Marshal([]any{d.Tenant, phones, d.MessageID, d.MessageURL, d.Body})
	if err != nil {
		return "", fmt.Errorf("mail: %w", err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

// Mail is a received mail that waits for its examination.
type Mail struct {
	ID, Tenant string
	Phone      phonemail.Number
	MessageID  string
	MessageURL string
	PostedAt   time.Time
	Body       Body
	// HasBody false: the body has to be fetched from Mailgun, by choice or because ours cannot be
	// opened any more.
	HasBody bool
}

// Pending returns the mail when it still waits for its examination.
func Pending(ctx context.Context, tx *store.Tx, id string) (Mail, bool, error) {
	m, state, err := Get(ctx, tx, id)
	return m, err == nil && state == Received, err
}

// Get returns a mail and its state, with its body while that is kept. ErrUnknown says that there
// is none with that id.
func Get(ctx context.Context, tx store.View, id string) (Mail, State, error) {
	row, err := tx.GetMail(ctx, id)
	if store.Missing(err) {
		return Mail{}, "", ErrUnknown
	}
	if err != nil {
		return Mail{}, "", err
	}
	m := Mail{
		ID: row.ID, Tenant: row.Tenant, Phone: row.Phone, MessageID: row.MessageID,
		MessageURL: row.MessageURL, PostedAt: row.PostedAt.Time,
	}
	plain, err := tx.Open(place(row.ID, row.Tenant), row.Body)
	if err == nil && len(plain) > 0 {
		m.HasBody = json.Unmarshal(plain, &m.Body) == nil
	}
	return m, row.State, nil
}

// Deleted records that Mailgun was asked to delete a mail and had no reason to be asked again.
func Deleted(ctx context.Context, tx *store.Tx, m Mail) error {
	return record(ctx, tx, m.Tenant, m.ID, "deleted", "")
}

// ErrUnknown says that there is no mail with that id.
var ErrUnknown = errors.New("mail: no such mail")

func record(
	ctx context.Context, tx *store.Tx, tenant, id string, state State, detail string,
) error {
	return tx.Record(ctx, tenant, id, "mail."+string(state), detail)
}

func place(id, tenant string) store.Place {
	return store.Place{Table: "mail", ID: id, Column: "body", Tenant: tenant}
}
