package mail

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Finding is what an examination found in a mail.
type Finding struct {
	Kind   string // linkclick's word for what the mail is: verify, reset, …
	Link   string // the one link to redeem, "" when there is none
	Reason string // why there is none
}

// Decide says what a tenant does about a mail with this finding: the purpose of the question to ask, or the reason to refuse.
func Decide(t *tenant.Tenant, phone phonemail.Number, f Finding) (challenge.Purpose, string) {
	if err := t.Policy.Check(phone); err != nil {
		return "", err.Error()
	}
	switch {
	case f.Kind == "reset" && t.Reset != tenant.Ask:
		return "", "password mails are not asked about (reset is off)"
	case f.Kind != "verify" && f.Kind != "reset":
		return "", "not a mail to ask about: " + f.Kind
	case f.Link == "":
		return "", cmp.Or(f.Reason, "no link")
	case f.Kind == "reset":
		return challenge.Password, ""
	}
	return challenge.Registration, ""
}

// Examine ends the examination of a received mail: it asks the question that the finding calls for, or refuses the mail. A mail that was examined
// before is left alone.
func Examine(ctx context.Context, tx *store.Tx, t *tenant.Tenant, m Mail, f Finding) error {
	purpose, refusal := Decide(t, m.Phone, f)
	if refusal != "" {
		return Refuse(ctx, tx, m, f.Kind, refusal)
	}
	ended, err := end(ctx, tx, m, Examined, f.Kind, "")
	if err != nil || !ended {
		return err
	}
	q := question(t, m, purpose, f.Link)
	if _, err := challenge.Ask(ctx, tx, q); err != nil {
		return fmt.Errorf("mail %s: %w", m.ID, err)
	}
	return nil
}

// Refuse ends the examination of a received mail without a question.
func Refuse(ctx context.Context, tx *store.Tx, m Mail, kind, reason string) error {
	_, err := end(ctx, tx, m, Refused, kind, reason)
	return err
}

// Found is a mail that was found at Mailgun because its phone said yes, although nothing was known of it here.
type Found struct {
	Phone      phonemail.Number
	MessageID  string
	MessageURL string
	StoredAt   time.Time
}

// TakeFound records a found mail together with the challenge that its phone has accepted already, and makes the click due. It returns false when
// that mail was known after all, or is one that the tenant does not ask about: then nothing is clicked.
func TakeFound(ctx context.Context, tx *store.Tx, t *tenant.Tenant, found Found, f Finding) (bool, error) {
	m := Mail{ID: store.NewID(), Tenant: t.Slug, Phone: found.Phone, MessageID: found.MessageID, MessageURL: found.MessageURL}
	n, err := tx.AddMail(ctx, db.AddMailParams{
		ID: m.ID, Tenant: t.Slug, Phone: found.Phone.E164(), MessageID: found.MessageID, MessageURL: found.MessageURL,
		PostedAt: store.Millis(found.StoredAt), ReceivedAt: store.Millis(tx.Now()),
	})
	if err != nil || n == 0 {
		return false, err
	}
	if err := record(ctx, tx, t.Slug, m.ID, Received, "found at Mailgun"); err != nil {
		return false, err
	}
	purpose, refusal := Decide(t, found.Phone, f)
	if refusal != "" {
		return false, Refuse(ctx, tx, m, f.Kind, refusal)
	}
	if _, err := end(ctx, tx, m, Examined, f.Kind, ""); err != nil {
		return false, err
	}
	_, err = challenge.AskedBefore(ctx, tx, question(t, m, purpose, f.Link))
	return err == nil, err
}

// question is what a tenant asks about a mail. The link stays at Mailgun when the tenant wants it so.
func question(t *tenant.Tenant, m Mail, purpose challenge.Purpose, link string) challenge.Question {
	saying := tenant.AskRegistration
	if purpose == challenge.Password {
		saying = tenant.AskPassword
	}
	if t.Keep == tenant.KeepMailgun {
		link = ""
	}
	return challenge.Question{
		MailID: m.ID, Tenant: t.Slug, Line: text.Line{Account: t.Twilio.AccountSID, Sender: t.Twilio.From}, Phone: m.Phone,
		Purpose: purpose, Link: link, Prompt: t.Say(saying, tenant.Fill{}), Life: t.ValidFor,
	}
}

func end(ctx context.Context, tx *store.Tx, m Mail, state State, kind, reason string) (bool, error) {
	n, err := tx.EndMail(ctx, db.EndMailParams{ID: m.ID, State: string(state), Kind: kind, Reason: reason, EndedAt: store.Millis(tx.Now())})
	if err != nil || n == 0 {
		return false, err
	}
	detail := kind
	if reason != "" {
		detail = kind + ": " + reason
	}
	return true, record(ctx, tx, m.Tenant, m.ID, state, detail)
}
