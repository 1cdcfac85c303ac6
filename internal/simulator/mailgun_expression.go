package simulator

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mailgunExpressionLimit is the most bytes an expression or an action may have (documentation.mailgun.com, routes).
const mailgunExpressionLimit = 4096

// mailgunCondition is a parsed route expression: a filter, or "and"/"or" over parts.
type mailgunCondition struct {
	op      string // "and", "or", "match_recipient", "match_header", "catch_all"
	parts   []mailgunCondition
	header  string
	pattern *regexp.Regexp
}

// mailgunCaptures are the groups that the patterns of an expression matched.
type mailgunCaptures struct {
	numbered []string // \1 is numbered[0]
	named    map[string]string
}

// mailgunAction is one parsed action of a route.
type mailgunAction struct {
	op           string   // "forward", "store", "stop"
	destinations []string // URLs or mail addresses, captures not yet filled in
}

// mailgunParseExpression reads a route expression: match_recipient("…"), match_header("name", "…") and catch_all(), combined with
// and, or and parentheses; and binds tighter.
func mailgunParseExpression(s string) (mailgunCondition, error) {
	if len(s) > mailgunExpressionLimit {
		return mailgunCondition{}, errors.New("expression is longer than 4 kB")
	}
	sc := &mailgunScanner{rest: s}
	c, err := sc.either()
	if err != nil {
		return mailgunCondition{}, err
	}
	return c, sc.end()
}

// either reads conditions joined by "or".
func (sc *mailgunScanner) either() (mailgunCondition, error) { return sc.joined("or", sc.both) }

// both reads conditions joined by "and".
func (sc *mailgunScanner) both() (mailgunCondition, error) { return sc.joined("and", sc.filter) }

func (sc *mailgunScanner) joined(op string, next func() (mailgunCondition, error)) (mailgunCondition, error) {
	first, err := next()
	if err != nil || !sc.word(op) {
		return first, err
	}
	c := mailgunCondition{op: op, parts: []mailgunCondition{first}}
	for {
		part, err := next()
		if err != nil {
			return c, err
		}
		c.parts = append(c.parts, part)
		if !sc.word(op) {
			return c, nil
		}
	}
}

func (sc *mailgunScanner) filter() (mailgunCondition, error) {
	if sc.symbol('(') {
		c, err := sc.either()
		if err == nil && !sc.symbol(')') {
			err = errors.New("missing )")
		}
		return c, err
	}
	op, args, err := sc.call()
	if err != nil {
		return mailgunCondition{}, err
	}
	c := mailgunCondition{op: op}
	switch {
	case op == "catch_all" && len(args) == 0:
		return c, nil
	case op == "match_header" && len(args) == 2:
		c.header = args[0]
	case op == "match_recipient" && len(args) == 1:
	default:
		return c, fmt.Errorf("no filter %s with %d arguments", op, len(args))
	}
	// Mailgun's examples prefix ".*" to match in the middle, so patterns are anchored at the start, like Python's re.match.
	c.pattern, err = regexp.Compile(`^(?:` + args[len(args)-1] + `)`)
	return c, err
}

// match evaluates the condition for one recipient of a mail. routed says whether an earlier route has matched.
func (c mailgunCondition) match(recipient string, mail *mailgunMail, routed bool) (bool, mailgunCaptures) {
	captures := mailgunCaptures{named: map[string]string{}}
	return c.eval(recipient, mail, routed, &captures), captures
}

func (c mailgunCondition) eval(recipient string, mail *mailgunMail, routed bool, captures *mailgunCaptures) bool {
	eval := func(part mailgunCondition) bool { return part.eval(recipient, mail, routed, captures) }
	switch c.op {
	case "or":
		return slices.ContainsFunc(c.parts, eval)
	case "and":
		before := mailgunCaptures{numbered: slices.Clone(captures.numbered), named: maps.Clone(captures.named)}
		failed := slices.ContainsFunc(c.parts, func(part mailgunCondition) bool { return !eval(part) })
		if failed {
			*captures = before // what one part captured counts only if all match
		}
		return !failed
	case "catch_all":
		return !routed
	case "match_recipient":
		return captures.take(c.pattern, recipient)
	default:
		for _, h := range mail.headers {
			if strings.EqualFold(h.name, c.header) && captures.take(c.pattern, h.value) {
				return true
			}
		}
		return false
	}
}

// take matches s and adds the groups.
func (cs *mailgunCaptures) take(pattern *regexp.Regexp, s string) bool {
	groups := pattern.FindStringSubmatch(s)
	if groups == nil {
		return false
	}
	cs.numbered = append(cs.numbered, groups[1:]...)
	for i, name := range pattern.SubexpNames() {
		if name != "" {
			cs.named[name] = groups[i]
		}
	}
	return true
}

var mailgunReference = regexp.MustCompile(`\\([1-9])|\\g<(\w+)>`)

// fill replaces \1 and \g<name> by what was captured; a reference to nothing becomes empty.
func (cs mailgunCaptures) fill(s string) string {
	return mailgunReference.ReplaceAllStringFunc(s, func(ref string) string {
		parts := mailgunReference.FindStringSubmatch(ref)
		if parts[2] != "" {
			return cs.named[parts[2]]
		}
		if n, _ := strconv.Atoi(parts[1]); n <= len(cs.numbered) {
			return cs.numbered[n-1]
		}
		return ""
	})
}

// mailgunParseAction reads forward("…"[, "…"]), store(), store(notify="…") or stop(). A destination is an http(s) URL, without captures
// in its host, or a mail address.
func mailgunParseAction(s string) (mailgunAction, error) {
	if len(s) > mailgunExpressionLimit {
		return mailgunAction{}, errors.New("action is longer than 4 kB")
	}
	sc := &mailgunScanner{rest: s}
	op, args, err := sc.call()
	if err != nil {
		return mailgunAction{}, err
	}
	if err := sc.end(); err != nil {
		return mailgunAction{}, err
	}
	a := mailgunAction{op: op}
	switch {
	case op == "stop" && len(args) == 0, op == "store" && len(args) == 0:
		return a, nil
	case op == "store" && len(args) == 1 && strings.HasPrefix(args[0], "notify="):
		a.destinations = []string{strings.TrimPrefix(args[0], "notify=")}
	case op == "forward" && len(args) > 0:
		for d := range strings.SplitSeq(strings.Join(args, ","), ",") {
			a.destinations = append(a.destinations, strings.TrimSpace(d))
		}
	default:
		return a, fmt.Errorf("no action %s with these arguments", op)
	}
	for _, d := range a.destinations {
		if err := mailgunCheckDestination(d, op == "forward"); err != nil {
			return a, err
		}
	}
	return a, nil
}

func mailgunCheckDestination(d string, mailAllowed bool) error {
	if !strings.HasPrefix(d, "http://") && !strings.HasPrefix(d, "https://") {
		if mailAllowed && strings.Contains(d, "@") {
			return nil
		}
		return errors.New("destination is neither a URL nor a mail address")
	}
	u, err := url.Parse(mailgunReference.ReplaceAllString(d, "x"))
	if err != nil || u.Host == "" {
		return errors.New("destination is not a URL")
	}
	_, afterScheme, _ := strings.Cut(d, "://")
	host, _, _ := strings.Cut(afterScheme, "/")
	if strings.Contains(host, `\`) {
		return errors.New("captures are not allowed in a host name")
	}
	return nil
}

// mailgunScanner reads the little language of expressions and actions.
type mailgunScanner struct{ rest string }

func (sc *mailgunScanner) space() { sc.rest = strings.TrimLeft(sc.rest, " \t\r\n") }

func (sc *mailgunScanner) end() error {
	if sc.space(); sc.rest != "" {
		return errors.New("unexpected text at the end")
	}
	return nil
}

func (sc *mailgunScanner) symbol(b byte) bool {
	if sc.space(); sc.rest == "" || sc.rest[0] != b {
		return false
	}
	sc.rest = sc.rest[1:]
	return true
}

func (sc *mailgunScanner) word(w string) bool {
	sc.space()
	before := sc.rest
	if sc.name() == w {
		return true
	}
	sc.rest = before
	return false
}

func (sc *mailgunScanner) name() string {
	sc.space()
	end := strings.IndexFunc(sc.rest, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })
	if end < 0 {
		end = len(sc.rest)
	}
	name := sc.rest[:end]
	sc.rest = sc.rest[end:]
	return name
}

// call reads name("arg", key="arg", …); a keyword argument is returned as key=arg.
func (sc *mailgunScanner) call() (name string, args []string, err error) {
	if name = sc.name(); name == "" || !sc.symbol('(') {
		return "", nil, errors.New("expected a filter or an action")
	}
	for !sc.symbol(')') {
		if len(args) > 0 && !sc.symbol(',') {
			return "", nil, errors.New("expected , or )")
		}
		keyword := sc.name()
		if keyword != "" && !sc.symbol('=') {
			return "", nil, errors.New("expected =")
		}
		arg, err := sc.quoted()
		if err != nil {
			return "", nil, err
		}
		if keyword != "" {
			arg = keyword + "=" + arg
		}
		args = append(args, arg)
	}
	return name, args, nil
}

// quoted reads a string in " or '. Only the quote itself can be escaped; other backslashes belong to the pattern, as in Mailgun's
// example "^name\+(.*)@example.com$".
func (sc *mailgunScanner) quoted() (string, error) {
	sc.space()
	if sc.rest == "" || (sc.rest[0] != '"' && sc.rest[0] != '\'') {
		return "", errors.New("expected a quoted string")
	}
	quote := sc.rest[0]
	var b strings.Builder
	for i := 1; i < len(sc.rest); i++ {
		switch {
		case sc.rest[i] == quote:
			sc.rest = sc.rest[i+1:]
			return b.String(), nil
		case sc.rest[i] == '\\' && i+1 < len(sc.rest):
			i++
			if sc.rest[i] != quote {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(sc.rest[i])
	}
	return "", errors.New("unfinished string")
}
