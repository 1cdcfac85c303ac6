package sender

import (
	"slices"
	"strings"

	"smsbridge/phonemail"
)

const (
	maxHeader = 64 << 10 // bytes
	maxFields = 200
	// maxLines bounds folded fields: the library joins them line by line, which costs the square of
	// their number.
	maxLines = 1000
)

// field is one field of a mail's header.
type field struct {
	name  string // in small letters
	value string // unfolded, without the blanks around it
	lines string // as it came, each line ending in CRLF
	parts []string
}

// header is the fields of a mail, in their order.
type header []field

// readHeader reads the header of a mail, strictly, and returns it with the body.
//
// Source: RFC 5322, sections 2.2 and 4.2; obsolete forms are refused.
func readHeader(mime string) (header, string, error) {
	var h header
	for left, rest, n := maxHeader, mime, 0; ; n++ {
		line, after, found := strings.Cut(rest, "\n")
		if left -= len(line) + 1; left < 0 {
			return nil, "", Refusal("the header is larger than 64 KiB")
		}
		if !found {
			return nil, "", Refusal("the mail has no body")
		}
		line, rest = strings.TrimSuffix(line, "\r"), after
		if line == "" {
			h.unfold()
			return h, rest, nil
		}
		if n == maxLines {
			return nil, "", Refusal("the header has more than 1000 lines")
		}
		if !h.add(line) {
			return nil, "", Refusal("the header is not written as RFC 5322 says")
		}
		if len(h) > maxFields {
			return nil, "", Refusal("the header has more than 200 fields")
		}
	}
}

// add takes one more line, and reports whether it may stand in a header.
func (h *header) add(line string) bool {
	control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	if strings.ContainsFunc(line, control) {
		return false
	}
	if line[0] == ' ' || line[0] == '\t' {
		if len(*h) == 0 || strings.Trim(line, " \t") == "" {
			return false
		}
		last := &(*h)[len(*h)-1]
		last.parts = append(last.parts, line)
		return true
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" ||
		strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	*h = append(*h, field{name: strings.ToLower(name), value: value, parts: []string{line}})
	return true
}

// unfold joins the lines of each field, once.
func (h header) unfold() {
	for i := range h {
		f := &h[i]
		f.lines = strings.Join(f.parts, "\r\n") + "\r\n"
		f.value = strings.Trim(f.value+strings.Join(f.parts[1:], ""), " \t")
		f.parts = nil
	}
}

// all returns the fields of a name.
func (h header) all(name string) (found []field) {
	for _, f := range h {
		if f.name == name {
			found = append(found, f)
		}
	}
	return found
}

// one returns the value of the first field of a name.
func (h header) one(name string) string {
	i := slices.IndexFunc(h, func(f field) bool { return f.name == name })
	if i < 0 {
		return ""
	}
	return h[i].value
}

func (h header) messageID() string { return strings.Trim(h.one("message-id"), "<> \t") }

// address is one mail address. The domain is in small letters.
type address struct{ local, domain string }

// String is the address in small letters.
func (a address) String() string { return strings.ToLower(a.local) + "@" + a.domain }

// parseAddress reads a field that has one address, alone or in angle brackets behind a name. It
// takes no group, comment, route or quoted local part, which mail programs read differently and
// which no identity provider writes.
func parseAddress(value string) (address, bool) {
	spec := value
	if strings.HasSuffix(value, ">") {
		open := strings.LastIndexByte(value, '<')
		if open < 0 || !isName(value[:open]) {
			return address{}, false
		}
		spec = value[open+1 : len(value)-1]
	}
	local, domain, _ := strings.Cut(spec, "@")
	a := address{local, strings.ToLower(domain)}
	return a, isDotAtom(local) && phonemail.ValidDomain(domain)
}

// isName reports whether a text is only a display name: outside of quotes it has nothing that
// could be part of an address.
func isName(text string) bool {
	quoted, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(`()<>[]:;@\,`, r):
			return false
		}
	}
	return !quoted
}

// isDotAtom reports whether a text is a dot-atom (RFC 5322, section 3.2.3).
func isDotAtom(text string) bool {
	for atom := range strings.SplitSeq(text, ".") {
		foreign := func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
				strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r))
		}
		if atom == "" || strings.ContainsFunc(atom, foreign) {
			return false
		}
	}
	return true
}
