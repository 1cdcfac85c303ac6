package tenant

import (
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode"

	"smsbridge/internal/segment"
)

// Saying names one text that the bridge sends.
type Saying string

// What the bridge says. The two that ask are prompts; the others answer a reply.
const (
	AskRegistration       Saying = "ask_registration"       // prompt: is this new account yours?
	AskPassword           Saying = "ask_password"           // prompt: is this new password yours?
	AskPasswordCode       Saying = "ask_password_code"      // the same, and the reply must repeat the code
	TapRegistration       Saying = "tap_registration"       // prompt with a short link, no reply possible
	TapPassword           Saying = "tap_password"           // the same for a new password
	BothRegistration      Saying = "both_registration"      // prompt that takes a reply or a tap
	BothPassword          Saying = "both_password"          // the same for a new password; the reply must repeat the code
	RelayReset            Saying = "relay_reset"            // a password mail's link, by short link
	RelayLogin            Saying = "relay_login"            // a sign-in mail's link, by short link
	Wrong                 Saying = "wrong"                  // the reply was neither yes nor no
	Several               Saying = "several"                // a bare yes, and several questions are open
	ConfirmedRegistration Saying = "confirmed_registration" // the account is confirmed
	ConfirmedPassword     Saying = "confirmed_password"     // the password is confirmed
	Already               Saying = "already"                // it had been confirmed before, by other means
	Used                  Saying = "used"                   // the link had been used before
	LinkExpired           Saying = "link_expired"           // the identity provider calls the link expired
	NeedsUser             Saying = "needs_user"             // the link leads to a page that wants more than a click
	Refused               Saying = "refused"                // the identity provider, or our own rules, refused
	Unreachable           Saying = "unreachable"            // the identity provider did not answer
	Unknown               Saying = "unknown"                // it answered, but not so that we understand
	Denied                Saying = "denied"                 // the person said no
	Late                  Saying = "late"                   // a yes after the question's deadline
	DoneBefore            Saying = "done_before"            // a yes to a question that has been answered
)

// shippedTexts returns the wording of those who bring none. Each is one GSM-7
// segment with a name of 20 characters, none has a link, and none but the
// confirmations sounds like success.
func shippedTexts() map[Saying]string {
	return map[Saying]string{
		AskRegistration:       "Reply {{.Answer}} if you have just set up an account with {{.Name}}. If not, reply {{.Denial}}.",
		AskPassword:           "Someone asked to replace your {{.Name}} password. Reply {{.Answer}} only if it was you. If not, reply {{.Denial}}.",
		AskPasswordCode:       "Someone asked to replace your {{.Name}} password. Only if it was you, reply {{.Answer}} {{.Code}}. If not, reply {{.Denial}}.",
		TapRegistration:       "{{.Name}}: confirm your new account here: {{.Link}} Not you? Do nothing.",
		TapPassword:           "{{.Name}}: confirm your new password here: {{.Link}} Not you? Do nothing.",
		BothRegistration:      "Reply {{.Answer}} if you have just set up an account with {{.Name}}, or tap {{.Link}} Not you? {{.Denial}}",
		BothPassword:          "New {{.Name}} password? Only if it was you, reply {{.Answer}} {{.Code}} or tap {{.Link}} Not you? {{.Denial}}",
		RelayReset:            "{{.Name}}: choose a new password here: {{.Link}} Not you? Do nothing.",
		RelayLogin:            "{{.Name}}: sign in here: {{.Link}} Not you? Do nothing.",
		Wrong:                 "Please reply {{.Answer}} to confirm or {{.Denial}} to cancel.",
		Several:               "Which one? {{.Choices}}. Reply {{.Denial}} to cancel.",
		ConfirmedRegistration: "{{.Name}}: your account is confirmed.",
		ConfirmedPassword:     "{{.Name}}: your new password is confirmed.",
		Already:               "{{.Name}}: this had already been confirmed. There is nothing more to do.",
		Used:                  "{{.Name}}: this request was used before. If you cannot sign in, please start again.",
		LinkExpired:           "{{.Name}}: this request is too old. Please start again.",
		NeedsUser:             "{{.Name}}: this cannot be finished by text. Please go on where you started.",
		Refused:               "{{.Name}} did not accept this request. Please start again.",
		Unreachable:           "{{.Name}} is not answering, so nothing was done. Please start again later.",
		Unknown:               "{{.Name}} did not say whether this worked. Please try to sign in, or start again.",
		Denied:                "{{.Name}}: OK, nothing was changed.",
		Late:                  "{{.Name}}: your reply came too late. Please start again.",
		DoneBefore:            "{{.Name}}: you have answered this before. There is nothing more to do.",
	}
}

// Sayings returns all sayings in the order of their names.
func Sayings() []Saying {
	var all []Saying
	for s := range shippedTexts() {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// Fill is what a text can tell beyond the tenant's own settings. It is made by
// our rules, never of anything from a mail.
type Fill struct {
	Choices string // for Several: "Reply YES 4821 for ACME or YES 7730 for Beta"
	Count   int    // for Several: how many questions are open
	Code    string // for AskPasswordCode and BothPassword
	Link    string // for the Tap, Both and Relay texts that have one: a short link of ours
}

// hasCode and hasLink say which texts need the code, and which the link.
func (s Saying) hasCode() bool {
	return s == AskPasswordCode || s == BothPassword
}

func (s Saying) hasLink() bool {
	switch s {
	case TapRegistration, TapPassword, BothRegistration, BothPassword, RelayReset, RelayLogin:
		return true
	}
	return false
}

// values are the fields that a text may use.
type values struct {
	Name    string // the tenant's name
	Answer  string // the first accepted word
	Denial  string // the first denying word
	Choices string
	Count   int
	Code    string
	Link    string
}

// fieldNames lists the fields of values, for checks and hints.
func fieldNames() []string {
	return []string{"Name", "Answer", "Denial", "Choices", "Count", "Code", "Link"}
}

// Say returns the text for s in the tenant's wording, or "" for a saying that
// does not exist. A Tenant that was not loaded says it in the shipped wording.
func (t *Tenant) Say(s Saying, fill Fill) string {
	text := t.texts[s]
	if text == nil {
		if text, _ = parseText(shippedTexts()[s]); text == nil {
			return ""
		}
	}
	v := values{t.Name, first(t.Accept), first(t.Deny), fill.Choices, fill.Count, fill.Code, fill.Link}
	var b strings.Builder
	// parseText lets nothing through that could fail here.
	_ = text.Execute(&b, v)
	return b.String()
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// parseText parses a text that answers or asks.
func parseText(s string) (*template.Template, *Mistake) { return parseTemplate(s, fieldNames()) }

// parseTemplate parses a text with the given fields. Of the template language it
// takes plain fields only: what can neither fail nor depend on anything is what
// was seen at loading.
func parseTemplate(s string, fields []string) (*template.Template, *Mistake) {
	hint := "a text may use {{." + strings.Join(fields, "}} {{.") + "}} and nothing else in double braces"
	t, err := template.New("").Option("missingkey=error").Parse(s)
	if err != nil {
		return nil, wrong("is not a valid template", hint)
	}
	if t.Tree == nil || len(t.Root.Nodes) == 0 { // nothing, or definitions only
		return nil, wrong("is empty", "leave it out to get the shipped wording")
	}
	for _, node := range t.Root.Nodes {
		if node.Type() == parse.NodeText {
			continue
		}
		action, ok := node.(*parse.ActionNode)
		if !ok || !isField(action, fields) {
			return nil, wrong("uses an unknown field or a template command", hint)
		}
	}
	if len(t.Templates()) > 1 {
		return nil, wrong("defines a template", hint)
	}
	return t, nil
}

// isField reports whether an action only shows one of the fields.
func isField(action *parse.ActionNode, fields []string) bool {
	pipe := action.Pipe
	if len(pipe.Decl) != 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return false
	}
	field, ok := pipe.Cmds[0].Args[0].(*parse.FieldNode)
	return ok && len(field.Ident) == 1 && slices.Contains(fields, field.Ident[0])
}

// maxSegments is the most one text may cost.
const maxSegments = 2

// judgeText judges a text as it will be sent.
func judgeText(rendered string) *Mistake {
	switch {
	case strings.TrimSpace(rendered) == "":
		return wrong("is empty", "leave it out to get the shipped wording")
	case hasHidden(strings.ReplaceAll(rendered, "\n", "")):
		return wrong("has control or invisible characters", "retype the text; line breaks are the only exception")
	case looksLikeLink(rendered):
		return wrong("has something that phones show as a link", "texts of the bridge have no links, so that people learn not to trust those that do")
	case looksLikeBoundCode(rendered):
		return wrong("ends like a code for a web site (@host #code)", "phones would offer to fill it in; reword it")
	case segment.Measure(rendered).Segments > maxSegments:
		return wrong("takes more than two segments", "stay within 160 characters, or 70 when there are other than GSM-7 characters such as curly quotes")
	}
	return nil
}

// hasHidden reports control, format (bidi, zero-width) and separator characters,
// and bytes that are not UTF-8.
func hasHidden(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
	})
}

var (
	linkLike = regexp.MustCompile(`(?i)://|\bwww\.|[\p{L}\p{N}]\.\p{L}{2,}`)
	// https://wicg.github.io/sms-one-time-codes/
	boundCode = regexp.MustCompile(`@\S+ +#\S`)
)

// looksLikeLink reports what phones make a link of: a URL, or two letters and
// more right after a dot.
func looksLikeLink(s string) bool { return linkLike.MatchString(s) }

// looksLikeBoundCode reports the form of an origin-bound one-time code.
func looksLikeBoundCode(s string) bool { return boundCode.MatchString(s) }
