package cases

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// until says a time after another: its clock, and its day if that is another one.
func until(now, then moment.Moment) string {
	if now.Format(time.DateOnly) == then.Format(time.DateOnly) {
		return then.Format(time.TimeOnly)
	}
	return then.Format(time.DateTime)
}

func (r rows) mail(m db.Mail) []Step {
	said := "a mail came, and Mailgun's signature was right"
	for _, e := range r.events[m.ID] {
		if e.Detail == mail.FoundDetail {
			said = "the phone said yes, no question to it was known, and this mail was found at Mailgun"
		}
	}
	return append([]Step{{m.ReceivedAt.Time, said}}, r.examined(m)...)
}

// joining says the same of a mail for which this case's question stands.
func (r rows) joining(m db.Mail) []Step {
	return append([]Step{{m.ReceivedAt.Time,
		"another mail came (" + m.ID + "), and the same question stands for it"}}, r.examined(m)...)
}

func (r rows) examined(m db.Mail) (steps []Step) {
	if report := mail.ReportOf(m); report.Sender != "" {
		steps = append(steps, Step{m.EndedAt.Time, "its sender is proved: " + report.Sender})
	}
	kinds := map[string]string{
		"verify": "a sign-up mail", "reset": "a password mail", "login": "a sign-in mail",
		"code": "a mail with a code",
	}
	what := cmp.Or(kinds[m.Kind], "not a mail to act on")
	switch m.State {
	case mail.Examined:
		said := "it is " + what + " (" + m.Kind + ")"
		if report := mail.ReportOf(m); report.Provider != "" {
			said += " of " + report.Provider
		}
		steps = append(steps, Step{m.EndedAt.Time, said})
	case mail.Refused:
		said := "nothing is done about it: " + m.Reason
		if m.Kind != "" {
			said = "it is " + what + " (" + m.Kind + "), and " + said
		}
		steps = append(steps, Step{m.EndedAt.Time, said})
	}
	steps = append(steps, links(m)...)
	said := map[string]string{
		"mail.deleted":     "Mailgun deleted its copy",
		"mail.gone":        "Mailgun had no copy any more",
		"mail.left":        "Mailgun kept its copy: it may be another tenant's, too",
		"rehearsal.opened": "the link of the rehearsal was opened",
		"mail.elsewhere":   "Mailgun keeps its copy on a host that is not allowed",
	}
	for _, e := range r.events[m.ID] {
		if e.Name == "mail.not_deleted" {
			steps = append(steps, Step{e.At.Time, "Mailgun did not delete its copy: " + e.Detail})
			continue
		}
		steps = append(steps, Step{e.At.Time, said[e.Name]})
	}
	return steps
}

// links says which link of a mail was chosen, and why the others were not.
func links(m db.Mail) (steps []Step) {
	report := mail.ReportOf(m)
	for _, l := range report.Links {
		said := "not chosen: "
		if l.Chosen {
			said = "the link chosen: "
		}
		said += l.Place
		if len(l.Why) > 0 {
			said += " (" + strings.Join(l.Why, "; ") + ")"
		}
		steps = append(steps, Step{m.EndedAt.Time, said})
	}
	if report.More > 0 {
		steps = append(steps, Step{m.EndedAt.Time,
			fmt.Sprintf("not chosen: %d more links", report.More)})
	}
	return steps
}

// tries says how the clicks of a question went, step by step.
func tries(c db.Challenge) (steps []Step) {
	for _, t := range challenge.Tries(c) {
		said := "the click ends as " + string(t.Outcome)
		if t.Reason != "" {
			said += ": " + t.Reason
		}
		for i, s := range t.Steps {
			status := strconv.Itoa(s.Status)
			if s.Status == 0 {
				status = "no response"
			}
			said += fmt.Sprintf("; step %d, %s %s: %s", i+1, s.Method, s.Host, status)
		}
		steps = append(steps, Step{time.UnixMilli(t.At), said})
	}
	return steps
}

func opened(c db.Challenge) Step {
	what := "a new account"
	switch c.Purpose {
	case challenge.Password:
		what = "a new password"
	case challenge.App:
		what = "what the app asks"
	}
	said := fmt.Sprintf("a question about %s is opened; it counts until %s", what,
		until(c.OpenedAt, c.ExpiresAt))
	if c.Language != "" {
		said += ", and is put in the language " + c.Language
	}
	return Step{c.OpenedAt.Time, said}
}

// question says what followed a question's opening.
func (r rows) question(c db.Challenge) []Step {
	steps := []Step{{c.AcceptedAt.Time, "the person agrees"}}
	for _, e := range r.events[c.ID] {
		switch e.Name {
		case "challenge.resent":
			steps = append(steps, Step{e.At.Time, "another mail asked the same (" + e.Detail + ")"})
		case "challenge.clicking":
			steps = append(steps, Step{e.At.Time, "the bridge opens the link"})
		case "challenge.relayed":
			steps = append(steps, Step{e.At.Time, "the link is handed to the person, to go on with it"})
		}
	}
	if c.WrongCodes > 0 {
		steps = append(steps, Step{cmp.Or(c.EndedAt, c.OpenedAt).Time,
			fmt.Sprintf("wrong codes for it so far: %d", c.WrongCodes)})
	}
	steps = append(steps, tries(c)...)
	return append(steps, Step{c.EndedAt.Time, ended(c)})
}

// ended says how a question ended.
func ended(c db.Challenge) string {
	if c.Purpose == challenge.App {
		switch c.State {
		case challenge.Confirmed:
			return "the person says yes, and the question is confirmed"
		case challenge.Failed:
			return "the question failed: its text did not leave"
		}
	}
	switch c.State {
	case challenge.Confirmed, challenge.Failed:
		outcomes := map[challenge.Outcome]string{
			challenge.OutcomeConfirmed:   "the identity provider confirms it",
			challenge.OutcomeUnapproved:  "it is confirmed, and the account may need approval",
			challenge.OutcomeAlready:     "the identity provider says that it was confirmed before",
			challenge.OutcomeUsed:        "the identity provider says that the link was used before",
			challenge.OutcomeExpired:     "the identity provider says that the link is too old",
			challenge.OutcomeNeedsUser:   "the link leads to a page that only a person can finish",
			challenge.OutcomeRefused:     "the identity provider, or a rule of the bridge, refuses the link",
			challenge.OutcomeUnreachable: "the identity provider does not respond, and got no request",
			challenge.OutcomeUnknown:     "the identity provider's response does not say what came of it",
		}
		return cmp.Or(outcomes[c.Outcome], "it ended: "+string(c.Outcome))
	case challenge.Denied:
		return "the person says no"
	case challenge.Expired:
		return "no answer came in time"
	case challenge.Superseded:
		return "a newer question takes its place"
	case challenge.Canceled:
		return "the question is canceled: " + string(c.Outcome)
	}
	return ""
}

func (r rows) reply(reply db.Reply) []Step {
	words := map[db.ReplyWord]string{
		"yes": "yes", "no": "no", "stop": "STOP, and gets no more texts",
		"start": "START, and gets texts again",
		"help":  "HELP", "code": "a code", "other": "something that is no answer",
	}
	steps := []Step{{reply.ReceivedAt.Time, "the phone replies " +
		cmp.Or(words[reply.Word], string(reply.Word))}}
	for _, e := range r.events[reply.ID] {
		switch e.Name {
		case "reply.blocked":
			steps = append(steps, Step{e.At.Time, "its code is not compared: " + e.Detail})
		case "reply.wrong_code":
			steps = append(steps, Step{e.At.Time, "its code is wrong: " + e.Detail + " of the day"})
		}
	}
	return steps
}

func (r rows) text(t db.Text) []Step {
	what := fmt.Sprintf("a text (%s, %s", t.Purpose, segments(t.Segments))
	switch {
	case t.Currency != "":
		what += fmt.Sprintf(", %.4f %s", float64(t.Price)/1e6, t.Currency)
	case t.Charged > 0:
		what += fmt.Sprintf(", about %.4f USD", float64(t.Charged)/1e6)
	}
	if t.Sender != "" {
		what += ", from " + t.Sender
	}
	what += ")"
	if t.State == text.Suppressed {
		return []Step{{t.EndedAt.Time, what + " is not sent: " + t.Error}}
	}
	var steps []Step
	for _, e := range r.events[t.ID] {
		switch e.Name {
		case "text.refused":
			steps = append(steps, Step{e.At.Time, "a provider does not take it: " + explained(e.Detail)})
		case "text.unclear":
			steps = append(steps, Step{e.At.Time, "its response got lost, so the provider is asked first"})
		}
	}
	at := t.SendingAt
	switch {
	case at.IsZero():
		at, what = t.CreatedAt, what+" is due"
	case t.ProviderID != "":
		what += " leaves through " + cmp.Or(t.Provider, "a provider") + " as " + t.ProviderID
	case t.State == text.Sending, t.State == text.Unclear:
		what += " is on its way through " + cmp.Or(t.Provider, "a provider")
	default:
		what += " was offered to " + cmp.Or(t.Provider, "the providers")
	}
	steps = append(steps, Step{at.Time, what + worded(t)})
	switch t.State {
	case text.Delivered:
		steps = append(steps, Step{t.EndedAt.Time, "the " + string(t.Purpose) + " is delivered"})
	case text.Undelivered:
		steps = append(steps, Step{t.EndedAt.Time, "the " + string(t.Purpose) + " is not delivered: " +
			explained(t.Error)})
	case text.Failed:
		steps = append(steps, Step{t.EndedAt.Time, "the " + string(t.Purpose) + " fails: " +
			explained(t.Error)})
	}
	return steps
}

// worded says in which words a text is, and in which language.
func worded(t db.Text) string {
	switch {
	case t.Wording == "":
		return ""
	case t.Language == "":
		return ", worded " + t.Wording
	}
	return ", worded " + t.Wording + " in " + t.Language
}

func segments(n int64) string {
	if n == 1 {
		return "1 segment"
	}
	return fmt.Sprintf("%d segments", n)
}

func (r rows) verification(v db.Verification) []Step {
	asked := "a code is asked for through the door " + v.Door
	if v.Locale != "" {
		asked += ", in the language " + v.Locale
	}
	steps := []Step{{v.OpenedAt.Time,
		asked + "; it counts until " + until(v.OpenedAt, v.ExpiresAt)}}
	for _, e := range r.events[v.ID] {
		said := ""
		switch e.Name {
		case "verification.refused":
			said = "a text with it is refused: " + e.Detail
		case "verification.resent":
			said = "its code is texted again: " + e.Detail
		case "verification.wrong":
			said = "a wrong code comes: " + e.Detail
		case "verification.notified":
			said = "the app is told of the end"
		case "verification.not_notified":
			said = "the app could not be told of the end"
		case "verification.reported":
			said = "Twilio Verify is told of the end: " + e.Detail
		}
		steps = append(steps, Step{e.At.Time, said})
	}
	ends := map[verification.State]string{
		verification.Approved:           "the right code came",
		verification.Canceled:           "it is canceled",
		verification.Expired:            "no right code came in time",
		verification.MaxAttemptsReached: "too many wrong codes came",
		verification.Failed:             "it fails: " + string(v.Reason),
	}
	return append(steps, Step{v.EndedAt.Time, ends[v.State]})
}
