package tenant

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// Provider names a way to send a text.
type Provider string

// The providers.
const (
	ByTwilio    Provider = "twilio"    // Twilio's Messages
	ByVerify    Provider = "verify"    // Twilio Verify, which sends nothing but codes
	ByFlowroute Provider = "flowroute" // Flowroute Messaging
	ByWebhook   Provider = "webhook"   // a sender of the tenant's own
)

// Twilio holds a tenant's account at Twilio.
type Twilio struct {
	AccountSID string // AC and 32 letters and digits
	AuthToken  settings.Secret
	From       string // the sender: an E.164 number, or a Messaging Service's SID (MG…)
	LinksFrom  string // the sender of links and codes, "" for From; a name, too
	APIBase    string // without slash at the end: "https://api.twilio.com"
}

// IsService reports whether a sender at Twilio is a Messaging Service, not a number or a name. A
// name may begin with MG, too.
func IsService(sender string) bool { return serviceSID.MatchString(sender) }

// VerifyService is a tenant's service at Twilio Verify, in the account of its Twilio settings.
type VerifyService struct {
	SID     string // VA and 32 letters and digits
	APIBase string // without slash at the end: "https://verify.twilio.com"
	// OwnCode lets Verify draw and compare the code. Otherwise the code is ours, and the service
	// must allow custom codes.
	OwnCode bool
	// RateLimits are the service's own by their unique names, each with what is counted: "phone" or
	// "country".
	RateLimits map[string]string
	Tags       map[string]string // go with every verification, for Twilio's reports
}

// Flowroute is a tenant's account at Flowroute.
type Flowroute struct {
	AccessKey   string
	SecretKey   settings.Secret
	Number      string // the sender, E.164
	LinksNumber string // the sender of links and codes, "" for Number
	APIBase     string // without version and slash at the end: "https://api.flowroute.com"
	Version     string // of the Messaging API: "v2.1" or "v2.2"
}

// HookKey is what proves that a webhook about a tenant is Flowroute's, which signs nothing. It is
// part of the URLs that Flowroute is told. It follows from the secret key, and changes with it.
func (f Flowroute) HookKey(slug string) string {
	mac := hmac.New(sha256.New, []byte(f.SecretKey.Reveal()))
	mac.Write([]byte(slug))
	return hex.EncodeToString(mac.Sum(nil))
}

// Webhook is a sender of the tenant's own, which is asked by signed HTTP requests.
type Webhook struct {
	URL     string
	Secrets []settings.Secret // whsec_ and base64; several during a rotation
}

// Keys returns what signs a request.
func (w Webhook) Keys() [][]byte { return Callback(w).Keys() }

// Line returns whom a phone's questions come from: an account, and a number, messaging service or
// name of it. A reply of the phone comes back to it, and its STOP holds for it, whichever provider
// carries a text. For a tenant without a sender at Twilio the account is named after the provider.
// See Way for whom links and codes come from.
func (t *Tenant) Line(phone phonemail.Number) phonemail.Line {
	return t.questionLine(phone.Country())
}

// Lines are all lines from which the tenant texts a phone: that of questions, and that of links and
// codes if it is another.
func (t *Tenant) Lines(phone phonemail.Number) []phonemail.Line {
	lines := []phonemail.Line{t.questionLine(phone.Country()), t.linkLine(phone.Country())}
	return slices.Compact(lines)
}

func (t *Tenant) questionLine(code string) phonemail.Line {
	if t.Sending.Twilio.From == "" {
		return t.otherLine(t.Sending.Flowroute.Number)
	}
	return t.twilioLine(t.Sending.Senders[code], t.Sending.Twilio.From)
}

// linkLine is whom links and codes come from in a country.
func (t *Tenant) linkLine(code string) phonemail.Line {
	s := t.Sending
	if s.Twilio.From == "" {
		return t.otherLine(s.Flowroute.LinksNumber, s.Flowroute.Number)
	}
	return t.twilioLine(s.LinksSenders[code], s.Twilio.LinksFrom, s.Senders[code], s.Twilio.From)
}

// twilioLine is the line of the first sender that there is.
func (t *Tenant) twilioLine(senders ...string) phonemail.Line {
	return phonemail.Line{Account: t.Sending.Twilio.AccountSID, Sender: cmp.Or(senders...)}
}

// Account is the account of Line, which is the same for every phone.
func (t *Tenant) Account() string {
	if t.Sending.Twilio.From == "" {
		return t.otherLine(t.Sending.Flowroute.Number).Account
	}
	return t.Sending.Twilio.AccountSID
}

// otherLine is the line of a tenant without a sender at Twilio: the first of the numbers at
// Flowroute that there is, or the tenant's own sender.
func (t *Tenant) otherLine(numbers ...string) phonemail.Line {
	if number := cmp.Or(numbers...); number != "" {
		return phonemail.Line{
			Account: "flowroute:" + t.Sending.Flowroute.AccessKey, Sender: number,
		}
	}
	return phonemail.Line{Account: "webhook:" + t.Slug, Sender: t.Slug}
}

// isOwn reports whether a line stands for a sender of the tenant's own.
func (t *Tenant) isOwn(line phonemail.Line) bool { return line.Account == "webhook:"+t.Slug }

// textsFrom reports whether the tenant has a line.
func (t *Tenant) textsFrom(line phonemail.Line) bool {
	if t.Sending.Twilio.From == "" {
		f := t.Sending.Flowroute
		return line == t.otherLine(f.Number) || line == t.otherLine(f.LinksNumber, f.Number)
	}
	return line.Account == t.Sending.Twilio.AccountSID &&
		slices.Contains(t.twilioSenders(), line.Sender)
}

// twilioSenders are all senders at Twilio.
func (t *Tenant) twilioSenders() []string {
	s := t.Sending
	all := slices.Concat([]string{s.Twilio.From}, slices.Collect(maps.Values(s.Senders)),
		[]string{s.Twilio.LinksFrom}, slices.Collect(maps.Values(s.LinksSenders)))
	return slices.DeleteFunc(all, func(sender string) bool { return sender == "" })
}

// sharesSender reports whether two tenants have a sender at Twilio in common that gets replies from
// all countries.
func (t *Tenant) sharesSender(other *Tenant) bool {
	theirs := other.Sending.Twilio
	answered := func(sender string) bool {
		return sender != "" && !isAlphanumericSender(sender) &&
			(sender == theirs.From || sender == theirs.LinksFrom)
	}
	ours := t.Sending.Twilio
	return ours.AccountSID == theirs.AccountSID &&
		(ours.From != "" && ours.From == theirs.From || answered(ours.From) ||
			answered(ours.LinksFrom))
}

// FlowrouteNumber is the number at Flowroute that stands for a line.
func (t *Tenant) FlowrouteNumber(line phonemail.Line) string {
	s := t.Sending
	asks := s.Twilio.From == line.Sender || s.Flowroute.Number == line.Sender ||
		slices.Contains(slices.Collect(maps.Values(s.Senders)), line.Sender)
	if asks {
		return s.Flowroute.Number
	}
	return cmp.Or(s.Flowroute.LinksNumber, s.Flowroute.Number)
}

// FlowrouteLine is the line that a reply of a phone to a number at Flowroute came to. It reports
// false when the number is not the tenant's.
func (t *Tenant) FlowrouteLine(phone phonemail.Number, number string) (phonemail.Line, bool) {
	switch {
	case number == "":
	case number == t.Sending.Flowroute.Number:
		return t.questionLine(phone.Country()), true
	case number == t.Sending.Flowroute.LinksNumber:
		return t.linkLine(phone.Country()), true
	}
	return phonemail.Line{}, false
}

// FlowrouteReplyURL is where Flowroute posts the texts to a tenant's number. It holds the tenant's
// HookKey.
func (s Settings) FlowrouteReplyURL(t *Tenant) string {
	return s.PublicURL + "/flowroute/" + t.Slug + "/reply?key=" + t.Sending.Flowroute.HookKey(t.Slug)
}

// FlowrouteReceiptURL is where Flowroute posts the delivery receipts of one text. It holds the
// tenant's HookKey, and names the case.
func (s Settings) FlowrouteReceiptURL(t *Tenant, textID, caseID string) string {
	return s.PublicURL + "/flowroute/" + t.Slug + "/receipt?key=" +
		t.Sending.Flowroute.HookKey(t.Slug) +
		"&text=" + url.QueryEscape(textID) + "&case=" + url.QueryEscape(caseID)
}
