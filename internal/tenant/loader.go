package tenant

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// value is one setting as it was written.
type value struct {
	where string   // for a Mistake
	items []string // a scalar has one
}

// placer says where a setting is or, when it is missing, should be.
type placer func(key string) string

// kind says how a setting is written.
type kind int

const (
	one          kind = iota // one word or line
	list                     // a YAML sequence, or separated by commas
	secret                   // one secret
	secrets                  // several
	namedSecrets             // several, each with a name: a YAML mapping; separated by commas, they are numbered
	named                    // several, each with a name: a YAML mapping; in files only
	secretFile               // the name of a file with a secret in it
	secretURL                // a URL that may have a password in it
)

// many reports whether settings of the kind have several values.
func (k kind) many() bool { return k == list || k == secrets || k == namedSecrets || k == named }

// option is one setting of a T: the settings themselves, or one tenant.
type option[T any] struct {
	key      string // in the file, "mailgun.api_key"
	variable string // "" when it is in files only
	kind     kind
	missing  string // the hint when it is missing; "" when it may be
	set      func(target *T, items []string) *Mistake
}

// entry is the part of an option that does not depend on its target.
type entry struct {
	key, variable string
	kind          kind
}

// entries returns the parts of options that do not depend on their target.
func entries[T any](options []option[T]) []entry {
	var all []entry
	for _, o := range options {
		all = append(all, entry{o.key, o.variable, o.kind})
	}
	return all
}

// variablePlace places a setting at its variable.
func variablePlace[T any](options []option[T]) placer {
	return func(key string) string {
		for _, o := range options {
			if o.key == key && o.variable != "" {
				return o.variable
			}
		}
		return key
	}
}

// loader collects what is found while the settings are read.
type loader struct {
	env      map[string]string
	referred map[string]bool // variables that the file refers to
	places   map[*Tenant]placer
	mistakes Mistakes
	warnings []string
}

func newLoader(environ []string) *loader {
	l := &loader{env: map[string]string{}, referred: map[string]bool{}, places: map[*Tenant]placer{}}
	for _, variable := range environ {
		if name, v, ok := strings.Cut(variable, "="); ok {
			l.env[name] = v
		}
	}
	return l
}

func (l *loader) add(where string, m *Mistake) {
	l.mistakes = append(l.mistakes, Mistake{where, m.What, m.Hint})
}

func (l *loader) warn(format string, args ...any) {
	l.warnings = append(l.warnings, fmt.Sprintf(format, args...))
}

// fill sets what was given, and reports what is missing or wrong. What was given
// without items has been reported before.
func fill[T any](l *loader, target *T, options []option[T], given map[string]value, place placer) {
	for _, o := range options {
		v, ok := given[o.key]
		if !ok && o.missing != "" {
			l.add(place(o.key), wrong("is missing", o.missing))
		}
		if len(v.items) == 0 {
			continue
		}
		if m := o.set(target, v.items); m != nil {
			l.add(v.where, m)
		}
	}
}

// fromVariables returns the settings that are given by variables. An empty
// variable counts as not set, as container tools cannot unset one.
func (l *loader) fromVariables(options []entry) map[string]value {
	given := map[string]value{}
	for _, o := range options {
		items := []string{strings.TrimSpace(l.env[o.variable])}
		if o.kind.many() {
			items = splitList(items[0])
		}
		if o.variable == "" || len(items) == 0 || items[0] == "" {
			continue
		}
		if o.kind == namedSecrets {
			for i := range items {
				items[i] = fmt.Sprintf("key-%d=%s", i+1, items[i])
			}
		}
		given[o.key] = value{o.variable, l.reveal(source{o.variable, "", true}, o.kind, items)}
	}
	return given
}

func splitList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// source is where a setting was found.
type source struct {
	where string // for a Mistake
	dir   string // what file: references are relative to
	plain bool   // secrets may be written out: in variables, not in files that get copied about
}

// reveal replaces references to secrets by the secrets, and returns nothing
// after reporting one that it cannot replace. A named one is "name=reference".
func (l *loader) reveal(from source, k kind, items []string) []string {
	if k == one || k == list || k == named {
		return items
	}
	var revealed []string
	for _, item := range items {
		if k == secretFile {
			item = "file:" + item
		}
		label := ""
		if k == namedSecrets {
			name, reference, _ := strings.Cut(item, "=")
			label, item = name+"=", reference
		}
		text, m := item, (*Mistake)(nil)
		scheme, name, _ := strings.Cut(item, ":")
		switch {
		case scheme == "env":
			l.referred[name] = true
			if text = strings.TrimSpace(l.env[name]); text == "" {
				m = wrong("refers to a variable that is not set", "set the variable, or use file:PATH")
			}
		case scheme == "file":
			text, m = readSecret(from.dir, name)
		case !from.plain && (k != secretURL || hasPassword(item)):
			m = wrong("has a secret written out", "write env:NAME or file:PATH, so that the file can be shown and shared")
		}
		if m != nil {
			l.add(from.where, m)
			return nil
		}
		revealed = append(revealed, label+text)
	}
	return revealed
}

// hasPassword reports whether a database URL contains a password, or may.
func hasPassword(s string) bool {
	if strings.HasPrefix(s, "sqlite:") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return true
	}
	_, set := u.User.Password()
	return set || u.Query().Has("password")
}

// maxSecretFile is far beyond any key or token.
const maxSecretFile = 64 << 10

func readSecret(dir, path string) (string, *Mistake) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	text, err := readLimited(path, maxSecretFile)
	if err != nil {
		return "", wrong("refers to a file that cannot be read", err.Error())
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", wrong("refers to an empty file", "write the secret into it, or remove the setting")
	}
	return secret, nil
}

// readLimited reads a file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return text, err
}

const ourVariables = "SMSBRIDGE_"

// refuseUnknownVariables reports variables that start as ours do but are not.
func (l *loader) refuseUnknownVariables() {
	var names []string
	for _, o := range append(entries(processOptions()), entries(tenantOptions())...) {
		if strings.HasPrefix(o.variable, ourVariables) {
			names = append(names, o.variable)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		if rest, ours := strings.CutPrefix(name, ourVariables); ours && !slices.Contains(names, name) && !l.referred[name] && !foreign(rest) {
			l.add(name, wrong("is not a variable of smsbridge", didYouMean(name, names)))
		}
	}
}

// What Kubernetes gives every container for a service called smsbridge, or
// smsbridge-…, once the common start is cut.
//
// Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
var serviceVariable = regexp.MustCompile(`^(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_\w+)?)$`)

// foreign reports variables that others set or read: Kubernetes, our tests
// (TEST_…), and the command line (CONFIG and LOG_LEVEL).
func foreign(rest string) bool {
	return rest == "CONFIG" || rest == "LOG_LEVEL" || strings.HasPrefix(rest, "TEST_") || serviceVariable.MatchString(rest)
}

// refuseTenantVariables reports tenant variables beside a file, where they would
// be ignored.
func (l *loader) refuseTenantVariables() {
	for _, o := range entries(tenantOptions()) {
		if o.variable != "" && l.env[o.variable] != "" && !l.referred[o.variable] {
			l.add(o.variable, wrong("is set beside a configuration file", "unset it and write "+o.key+" into the file, or do without the file"))
		}
	}
}
