package wording

import "sync"

// Saying names one text that the bridge sends.
type Saying string

// What the bridge says; the catalog below says when.
const (
	AskRegistration       Saying = "ask_registration"
	AskRegistrationCode   Saying = "ask_registration_code"
	AskPassword           Saying = "ask_password"
	AskPasswordCode       Saying = "ask_password_code"
	TapRegistration       Saying = "tap_registration"
	TapPassword           Saying = "tap_password"
	BothRegistration      Saying = "both_registration"
	BothRegistrationCode  Saying = "both_registration_code"
	BothPassword          Saying = "both_password"
	RelayVerify           Saying = "relay_verify"
	RelayReset            Saying = "relay_reset"
	RelayLogin            Saying = "relay_login"
	Wrong                 Saying = "wrong"
	Several               Saying = "several"
	ConfirmedRegistration Saying = "confirmed_registration"
	ConfirmedPassword     Saying = "confirmed_password"
	Already               Saying = "already"
	Used                  Saying = "used"
	LinkExpired           Saying = "link_expired"
	NeedsUser             Saying = "needs_user"
	Refused               Saying = "refused"
	Unreachable           Saying = "unreachable"
	Unknown               Saying = "unknown"
	Denied                Saying = "denied"
	Late                  Saying = "late"
	DoneBefore            Saying = "done_before"
	OptedOut              Saying = "opted_out"
	Help                  Saying = "help"
)

// entry is one saying with all there is to know about it.
type entry struct {
	saying  Saying
	when    string // when it is sent
	shipped string // the wording of those who bring none
}

// catalog lists the sayings in the order in which a phone may get them. Each shipped text is one
// GSM-7 segment with a name of 20 characters. None has a link of its own, and none but the
// confirmations sounds like success.
func catalog() []entry {
	return append(questionCatalog(), keywordCatalog()...)
}

// questionCatalog lists the sayings about questions.
func questionCatalog() []entry {
	return []entry{
		{AskRegistration, "A prompt: is this new account yours?",
			"Reply {{.Answer}} if you have just set up an account with {{.Name}}. " +
				"If not, reply {{.Denial}}."},
		{AskRegistrationCode, "The same beside another question: the reply must repeat {{.Code}}.",
			"Another request: if you have just set up an account with {{.Name}}, " +
				"reply {{.Answer}} {{.Code}}. If not, reply {{.Denial}} {{.Code}}."},
		{AskPassword, "A prompt: is this new password yours? A bare yes is enough.",
			"Someone asked to replace your {{.Name}} password. " +
				"Reply {{.Answer}} only if it was you. If not, reply {{.Denial}}."},
		{AskPasswordCode, "The same, when the reply must repeat {{.Code}}.",
			"Someone asked to replace your {{.Name}} password. " +
				"Only if it was you, reply {{.Answer}} {{.Code}}. If not, reply {{.Denial}} {{.Code}}."},
		{TapRegistration, "The prompt for an account with {{.Link}} and no reply. A tap never says no.",
			"{{.Name}}: confirm your new account here: {{.Link}} Not you? Do nothing."},
		{TapPassword, "The same for a password.",
			"{{.Name}}: confirm your new password here: {{.Link}} Not you? Do nothing."},
		{BothRegistration, "The prompt for an account that takes a reply or a tap.",
			"Reply {{.Answer}} if you have just set up an account with {{.Name}}, " +
				"or tap {{.Link}} Not you? {{.Denial}}"},
		{BothRegistrationCode, "The same beside another question: the reply must repeat {{.Code}}.",
			"Another request: new {{.Name}} account? Reply {{.Answer}} {{.Code}} " +
				"or tap {{.Link}} Not you? {{.Denial}} {{.Code}}"},
		{BothPassword, "The same for a password. The reply must repeat {{.Code}}.",
			"New {{.Name}} password? Only if it was you, reply {{.Answer}} {{.Code}} " +
				"or tap {{.Link}} Not you? {{.Denial}} {{.Code}}"},
		{RelayVerify, "Relays the link of a sign-up mail that needs the person, or whose click did not " +
			"show what came of it.",
			"{{.Name}}: finish your sign-up here, if it is not done: {{.Link}} Not you? Do nothing."},
		{RelayReset, "Relays the link of a password mail. It also says so after a click that needs " +
			"the person.",
			"{{.Name}}: choose a new password here: {{.Link}} Not you? Do nothing."},
		{RelayLogin, "Relays the link of a sign-in mail.",
			"{{.Name}}: sign in here: {{.Link}} Not you? Do nothing."},
		{Wrong, "The reply was neither yes nor no.",
			"Please reply {{.Answer}} to confirm or {{.Denial}} to cancel."},
		{Several, "The reply was a bare yes, and several questions are open.",
			"Which one? {{.Choices}}. Reply {{.Denial}} to cancel."},
		{ConfirmedRegistration, "The identity provider confirmed the account.",
			"{{.Name}}: your account is confirmed."},
		{ConfirmedPassword, "The identity provider confirmed the password.",
			"{{.Name}}: your new password is confirmed."},
		{Already, "The identity provider said that this was confirmed before.",
			"{{.Name}}: this had already been confirmed. There is nothing more to do."},
		{Used, "The identity provider said that the link was used before.",
			"{{.Name}}: this request was used before. Please try to sign in, or start again."},
		{LinkExpired, "The identity provider said that the link is too old. Some say so of a used " +
			"one, too.",
			"{{.Name}}: this request is too old or was used before. Please try to sign in, or start " +
				"again."},
		{NeedsUser, "The link leads to a page that wants more than a click, and is not there any more.",
			"{{.Name}}: this cannot be finished by text. Please go on where you started."},
		{Refused, "The identity provider, or a rule of the bridge, refused.",
			"{{.Name}} did not accept this request. Please start again."},
		{Unreachable, "The identity provider did not respond.",
			"{{.Name}} is not answering, so nothing was done. Please start again later."},
		{Unknown, "The bridge does not understand the response, and the link is not there any more. " +
			"This text must not sound like success.",
			"{{.Name}} did not say whether this worked. Please try to sign in, or start again."},
		{Denied, "The person said no.", "{{.Name}}: OK, nothing was changed."},
		{Late, "The yes came after the question's deadline.",
			"{{.Name}}: your reply came too late. Please start again."},
		{DoneBefore, "The question was answered before.",
			"{{.Name}}: you have answered this before. There is nothing more to do."},
	}
}

// keywordCatalog lists the sayings that answer carriers' keywords.
func keywordCatalog() []entry {
	return []entry{
		{OptedOut, "Confirms a STOP, once, where the provider does not.",
			"{{.Name}}: you get no more texts from us. Reply START to get them again."},
		{Help, "Responds to HELP where the provider does not, if there is a {contact}.",
			"{{.Name}} texts about your account. Questions? {{.Contact}} " +
				"Reply STOP to get no more texts."},
	}
}

// shipped holds the shipped wording, taken apart at first use and never changed.
var shipped = sync.OnceValue(func() map[Saying]Text {
	texts := map[Saying]Text{}
	for _, e := range catalog() {
		texts[e.saying] = mustParse(e.shipped, sayingFields())
	}
	return texts
})

// Sayings returns all sayings in the order in which a phone may get them.
func Sayings() []Saying {
	var all []Saying
	for _, e := range catalog() {
		all = append(all, e.saying)
	}
	return all
}

// Shipped returns the shipped wording of a saying, as it is written in settings.
func (s Saying) Shipped() string { return s.entry().shipped }

// When says when the text is sent.
func (s Saying) When() string { return s.entry().when }

func (s Saying) entry() entry {
	for _, e := range catalog() {
		if e.saying == s {
			return e
		}
	}
	return entry{}
}

// Texts is a tenant's own wording by saying. What is not in it is said in the shipped wording. It
// is not changed after loading.
type Texts map[Saying]Text

// Say returns the text for s, or "" for a saying that does not exist.
func (t Texts) Say(s Saying, f Fields) string {
	text, ok := t[s]
	if !ok {
		text = shipped()[s]
	}
	return text.Fill(f)
}

// Fill is what a text can tell beyond the tenant's settings. It is made by our rules, never of
// anything from a mail.
type Fill struct {
	Choices string // for Several: "YES 4821 new account at ACME, YES 7730 new Beta password"
	Count   int    // for Several: how many questions are open
	Code    string // for the texts that ask for it
	Link    string // for the Tap, Both and Relay texts: a short link of ours
	Contact string // for Help: the tenant's
}

// Choice says what one of several open questions is about: the purpose and the tenant, so that no
// two purposes read alike.
func Choice(name string, password bool) string {
	if password {
		return "new " + name + " password"
	}
	return "new account at " + name
}

// needsCode and needsLink say which texts must have the code, and which the link.
func (s Saying) needsCode() bool {
	switch s {
	case AskRegistrationCode, AskPasswordCode, BothRegistrationCode, BothPassword:
		return true
	}
	return false
}

func (s Saying) needsLink() bool {
	switch s {
	case TapRegistration, TapPassword, BothRegistration, BothRegistrationCode, BothPassword,
		RelayVerify, RelayReset, RelayLogin:
		return true
	}
	return false
}
