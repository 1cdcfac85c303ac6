package mailgun

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

// expressionLimit is the most bytes an expression or an action may have
// (documentation.mailgun.com, routes).
const expressionLimit = 4096

// condition is a parsed route expression: a filter, or "and"/"or" over parts.
type condition struct {
	op      string // "and", "or", "match_recipient", "match_header", "catch_all"
	parts   []condition
	header  string
	pattern *regexp.Regexp
}

// captureSet are the groups that the patterns of an expression matched.
type captureSet struct {
	numbered []string // \1 is numbered[0]
	named    map[string]string
}

// routeAction is one parsed action of a route.
type routeAction struct {
	op           string   // "forward", "store", "stop"
	destinations []string // URLs or mail addresses, captures not yet filled in
}

// parseExpression reads a route expression: match_recipient("…"), match_header("name", "…") and
// catch_all(), combined with and, or and parentheses; and binds tighter.
func parseExpression(s string) (condition, error) {
	if len(s) > expressionLimit {
		return condition{}, errors.New("expression is longer than 4 kB")
	}
	sc := &scanner{rest: s}
	c, err := sc.either()
	if err != nil {
		return condition{}, err
	}
	return c, sc.end()
}

// either reads conditions joined by "or".
func (sc *scanner) either() (condition, error) { return sc.joined("or", sc.both) }

// both reads conditions joined by "and".
func (sc *scanner) both() (condition, error) { return sc.joined("and", sc.filter) }

func (sc *scanner) joined(op string, next func() (condition, error)) (condition, error) {
	first, err := next()
	if err != nil || !sc.word(op) {
		return first, err
	}
	c := condition{op: op, parts: []condition{first}}
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

func (sc *scanner) filter() (condition, error) {
	if sc.symbol('(') {
		c, err := sc.either()
		if err == nil && !sc.symbol(')') {
			err = errors.New("missing )")
		}
		return c, err
	}
	op, args, err := sc.call()
	if err != nil {
		return condition{}, err
	}
	c := condition{op: op}
	switch {
	case op == "catch_all" && len(args) == 0:
		return c, nil
	case op == "match_header" && len(args) == 2:
		c.header = args[0]
	case op == "match_recipient" && len(args) == 1:
	default:
		return c, fmt.Errorf("no filter %s with %d arguments", op, len(args))
	}
	// Mailgun's examples prefix ".*" to match in the middle, so patterns are anchored at the
	// start, like Python's re.match.
	c.pattern, err = regexp.Compile(`^(?:` + args[len(args)-1] + `)`)
	return c, err
}

// match evaluates the condition for one recipient of a mail. routed says whether an earlier
// route has matched.
func (c condition) match(recipient string, mail *parsedMail, routed bool) (bool, captureSet) {
	captures := captureSet{named: map[string]string{}}
	return c.eval(recipient, mail, routed, &captures), captures
}

func (c condition) eval(
	recipient string, mail *parsedMail, routed bool, captures *captureSet,
) bool {
	eval := func(part condition) bool { return part.eval(recipient, mail, routed, captures) }
	switch c.op {
	case "or":
		return slices.ContainsFunc(c.parts, eval)
	case "and":
		before := captureSet{numbered: slices.Clone(captures.numbered), named: maps.Clone(captures.named)}
		failed := slices.ContainsFunc(c.parts, func(part condition) bool { return !eval(part) })
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
func (cs *captureSet) take(pattern *regexp.Regexp, s string) bool {
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

var captureReference = regexp.MustCompile(`\\([1-9])|\\g<(\w+)>`)

// fill replaces \1 and \g<name> by what was captured; a reference to nothing becomes empty.
func (cs captureSet) fill(s string) string {
	return captureReference.ReplaceAllStringFunc(s, func(ref string) string {
		parts := captureReference.FindStringSubmatch(ref)
		if parts[2] != "" {
			return cs.named[parts[2]]
		}
		if n, _ := strconv.Atoi(parts[1]); n <= len(cs.numbered) {
			return cs.numbered[n-1]
		}
		return ""
	})
}

// parseAction reads forward("…"[, "…"]), store(), store(notify="…") or stop(). A destination is
// an http(s) URL, without captures in its host, or a mail address.
func parseAction(s string) (routeAction, error) {
	if len(s) > expressionLimit {
		return routeAction{}, errors.New("action is longer than 4 kB")
	}
	sc := &scanner{rest: s}
	op, args, err := sc.call()
	if err != nil {
		return routeAction{}, err
	}
	if err := sc.end(); err != nil {
		return routeAction{}, err
	}
	a := routeAction{op: op}
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
		if err := checkDestination(d, op == "forward"); err != nil {
			return a, err
		}
	}
	return a, nil
}

func checkDestination(d string, mailAllowed bool) error {
	if !strings.HasPrefix(d, "http://") && !strings.HasPrefix(d, "https://") {
		if mailAllowed && strings.Contains(d, "@") {
			return nil
		}
		return errors.New("destination is neither a URL nor a mail address")
	}
	u, err := url.Parse(captureReference.ReplaceAllString(d, "x"))
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

// scanner reads the little language of expressions and actions.
type scanner struct{ rest string }

func (sc *scanner) space() { sc.rest = strings.TrimLeft(sc.rest, " \t\r\n") }

func (sc *scanner) end() error {
	if sc.space(); sc.rest != "" {
		return errors.New("unexpected text at the end")
	}
	return nil
}

func (sc *scanner) symbol(b byte) bool {
	if sc.space(); sc.rest == "" || sc.rest[0] != b {
		return false
	}
	sc.rest = sc.rest[1:]
	return true
}

func (sc *scanner) word(w string) bool {
	sc.space()
	before := sc.rest
	if sc.name() == w {
		return true
	}
	sc.rest = before
	return false
}

func (sc *scanner) name() string {
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
func (sc *scanner) call() (name string, args []string, err error) {
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

// quoted reads a string in " or '. Only the quote itself can be escaped; other backslashes
// belong to the pattern, as in Mailgun's example "^name\+(.*)@example.com$".
func (sc *scanner) quoted() (string, error) {
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
