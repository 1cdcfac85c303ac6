package settings

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Family is variables that start alike.
type Family struct {
	Prefix string // "TWILIO_"
	// Own families belong to the program, so that any unknown name in them is a mistake. In another
	// family only a likely misspelling is one: other programs use it, too.
	Own bool
	// Allowed reports names, without the prefix, that others set or read.
	Allowed func(rest string) bool
}

// maxTypos is how far a variable of a family that others share may be from one of ours.
const maxTypos = 2

// RefuseUnknown reports variables of the families that are none of the rows'.
func (l *Loader) RefuseUnknown(families []Family, rows []Row) {
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		i := slices.IndexFunc(families, func(f Family) bool { return strings.HasPrefix(name, f.Prefix) })
		if l.referred[name] {
			continue
		}
		if hint := l.meant(name, families, rows); hint != "" {
			l.Add(name, Wrong(notOurs, hint))
			continue
		}
		if i < 0 {
			continue
		}
		f := families[i]
		var known, unset []string
		for _, r := range rows {
			if strings.HasPrefix(r.Variable, f.Prefix) {
				known = append(known, r.Variable)
				if l.env[r.Variable] == "" {
					unset = append(unset, r.Variable)
				}
			}
		}
		rest := strings.TrimPrefix(name, f.Prefix)
		if slices.Contains(known, name) || f.Allowed != nil && f.Allowed(rest) {
			continue
		}
		if f.Own {
			l.Add(name, Wrong(notOurs, didYouMean(name, known)))
			continue
		}
		if best := closest(name, unset, maxTypos); best != "" && l.env[name] != "" {
			l.Add(name, Wrong(notOurs, "did you mean "+best+"?"))
		}
	}
}

const notOurs = "is not a variable of smsbridge"

// meant says how to write a variable that is one of the rows' but for its case and what stands
// around it. Other programs name the file of a secret by _FILE: it says that, too. It returns ""
// for the rest. A family that others share has to lack the variable.
func (l *Loader) meant(name string, families []Family, rows []Row) string {
	plain := strings.ToUpper(strings.TrimPrefix(name, "\ufeff"))
	plain = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(plain, "EXPORT "), "SET "))
	known := func(name string) bool {
		return name != "" && slices.ContainsFunc(rows, func(r Row) bool { return r.Variable == name })
	}
	of := func(variable string) bool {
		return slices.ContainsFunc(families, func(f Family) bool {
			return strings.HasPrefix(variable, f.Prefix) &&
				(f.Own || l.env[variable] == "" && l.env[name] != "")
		})
	}
	if plain != name && known(plain) && of(plain) {
		return "write " + plain + ", in capitals and with nothing before it or behind it"
	}
	secret, isFile := strings.CutSuffix(plain, "_FILE")
	hidden := func(r Row) bool { return r.Kind.Hidden() && r.Variable == secret }
	if isFile && slices.ContainsFunc(rows, hidden) && !known(plain) && of(secret) {
		return "write " + secret + "=file:PATH"
	}
	return ""
}

// A comment behind a value, as a shell would leave out. In a text that has a field, # may be meant.
var comment = regexp.MustCompile(`^[^{]*\s#(?:\s[^{]*)?$`)

// kept finds in the value of a variable what a shell takes away, and what docker run --env-file and
// others hand on: it would become part of a name or of a path. Secrets have checks of their own.
func kept(text string, k Kind) *Mistake {
	text = strings.TrimSpace(text)
	switch n := len(text); {
	case k.Hidden() && k != SecretURL:
		return nil
	case n > 1 && (text[0] == '"' || text[0] == '\'') && strings.IndexByte(text[1:], text[0]) == n-2:
		return Wrong("has quotes around its value", "remove them: not every program that reads a file "+
			"of variables does so itself")
	case comment.MatchString(text):
		return Wrong("has a comment behind its value",
			"write the comment, from # on, on a line of its own")
	}
	return nil
}

// RefuseBeside reports variables of the rows beside a file, where they would be ignored.
func (l *Loader) RefuseBeside(rows []Row) {
	for _, r := range rows {
		if r.Variable != "" && l.env[r.Variable] != "" && !l.referred[r.Variable] {
			l.Add(r.Variable, Wrong("is set beside a configuration file",
				"unset it and write "+r.Key+" into the file, or do without the file"))
		}
	}
}

// What Kubernetes gives every container for a service called smsbridge, or smsbridge-…, once the
// common start is cut.
//
// Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
var serviceVariable = regexp.MustCompile(
	`^(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_\w+)?)$`)

// Kubernetes reports variables that Kubernetes sets for a service of the family's name.
func Kubernetes(rest string) bool { return serviceVariable.MatchString(rest) }
