package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// File is a raw mail that an operator has, and wants to know about.
type File struct {
	MIME string
	// Address is to which phone's address it was delivered, "" for the one that its header names.
	Address string
	Tenant  string // "" for the tenant of the address
}

// Reasons why a file cannot be tried.
var (
	ErrNoMail    = errors.New("mail: that is no raw mail")
	ErrBadID     = errors.New("mail: no bridge takes a mail with that Message-Id")
	ErrNoAddress = errors.New("mail: no address of the mail is a phone's address of a tenant")
)

// Trial is what would come of a mail if it came now, and what each rule says of it.
type Trial struct {
	Tenant   *tenant.Tenant
	To       Recipient
	PostedAt time.Time // when it is taken to have come
	Known    string    // the case of this very mail, which came before; "" if it is new
	// Unproved is why nothing proves the sender, "" when there is a proof, or when none is asked for.
	Unproved string
	Signers  []string // the domains that signed the mail, whatever their signatures are worth
	Finding  Finding
	// Verdict is that of all rules behind the proof of the sender. A mail with an unproved one is
	// refused before they are asked.
	Verdict  Verdict
	Language string // in which its phone is texted
	Because  string // why in that one
	OptedOut bool   // its phone, from the sender of the text or else of a question
	Texts    []text.Made
}

// Try examines a mail as Examine does, in a transaction that the caller undoes. The trial has its
// finding, and gets what the rules say.
func Try(ctx context.Context, tx *store.Tx, m Mail, tried Trial) (Trial, error) {
	t := tried.Tenant
	if m.MessageID == "" {
		m.MessageID = byToken + m.ID
	}
	row := db.AddMailParams{
		ID: m.ID, Tenant: m.Tenant, Phone: m.Phone, Recipient: m.Recipient, MessageID: m.MessageID,
		PostedAt: moment.Of(m.PostedAt), ReceivedAt: tx.Moment(),
	}
	n, err := tx.AddMail(ctx, row)
	if err == nil && n == 0 {
		tried.Known, err = tx.MailOf(ctx, db.MailOfParams{
			Tenant: m.Tenant, MessageID: m.MessageID, Phone: m.Phone,
		})
		if err == nil {
			row.MessageID = byToken + m.ID
			_, err = tx.AddMail(ctx, row)
		}
	}
	if err != nil {
		return tried, fmt.Errorf("mail: trying: %w", err)
	}
	tried.Texts = nil
	hearing := text.Hearing(ctx, func(made text.Made) { tried.Texts = append(tried.Texts, made) })
	tried.Verdict, err = Examine(hearing, tx, t, m, tried.Finding)
	if err != nil {
		return tried, err
	}
	tried.Language, tried.Because = t.LanguageWhy("", tried.Finding.Language, m.Phone)
	line := t.Way(m.Phone, tenant.ForQuestion).Line
	if len(tried.Texts) > 0 {
		line = tried.Texts[0].Line
	}
	tried.OptedOut, err = text.OptedOut(ctx, tx, t.Slug, line, m.Phone)
	return tried, err
}

// Came reports whether the mail with a Message-Id was recorded for a phone.
func Came(
	ctx context.Context, view store.View, slug, messageID string, phone phonemail.Number,
) (bool, error) {
	_, err := view.MailOf(ctx, db.MailOfParams{Tenant: slug, MessageID: messageID, Phone: phone})
	if store.Missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("mail: looking for one: %w", err)
	}
	return true, nil
}
