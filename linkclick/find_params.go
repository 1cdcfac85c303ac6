package linkclick

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"smsbridge/linkclick/linkpath"
)

// This file reads what a link says by itself, before any word around it is heard: whether it can
// be read in one way only, and whether its parameters, its tokens or its folder speak of something
// else than its shape.

// maxParameters is how many parameters a link may have. Real ones have fewer than ten.
const maxParameters = 32

// parameter is one of a link, decoded.
type parameter struct{ name, value string }

// parametersOf returns the parameters of the query, and those of a query in the fragment, in their
// order. A page with a script reads the latter.
func parametersOf(u *url.URL) []parameter {
	var all []parameter
	_, inFragment, found := strings.Cut(u.Fragment, "?")
	if !found && strings.Contains(u.Fragment, "=") {
		inFragment = u.Fragment
	}
	for _, query := range []string{u.RawQuery, inFragment} {
		for pair := range strings.SplitSeq(query, "&") {
			if pair == "" || len(all) > maxParameters {
				continue
			}
			name, value, _ := strings.Cut(pair, "=")
			all = append(all, parameter{unescape(name), unescape(value)})
		}
	}
	return all
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// isPlainlyWritten reports whether every server and every script reads u alike. Servers differ in
// which of two parameters with one name they take, and in whether they mind its case. They differ
// in what they make of encoded letters, dot segments and semicolons. A link that relies on any of
// it is of an unknown shape.
func isPlainlyWritten(u *url.URL) bool {
	parameters := parametersOf(u)
	if len(parameters) > maxParameters {
		return false
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil || strings.Contains(u.RawQuery, ";") {
		return false
	}
	path := u.EscapedPath()
	if linkpath.HasDots(u.Path) || strings.ContainsAny(path, ";\\") ||
		hidesLetters(path) || hidesLetters(u.EscapedFragment()) {
		return false
	}
	seen := map[string]bool{}
	for _, p := range parameters {
		name := bareName(p.name)
		if name == "" || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// phpNames is what PHP makes of a parameter's name.
var phpNames = strings.NewReplacer(".", "_", " ", "_", "\x00", "")

// bareName returns a parameter's name as the most tolerant server reads it: without case, and with
// what PHP and Rails do to brackets, dots and blanks.
func bareName(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(name)), "[")
	name = phpNames.Replace(name)
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return name
}

// hidesLetters reports whether an escaped path has a letter that is not ASCII, or an escape that
// is not needed or stands for a separator.
func hidesLetters(escaped string) bool {
	for i := 0; i < len(escaped); i++ {
		if escaped[i] >= 0x7f {
			return true
		}
		if escaped[i] != '%' {
			continue
		}
		plain, err := url.PathUnescape(escaped[i:min(len(escaped), i+3)])
		if err != nil || len(plain) != 1 || plain[0] <= ' ' || plain[0] >= 0x7f ||
			isAlnum(plain[0]) || strings.ContainsAny(plain, `/\%.-_~;?#`) {
			return true
		}
		i += 2
	}
	return false
}

// neverSplit are characters that may stand in a query as they are or escaped, and split no
// parameters (RFC 3986 section 3.4). Programs that make the text of a mail from its markup, or its
// markup from the text, may change which they are.
const neverSplit = "-._~!$'()*,:@/?"

// sameForAll returns what a link and its other spellings have in common: those that differ in
// which of such characters are escaped in the query, or in the case of an escape.
func sameForAll(link string) string {
	head, query, found := strings.Cut(link, "?")
	if !found || !strings.Contains(query, "%") || strings.Contains(head, "#") {
		return link
	}
	query, fragment, fragmented := strings.Cut(query, "#")
	var b strings.Builder
	b.WriteString(head + "?")
	for i := 0; i < len(query); i++ {
		if query[i] != '%' || i+2 >= len(query) {
			b.WriteByte(query[i])
			continue
		}
		escape := query[i : i+3]
		i += 2
		c, err := url.PathUnescape(escape)
		if err == nil && (isAlnum(c[0]) || strings.Contains(neverSplit, c)) {
			b.WriteString(c)
		} else {
			b.WriteString(strings.ToUpper(escape))
		}
	}
	if fragmented {
		b.WriteString("#" + fragment)
	}
	return b.String()
}

// isSelector names the parameters that tell a server what to do.
func isSelector(name string) bool {
	switch bareName(name) {
	case "a", "act", "action", "cmd", "command", "do", "event", "flow", "for", "intent", "job", "kind",
		"method", "mode", "op", "operation", "purpose", "reason", "scope", "step", "subject", "task",
		"template", "type", "use", "what":
		return true
	}
	return false
}

// linkWords are words of paths, parameters and claims, by what they ask a server to do. They are
// the beginnings of words.
var linkWords = []struct {
	says  speech
	words []string
}{
	{saysNotMe, []string{
		"delet", "remov", "deactivat", "disabl", "eras", "revok", "cancel", "unsubscrib", "destroy",
		"terminat", "unlink", "close", "block", "unenrol",
	}},
	{saysAct, []string{
		"approv", "authoriz", "authoris", "consent", "grant", "pay", "payment", "payout", "purchas",
		"order", "checkout",
		"merg", "export", "transfer", "device", "mfa", "2fa", "totp", "owner", "erasur",
	}},
	{saysReset, []string{"reset", "recover", "forgot", "forget", "passw", "pwd", "lostp"}},
	{saysChange, []string{"chang", "updat", "replac", "newemail", "newmail", "newaddr"}},
	{saysInvite, []string{"invit"}},
	{saysLogin, []string{"login", "signin", "magic", "passwordless", "otp", "logon"}},
}

// hearLink returns what a part of a link says.
func hearLink(part string) speech { return hearStems(part, 0) }

// hearStems returns what a part of a link says in stems of at least so many letters.
func hearStems(part string, shortest int) speech {
	words := strings.Fields(separated(part))
	words = append(words, strings.Join(words, "")) // "sign-in" and "pass_word"
	for _, row := range linkWords {
		for _, w := range words {
			if slices.ContainsFunc(row.words, func(stem string) bool {
				return len(stem) >= shortest && strings.HasPrefix(w, stem)
			}) {
				return row.says
			}
		}
	}
	return saysNothing
}

// isLinkWord reports whether a word is a whole entry of linkWords, and not only begins like one.
func isLinkWord(word string) bool {
	for _, row := range linkWords {
		if slices.Contains(row.words, word) {
			return true
		}
	}
	return false
}

// separated returns the words of a name, in small letters and with blanks between them.
func separated(name string) string {
	var b strings.Builder
	small := false
	for _, r := range name {
		switch {
		case isMark(r):
			r = ' '
		case unicode.IsUpper(r) && small:
			b.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// isMark reports whether a character separates the words of a name.
func isMark(r rune) bool { return strings.ContainsRune("/-_.:[]", r) }

// hearName returns what the name of a parameter says, whatever its value: servers differ in whether
// "delete=false" and "delete=" delete. A payload is no payment. FusionAuth's metaData.device.name
// and its like tell which browser asked for the mail.
func hearName(name string) speech {
	bare := bareName(name)
	if bare == "payload" || strings.HasPrefix(bare, "metadata_device_") {
		return saysNothing
	}
	return hearLink(name)
}

// contradicts reports whether u itself speaks of something else than kind: a parameter that
// selects an action and is none of those in looked, the name of a parameter, or a claim of a
// token. What a path says of verifying is worth nothing beside "delete=true".
func contradicts(u *url.URL, kind Kind, looked []string) bool {
	speaksElse := func(said speech) bool {
		return said >= saysReset && said.kind() != kind || said == saysAct ||
			kind == KindVerify && (said == saysLogin || said == saysInvite)
	}
	for _, p := range parametersOf(u) {
		if slices.Contains(looked, p.name) || slices.Contains(looked, p.name+"="+p.value) {
			continue
		}
		if isSelector(p.name) && speaksElse(hearLink(p.value)) {
			return true
		}
		if said := hearName(p.name); said >= saysReset && said.kind() != kind {
			return true
		}
	}
	return slices.ContainsFunc(tokensOf(u), func(token string) bool {
		return slices.ContainsFunc(purposesOf(token), func(purpose string) bool {
			return speaksElse(hearLink(purpose))
		})
	})
}

// tokensOf returns what could be a signed token in u.
func tokensOf(u *url.URL) []string {
	all := segmentsOf(u.Path + "/" + u.Fragment)
	for _, p := range parametersOf(u) {
		all = append(all, p.value)
	}
	return slices.DeleteFunc(all, func(s string) bool { return strings.Count(s, ".") != 2 })
}

// purposesOf returns what the claims of a JWT say that it is for.
func purposesOf(jwt string) []string {
	var all []string
	for name, value := range payloadOf(jwt) {
		switch bareName(name) {
		case "action", "act", "intent", "kind", "mode", "op", "purpose", "scope", "token_type",
			"tokentype", "token_use", "typ", "type", "use",
			"requesttype":
			if s, ok := value.(string); ok {
				all = append(all, s)
			}
		case "newemail", "new_email", "updateto", "update_to", "email_change", "emailchange":
			all = append(all, "change")
		case "newpassword", "new_password":
			all = append(all, "reset")
		}
	}
	return all
}
