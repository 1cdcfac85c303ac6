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
		if i < 0 || l.referred[name] {
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
		const what = "is not a variable of smsbridge"
		if f.Own {
			l.Add(name, Wrong(what, didYouMean(name, known)))
			continue
		}
		if best := closest(name, unset, maxTypos); best != "" && l.env[name] != "" {
			l.Add(name, Wrong(what, "did you mean "+best+"?"))
		}
	}
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
