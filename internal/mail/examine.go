package mail

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/limit"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// Finding is what an examination found in a mail.
type Finding struct {
	Kind   string // linkclick's word for what the mail is: verify, reset, …
	Link   string // the one link to redeem, "" when there is none
	Code   string // the one-time code, "" when there is none
	Reason string // why there is none
	// NeedsPerson says that a click on the link cannot do what the mail is about: the person must
	// choose something, sign in, or have a browser that runs scripts.
	NeedsPerson bool
	// Sender is the mail's one From address in small letters, when a signature proved it; "" when
	// nothing did.
	Sender string
	// Language is that of the mail as a BCP 47 tag, "" when nothing tells it.
	Language string
	// Provider is whose mail it is, and Links are those in it, for the operator.
	Provider string
	Links    []Link
}

// Decision is what a tenant does about a mail.
type Decision struct {
	Do      tenant.Action
	Purpose challenge.Purpose // of the question, when Do is tenant.Ask
	Refusal string            // the reason, when Do is tenant.Off
}

func refuse(reason string) Decision { return Decision{Do: tenant.Off, Refusal: reason} }

// Decide says what a tenant does about a mail to a phone with this finding. A link that needs the
// person is relayed whatever the settings say, because a question about it could not be kept: a
// yes would spend the link and change nothing. So is a code of a password mail, which a click
// cannot enter.
func Decide(t *tenant.Tenant, phone phonemail.Number, now time.Time, f Finding) Decision {
	if err := t.Check(phone, now); err != nil {
		return refuse(err.Error())
	}
	action := tenant.Off
	switch f.Kind {
	case "verify":
		action = t.Mails.Verify
	case "reset":
		action = t.Mails.Reset
	case "login":
		action = t.Mails.Login
	case "code":
		action = t.Mails.Code
	case "unknown": // the reason tells the operator what is missing, such as an allowed path
		return refuse("not a mail to act on: " + cmp.Or(f.Reason, f.Kind))
	default:
		return refuse("not a mail to act on: " + cmp.Or(f.Kind, "unknown"))
	}
	switch {
	case action == tenant.Off:
		return refuse("mails of this kind are off: " + f.Kind + "; " + f.Kind + " in the tenants " +
			"file or SMSBRIDGE_" + strings.ToUpper(f.Kind) + " turns them on")
	case f.Kind == "code" && f.Code == "":
		return refuse(cmp.Or(f.Reason, "no code"))
	case action == tenant.Relay && (f.Link != "" || f.Code != ""):
		return decideRelay(t, phone, f) // some identity providers reset passwords and sign in by code
	case f.Kind == "reset" && f.Link == "" && f.Code != "":
		return decideRelay(t, phone, f)
	case f.Link == "":
		return refuse(cmp.Or(f.Reason, "no link"))
	case f.NeedsPerson:
		return decideRelay(t, phone, f)
	case f.Kind == "reset":
		return Decision{Do: tenant.Ask, Purpose: challenge.Password}
	}
	return Decision{Do: tenant.Ask, Purpose: challenge.Registration}
}

// decideRelay relays what a mail carries in the form that works in the phone's country.
func decideRelay(t *tenant.Tenant, phone phonemail.Number, f Finding) Decision {
	if way := t.Way(phone, relayed(t, phone, f)); way.Refusal != "" {
		return refuse("cannot be passed on: " + way.Refusal)
	}
	return Decision{Do: tenant.Relay}
}

// relayed says what of a mail is passed on: its link, or its code. A code goes instead of a link
// where texts must have none.
func relayed(t *tenant.Tenant, phone phonemail.Number, f Finding) tenant.Use {
	noLink := f.Code != "" && t.Way(phone, tenant.ForLink).Refusal != ""
	if f.Kind == "code" || f.Link == "" || noLink {
		return tenant.ForCode
	}
	return tenant.ForLink
}

// Examine ends the examination of a received mail: it asks the question that the finding calls
// for, relays what the mail carries, or refuses the mail. It returns what it did. A mail that was
// examined before is left alone.
func Examine(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, m Mail, f Finding,
) (Verdict, error) {
	d := Decide(t, m.Phone, tx.Now(), f)
	q := challenge.Question{
		MailID: m.ID, MessageID: m.MessageID, Phone: m.Phone, Recipient: m.Recipient, Purpose: d.Purpose,
		Link: f.Link, Author: f.Sender, Language: t.LanguageFor("", f.Language, m.Phone),
	}
	var asking challenge.Asking
	if d.Do == tenant.Ask {
		var err error
		if asking, err = challenge.Consider(ctx, tx, t, q); err != nil {
			return Verdict{}, fmt.Errorf("mail %s: %w", m.ID, err)
		}
		if asking.Obstacle != "" {
			d = refuse(asking.Obstacle)
		}
	}
	var passing relaying
	if d.Do == tenant.Relay {
		passing = relaying{t, m, f}
	}
	if d.Do != tenant.Off {
		refusal, err := admit(ctx, tx, &asking, passing)
		if err != nil {
			return Verdict{}, fmt.Errorf("mail %s: %w", m.ID, err)
		}
		if refusal != nil {
			d = refuse(string(refusal.Reason))
		}
	}
	if d.Do == tenant.Off {
		_, err := end(ctx, tx, m, Refused, f, d.Refusal)
		return Verdict{m.ID, Refusing, d.Refusal}, err
	}
	ended, err := end(ctx, tx, m, Examined, f, "")
	if err != nil || !ended {
		return Verdict{}, err
	}
	v := Verdict{m.ID, Asking, ""}
	if d.Do == tenant.Relay {
		v.Did, err = Relaying, passing.relay(ctx, tx)
	} else {
		v.Case, err = asking.Ask(ctx, tx)
	}
	if err == nil && v.Case != m.ID {
		v.Did = Joining
		err = tx.Record(ctx, t.Slug, m.ID, JoinedEvent, v.Case)
	}
	if err != nil {
		return Verdict{}, fmt.Errorf("mail %s: %w", m.ID, err)
	}
	return v, nil
}

// Verdict is what came of an examination, the zero value when the mail had been examined before.
type Verdict struct {
	Case   string // the mail's id, or that of the question that stands for it
	Did    Did
	Reason string // why it was refused
}

// Did is what an examination made of a mail.
type Did string

// What an examination makes of a mail.
const (
	Asking   Did = "asks"    // its phone is asked
	Joining  Did = "joins"   // its phone is being asked about the same
	Relaying Did = "relays"  // its phone is told what it carries
	Refusing Did = "refuses" // nothing is done about it
)

// JoinedEvent is the name of the event of a mail for which another mail's question stands. Its
// detail is the id of that question's case.
const JoinedEvent = "mail.joined"

// admit counts the text that a mail causes against all limits. A text that must not be sent is
// recorded as suppressed, and admit returns why.
func admit(
	ctx context.Context, tx *store.Tx, asking *challenge.Asking, passing relaying,
) (*limit.Refusal, error) {
	if passing.tenant == nil {
		return asking.Admit(ctx, tx)
	}
	draft := passing.draft(tx.Now(), strings.Repeat("x", shortlink.Length))
	refusal, err := text.Admit(ctx, tx, draft)
	if err == nil && refusal != nil {
		_, err = text.Suppress(ctx, tx, draft, *refusal)
	}
	return refusal, err
}

// relaying texts what a mail carries: its code, or a short link to its link.
type relaying struct {
	tenant *tenant.Tenant
	mail   Mail
	Finding
}

func (r relaying) relay(ctx context.Context, tx *store.Tx) (err error) {
	token := ""
	if r.use() == tenant.ForLink {
		l := shortlink.Link{
			Tenant: r.tenant.Slug, URL: r.Link, Language: r.language(), Expires: r.deadline(tx.Now()),
		}
		if token, err = shortlink.Make(ctx, tx, l); err != nil {
			return err
		}
	}
	draft := r.draft(tx.Now(), token)
	draft.Admitted = true
	_, err = text.Make(ctx, tx, draft)
	return err
}

// use says what of the mail is passed on.
func (r relaying) use() tenant.Use { return relayed(r.tenant, r.mail.Phone, r.Finding) }

func (r relaying) deadline(now time.Time) time.Time { return now.Add(r.tenant.Question.ValidFor) }

// language is that of the text, and of the page that its short link shows.
func (r relaying) language() string {
	return r.tenant.LanguageFor("", r.Finding.Language, r.mail.Phone)
}

// draft is the text. The token is that of a short link, if it has one.
func (r relaying) draft(now time.Time, token string) text.Draft {
	t := r.tenant
	draft := text.Draft{
		Tenant: t, Line: t.Way(r.mail.Phone, r.use()).Line, Phone: r.mail.Phone,
		Purpose: text.Relay, Deadline: r.deadline(now),
		Asker: limit.AskerOfMail(t), Mail: r.mail.MessageID, Case: r.mail.ID, Language: r.language(),
	}
	if r.use() == tenant.ForCode {
		draft.Wording = "code"
		draft.Body = t.CodeWording(r.mail.Phone)(r.Code, r.language())
		return draft
	}
	saying := wording.RelayReset
	switch r.Kind {
	case "verify":
		saying = wording.RelayVerify
	case "login":
		saying = wording.RelayLogin
	}
	draft.Wording = string(saying)
	draft.Body = t.Say(r.language(), saying, wording.Fill{
		Link: t.ShortURL(token), Life: t.Question.ValidFor,
	})
	return draft
}

// Refuse ends the examination of a received mail in which nothing was looked for.
func Refuse(ctx context.Context, tx *store.Tx, m Mail, reason string) error {
	_, err := end(ctx, tx, m, Refused, Finding{}, reason)
	return err
}

// Found is a mail that was found at Mailgun because its phone said yes, although the bridge did
// not know it.
type Found struct {
	To         Recipient
	MessageID  string
	MessageURL string
	StoredAt   time.Time
}

// FoundDetail is the detail of the event of such a mail: no webhook brought it.
const FoundDetail = "found at Mailgun"

// TakeFound records a found mail as if it had just been received, and makes its examination due. So
// it passes every gate that any mail passes, and its phone is asked about it: its yes was not to
// this mail. TakeFound returns false when the mail was known after all.
func TakeFound(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, found Found,
) (bool, error) {
	row := db.AddMailParams{
		ID: store.NewID(), Tenant: t.Slug, Phone: found.To.Phone, Recipient: found.To.Address,
		MessageID: found.MessageID, MessageURL: found.MessageURL,
		PostedAt: moment.Of(found.StoredAt), ReceivedAt: tx.Moment(),
	}
	if row.MessageID == "" {
		// Without a Message-Id only its place at Mailgun shows that a mail is the same.
		row.MessageID = byPlace + found.MessageURL
	}
	return receive(ctx, tx, row, FoundDetail)
}

func end(
	ctx context.Context, tx *store.Tx, m Mail, state State, f Finding, reason string,
) (bool, error) {
	n, err := tx.EndMail(ctx, db.EndMailParams{
		ID: m.ID, State: state, Kind: f.Kind, Reason: reason, Found: f.kept(), Provider: f.Provider,
		EndedAt: tx.Moment(),
	})
	if err != nil || n == 0 {
		return false, err
	}
	detail := cmp.Or(f.Kind, reason)
	if f.Kind != "" && reason != "" {
		detail = f.Kind + ": " + reason
	}
	return true, record(ctx, tx, m.Tenant, m.ID, state, detail)
}
