package wording

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Saying names one text that the bridge sends.
type Saying string

// What the bridge says; the English file of the catalogue says when.
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
	AskApp                Saying = "ask_app"
	AskAppCode            Saying = "ask_app_code"
	RelayVerify           Saying = "relay_verify"
	RelayReset            Saying = "relay_reset"
	RelayLogin            Saying = "relay_login"
	Wrong                 Saying = "wrong"
	Several               Saying = "several"
	ConfirmedRegistration Saying = "confirmed_registration"
	ConfirmedPassword     Saying = "confirmed_password"
	Unapproved            Saying = "unapproved"
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
	DeniedBefore          Saying = "denied_before"
	Stopped               Saying = "stopped"
	WrongCodes            Saying = "wrong_codes"
)

// Sayings returns all sayings in the order in which a phone may get them. Each shipped text is one
// segment with a name of 22 characters, but for those that MostSegments names. None has a link of
// its own, and none but the confirmations sounds like success.
func Sayings() []Saying {
	return []Saying{
		AskRegistration, AskRegistrationCode, AskPassword, AskPasswordCode, TapRegistration,
		TapPassword, BothRegistration, BothRegistrationCode, BothPassword, AskApp, AskAppCode,
		RelayVerify, RelayReset, RelayLogin, Wrong, Several, ConfirmedRegistration,
		ConfirmedPassword, Unapproved, Already, Used, LinkExpired, NeedsUser, Refused,
		Unreachable, Unknown, Denied, Late, DoneBefore, DeniedBefore,
		Stopped, WrongCodes, OptedOut, Help,
	}
}

// Exists reports whether s is one of the sayings.
func (s Saying) Exists() bool { return slices.Contains(Sayings(), s) }

// Shipped returns the shipped wording of a saying in a language, as it is written in settings.
func (s Saying) Shipped(language string) string { return templateOf(in(language).words[string(s)]) }

// whens are the comments of the English file of the catalogue, for translators and operators.
var whens = sync.OnceValue(func() map[string]struct{ Description string } {
	all := map[string]struct{ Description string }{}
	var entries map[string]json.RawMessage
	decodeCatalogue(English, &entries)
	for key, entry := range entries {
		var comment struct{ Description string }
		if name, ok := strings.CutPrefix(key, "@"); ok && json.Unmarshal(entry, &comment) == nil {
			all[name] = comment
		}
	}
	return all
})

// When says when the text is sent.
func (s Saying) When() string { return templateOf(whens()[string(s)].Description) }

// MostSegments is how many segments a shipped text takes with a name of 22 characters. Two are for
// texts in scripts that GSM-7 lacks. There 70 characters do not hold the name and a link, two codes
// with a warning, two choices, what an app asks, or a contact.
func (s Saying) MostSegments(language string) int {
	switch language {
	case "ar", "el", "ja", "ru", "uk", "zh":
	default:
		return 1
	}
	if s.needsLink() || s.needsSubject() || s == AskPasswordCode || s == Several || s == Help {
		return 2
	}
	return 1
}

// Texts is a tenant's own wording in one language, by saying. What is not in it is said in the
// shipped wording. It is not changed after loading.
type Texts map[Saying]Text

// Say returns the text for s in a language, or "" for a saying that does not exist.
func (t Texts) Say(language string, s Saying, f Fields) string {
	text, ok := t[s]
	if !ok {
		text = in(language).texts[s]
	}
	return text.Fill(f)
}

// Fill is what a text can tell beyond the tenant's settings. It is made by our rules, and the
// Subject by the tenant's own app. Nothing of it is ever from a mail.
type Fill struct {
	Choices string        // for Several: "YES 4821 new account at ACME, YES 7730 new Beta password"
	Count   int           // for Several: how many questions are open
	Code    string        // for the texts that ask for it
	Link    string        // for the Tap, Both and Relay texts: a short link of ours
	Life    time.Duration // for the texts that ask, and for Relay texts: how long they count
	About   string        // for Wrong: what [About] says
	Contact string        // for Help: the tenant's
	Subject string        // for AskApp: what the app asks; see [JudgeSubject]
}

// Choice says in a language what one of several open questions is about: the purpose and the
// tenant, so that no two purposes read alike.
func Choice(language, name string, password bool) string {
	c := in(language)
	if password {
		return c.choice[1].Fill(Fields{Name: name})
	}
	return c.choice[0].Fill(Fields{Name: name})
}

// ChoiceApp is Choice for the question of an app, and AboutApp is About for one.
func ChoiceApp(language, name string) string {
	return in(language).choice[2].Fill(Fields{Name: name})
}

// AboutApp says in a language that a question is an app's.
func AboutApp(language string) string { return in(language).words["about_app"] }

// AndMore says in a language that some choices are not listed.
func AndMore(language, choices string) string {
	return strings.ReplaceAll(in(language).words["choices_more"], "{choices}", choices)
}

// About says in a language what a question is about.
func About(language string, password bool) string {
	if password {
		return in(language).words["about_password"]
	}
	return in(language).words["about_registration"]
}

// Life says in a language how long an answer counts: in hours where these are whole ones, else in
// minutes, and at least in one.
func Life(language string, d time.Duration) string {
	unit, n := "minutes", max(1, int64(d/time.Minute))
	if n%60 == 0 {
		unit, n = "hours", n/60
	}
	return strings.ReplaceAll(in(language).words[unit], "{n}", strconv.FormatInt(n, 10))
}

// needsCode and needsLink say which texts must have the code, and which the link.
func (s Saying) needsCode() bool {
	switch s {
	case AskRegistrationCode, AskPasswordCode, BothRegistrationCode, BothPassword, AskAppCode:
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

// needsSubject says which texts must say what an app asks.
func (s Saying) needsSubject() bool { return s == AskApp || s == AskAppCode }
