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

// Recipient is a phone, and its address exactly as a mail was delivered to it. Only the domain is
// in small letters: an identity provider may have an account for each spelling of the rest.
type Recipient struct {
	Phone   phonemail.Number
	Address string
}

// To returns the recipient behind an address that was found to be a phone's.
func To(phone phonemail.Number, address string) Recipient {
	return Recipient{phone, exact(address)}
}

// exact is an address as it is compared, byte for byte.
func exact(address string) string {
	at := strings.LastIndexByte(address, '@') + 1
	return address[:at] + strings.ToLower(address[at:])
}

// Delivery is one webhook: one mail for one or more phones of a tenant.
type Delivery struct {
	Tenant     string
	Recipients []Recipient
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
func Take(ctx context.Context, tx *store.Tx, d Packed) (Taken, error) {
	used, err := useToken(ctx, tx, d)
	if err != nil || used != New {
		return used, err
	}
	taken := Duplicate
	for _, one := range d.parts {
		added, err := add(ctx, tx, d.Delivery, one)
		if err != nil {
			return 0, err
		}
		if added {
			taken = New
		}
	}
	return taken, nil
}

// useToken uses up the token of a delivery. It returns New when the token was not used before. That
// takes one statement: nearly every token is new.
func useToken(ctx context.Context, tx *store.Tx, d Packed) (Taken, error) {
	key := db.GetSeenParams{Source: "mailgun", ID: d.Signer + " " + d.Token}
	n, err := tx.AddToken(ctx, db.AddTokenParams{
		Source: key.Source, ID: key.ID, Digest: d.digest, At: moment.Of(d.PostedAt),
		OlderTenant: d.Tenant, OlderID: d.Token,
	})
	if err != nil {
		return 0, fmt.Errorf("mail: keeping the token: %w", err)
	}
	if n > 0 {
		return New, nil
	}
	_, err = tx.GetSeen(ctx, db.GetSeenParams{Source: "mailgun", Tenant: d.Tenant, ID: d.Token})
	if err == nil {
		return Reused, nil // by a row of an older version
	}
	if !store.Missing(err) {
		return 0, fmt.Errorf("mail: looking for the token: %w", err)
	}
	seen, err := tx.GetSeen(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("mail: looking for the token: %w", err)
	}
	if seen.Digest != d.digest {
		return Reused, nil
	}
	return Duplicate, nil
}

// Entry is the row of a mail to one phone. Its id is that of the case.
type Entry struct {
	ID    string
	Phone phonemail.Number
}

// Entries are the rows that stand for a delivery which was taken, one for each of its phones. Of a
// new one with one phone that is known without looking.
func Entries(
	ctx context.Context, s *store.Store, d Packed, taken Taken,
) (entries []Entry, err error) {
	if taken == New && len(d.parts) == 1 {
		return []Entry{{d.parts[0].id, d.parts[0].to.Phone}}, nil
	}
	err = s.Read(ctx, func(ctx context.Context, view store.View) error {
		for _, one := range d.parts {
			id, err := view.MailOf(ctx, db.MailOfParams{
				Tenant: d.Tenant, MessageID: d.known(), Phone: one.to.Phone,
			})
			if err != nil && !store.Missing(err) {
				return fmt.Errorf("mail: looking for its rows: %w", err)
			}
			entries = append(entries, Entry{id, one.to.Phone})
		}
		return nil
	})
	return entries, err
}

// known is by what a mail is known when it comes again: without a Message-Id only a repeated token
// shows that it is the same.
func (d Delivery) known() string {
	if d.MessageID == "" {
		return byToken + d.Token
	}
	return d.MessageID
}

func add(ctx context.Context, tx *store.Tx, d Delivery, one part) (bool, error) {
	row := db.AddMailParams{
		ID: one.id, Tenant: d.Tenant, Phone: one.to.Phone, Recipient: one.to.Address,
		MessageID: d.known(), MessageURL: d.MessageURL, Packed: one.body,
		PostedAt: moment.Of(d.PostedAt), ReceivedAt: tx.Moment(),
	}
	return receive(ctx, tx, row, "")
}

// receive adds a mail and makes its examination due, unless it was known.
func receive(
	ctx context.Context, tx *store.Tx, row db.AddMailParams, detail string,
) (added bool, err error) {
	job := ExamineMail{row.ID}
	row.BegunAt, row.Country = tx.Enqueue(job), row.Phone.Country()
	n, err := tx.AddMail(ctx, row)
	if err != nil {
		return false, fmt.Errorf("mail: adding: %w", err)
	}
	if n == 0 {
		tx.Dequeue(job)
		return false, nil
	}
	return true, record(ctx, tx, row.Tenant, row.ID, Received, detail)
}

// BegunBefore returns the mails whose examination was begun before a time and has not ended, the
// oldest first, at most a number of them.
func BegunBefore(
	ctx context.Context, view store.View, before time.Time, most int,
) (ids []string, err error) {
	return view.MailsBegunBefore(ctx, db.MailsBegunBeforeParams{
		Before: moment.Of(before), Most: int32(most),
	})
}

// Queue makes an examination that was begun due again at a time. From now on the queue has it,
// which counts how often it fails.
func Queue(ctx context.Context, tx *store.Tx, id string, at time.Time) error {
	tx.EnqueueAt(ExamineMail{id}, at)
	return tx.LeaveMail(ctx, id)
}

// maxMessageID is the longest line of a mail (RFC 5322 section 2.1.1), so no Message-Id is longer.
// The database indexes it.
const maxMessageID = 998

// IsMessageID reports whether a bridge takes a mail with a Message-Id, which its sender chose.
func IsMessageID(id string) bool {
	return len(id) <= maxMessageID && store.IsPlain(id)
}

// Mail is a received mail that waits for its examination.
type Mail struct {
	ID, Tenant string
	Phone      phonemail.Number
	Recipient  string // the phone's address as delivered, "" in rows that older versions wrote
	MessageID  string // or what stands for it
	MessageURL string
	PostedAt   time.Time
	Body       Body
	// HasBody false: the body has to be fetched from Mailgun, by choice or because ours cannot be
	// opened any more.
	HasBody bool
}

// Pending returns the mail when it still waits for its examination.
func Pending(ctx context.Context, tx store.View, id string) (Mail, bool, error) {
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
		ID: row.ID, Tenant: row.Tenant, Phone: row.Phone, Recipient: row.Recipient,
		MessageID: row.MessageID, MessageURL: row.MessageURL, PostedAt: row.PostedAt.Time,
	}
	m.Body, m.HasBody = bodyOf(tx, row)
	return m, row.State, nil
}

// bodyOf opens the body of a mail. It returns false when none is kept, or when it cannot be opened.
func bodyOf(view store.View, row db.Mail) (b Body, ok bool) {
	if packed, err := view.Unpack(packedPlace(row.ID, row.Tenant), row.Packed); err != nil {
		return Body{}, false
	} else if len(packed) > 0 {
		b, err = decodeBody(packed)
		return b, err == nil
	}
	// An older version wrote it.
	plain, err := view.Open(place(row.ID, row.Tenant), row.Body)
	ok = err == nil && len(plain) > 0 && json.Unmarshal(plain, &b) == nil
	return b, ok
}

// What stands for a Message-Id where a mail has none.
const (
	byToken = "token:"  // the token of its first delivery
	byPlace = "stored:" // where Mailgun keeps it
)

// Is reports whether a mail that was fetched from Mailgun is this one, by its Message-Id and its
// recipients. Where Mailgun keeps a mail is said by a webhook whose content no signature covers.
func (m Mail) Is(messageID string, recipients []Recipient) bool {
	same := m.MessageID == messageID
	if strings.HasPrefix(m.MessageID, byToken) || strings.HasPrefix(m.MessageID, byPlace) {
		same = messageID == ""
	}
	return same && slices.ContainsFunc(recipients, func(to Recipient) bool {
		return to.Phone == m.Phone && (m.Recipient == "" || m.Recipient == to.Address)
	})
}

// Deletion is what became of a mail at Mailgun, once there is no reason to ask again.
type Deletion string

// An operator who promises that no mail stays at Mailgun must see the mails that did.
const (
	Deleted   Deletion = "deleted"   // by the bridge
	Gone      Deletion = "gone"      // it was not there any more
	Left      Deletion = "left"      // Mailgun refused to delete it
	Elsewhere Deletion = "elsewhere" // it is not where its webhook said
)

// RecordDeletion records what became of a mail at Mailgun.
func RecordDeletion(ctx context.Context, tx *store.Tx, m Mail, became Deletion) error {
	return tx.Record(ctx, m.Tenant, m.ID, "mail."+string(became), "")
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
