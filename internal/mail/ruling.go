package mail

import (
	"slices"
	"strings"
	"time"

	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Ruling is what one rule says of a mail that is tried, in words for an operator.
type Ruling struct {
	Rule    string `json:"rule"`
	Said    string `json:"said"`
	Case    string `json:"case,omitempty"`    // which the saying is about, "" for none
	Against bool   `json:"against,omitempty"` // it keeps the text from being sent
}

// Rulings are what the rules say, in their order.
func (t Trial) Rulings(now time.Time) []Ruling {
	return slices.Concat(
		rulingsOfSender(t), rulingsOfFinding(t), rulingsOfPhone(t, now), rulingsOfText(t),
	)
}

func rulingsOfSender(tried Trial) []Ruling {
	came := Ruling{"Message-Id", "this mail is new", "", false}
	if tried.Known != "" {
		came = Ruling{"Message-Id", "this very mail came before, so it would change nothing now. " +
			"What follows is said of it as of a new one.", tried.Known, true}
	}
	proof := Ruling{"Sender (sender.verify)", "", "", tried.Unproved != ""}
	switch by := tried.Tenant.Mails.Sender.Verify; {
	case tried.Unproved != "":
		proof.Said = "not proved: " + tried.Unproved
	case by == tenant.VerifyOff:
		proof.Said = "not asked for: sender.verify is off"
	case by == tenant.VerifyMailgun:
		proof.Said = "proved by what Mailgun found out about the mail"
	default:
		proof.Said = "proved by DKIM: " + tried.Finding.Sender
	}
	signed := "no domain"
	if len(tried.Signers) > 0 {
		signed = strings.Join(tried.Signers, ", ")
	}
	return []Ruling{came, proof, {"Signed by", signed, "", false}}
}

func rulingsOfFinding(tried Trial) []Ruling {
	f := tried.Finding
	kind := Ruling{"Kind of mail", f.Kind, "", false}
	if f.Provider != "" {
		kind.Said += ", of " + f.Provider
	}
	has := Ruling{"Link or code", "one link", "", false}
	switch {
	case f.Link == "" && f.Code == "":
		has.Said, has.Against = "neither: "+f.Reason, true
	case f.Link == "":
		has.Said = "a code"
	case f.Code != "":
		has.Said = "one link, and a code"
	}
	if f.NeedsPerson {
		has.Said += "; a click alone cannot do what the mail is about"
	}
	return []Ruling{kind, has}
}

// rulingsOfPhone are about the number and its country.
func rulingsOfPhone(tried Trial, now time.Time) []Ruling {
	t, phone := tried.Tenant, tried.To.Phone
	number := Ruling{"Number and country (countries)", "allowed: " + phone.Country(), "", false}
	if err := t.Check(phone, now); err != nil {
		number.Said, number.Against = err.Error(), true
	}
	if _, test := t.Test(phone, now); test {
		number.Said = "a test number, which is never texted (test_numbers)"
	}
	all := []Ruling{number}
	for _, use := range []tenant.Use{tenant.ForQuestion, tenant.ForLink, tenant.ForCode} {
		all = append(all, rulingOfWay(t, phone, use))
	}
	opted := Ruling{"Opt-outs", "none holds for this sender", "", tried.OptedOut}
	if tried.OptedOut {
		opted.Said = "this phone wants no texts from this sender"
	}
	return append(all, opted)
}

// rulingOfWay says how a text for a use would go. What the mail does not need is against nothing.
func rulingOfWay(t *tenant.Tenant, phone phonemail.Number, use tenant.Use) Ruling {
	way := t.Way(phone, use)
	r := Ruling{"A " + string(use) + " there", "from " + way.Line.Sender, "", false}
	if way.Answer != "" {
		r.Said += ", answered by " + string(way.Answer)
	}
	if way.Refusal != "" {
		r.Said = "not possible: " + way.Refusal
	}
	return r
}

func rulingsOfText(tried Trial) []Ruling {
	limits := Ruling{"Limits and holds", "let it pass", "", false}
	if len(tried.Texts) == 0 {
		limits.Said = "are not asked: there is no text"
	}
	for _, made := range tried.Texts {
		if made.State == text.Suppressed && strings.HasPrefix(made.Reason, "limit: ") {
			limits.Said, limits.Against = strings.TrimPrefix(made.Reason, "limit: "), true
		}
	}
	v := tried.Verdict
	said := map[Did]string{
		Asking: "the phone is asked", Relaying: "the phone is told what the mail carries",
		Joining: "the phone is being asked about the same already, so there is no other text",
	}[v.Did]
	end := Ruling{"So", said, "", false}
	switch {
	case v.Did == Joining:
		end.Case = v.Case
	case v.Did == Refusing:
		end = Ruling{"So", "nothing is done: " + v.Reason, "", true}
	case len(tried.Texts) > 0 && tried.Texts[0].State == text.Suppressed:
		end.Said, end.Against = "its text is not sent: "+tried.Texts[0].Reason, true
	}
	if tried.Unproved != "" {
		end.Said, end.Against = "nothing is done: the sender is not proved. Else: "+end.Said, true
	}
	return []Ruling{limits, end}
}
