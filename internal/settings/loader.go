package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// value is one setting as it was written.
type value struct {
	where  string   // for a Mistake
	items  []string // a scalar has one; none when it has been reported
	joined bool     // it is a list, and in a file one value with a comma in it
}

// Given is the settings of one T as they were written. The zero value has none.
type Given struct {
	values map[string]value
	place  func(key string) string
}

// Has reports whether the setting was written, rightly or wrongly.
func (g Given) Has(key string) bool {
	_, ok := g.values[key]
	return ok
}

// Place says where a setting is or, when it is missing, should be: for a [Mistake].
func (g Given) Place(key string) string {
	if v, ok := g.values[key]; ok {
		return v.where
	}
	return g.place(key)
}

// Loader collects what is found while settings are read.
type Loader struct {
	env      map[string]string
	referred map[string]bool // variables that the file refers to
	mistakes Mistakes
	warnings []string
}

// NewLoader returns a Loader that knows the variables, given as [os.Environ] returns them.
func NewLoader(environ []string) *Loader {
	l := &Loader{env: map[string]string{}, referred: map[string]bool{}}
	for _, variable := range environ {
		if name, v, ok := strings.Cut(variable, "="); ok {
			l.env[name] = v
		}
	}
	return l
}

// IsSet reports whether the environment has a variable that is not empty.
func (l *Loader) IsSet(variable string) bool { return l.env[variable] != "" }

// Mistakes returns what was reported so far.
func (l *Loader) Mistakes() Mistakes { return l.mistakes }

// Warnings returns what was warned about so far.
func (l *Loader) Warnings() []string { return l.warnings }

// Add reports a mistake at a place.
func (l *Loader) Add(where string, m *Mistake) {
	l.mistakes = append(l.mistakes, Mistake{where, m.What, m.Hint})
}

// Warn notes what is allowed and yet unsafe, as [fmt.Sprintf] does.
func (l *Loader) Warn(format string, args ...any) {
	l.warnings = append(l.warnings, fmt.Sprintf(format, args...))
}

// Fill sets the defaults and then what was given, and reports what is missing or wrong. What was
// given without items has been reported before.
func Fill[T any](l *Loader, target *T, options []Option[T], given Given) {
	for _, o := range options {
		if o.Default != "" {
			_ = o.Set(target, o.Items(o.Default)) // a test of the room proves that it is accepted
		}
		v, ok := given.values[o.Key]
		if !ok && o.Need == Required {
			l.Add(given.Place(o.Key), Wrong("is missing", o.Missing))
		}
		if len(v.items) == 0 {
			continue
		}
		if !o.Kind.Hidden() && slices.ContainsFunc(v.items, isReference) {
			l.Add(v.where, Wrong("refers to a variable or a file, which only a secret may",
				"write the value itself"))
			continue
		}
		m := o.Set(target, v.items)
		if m == nil && v.joined {
			m = Wrong("is one value with a comma in it", "write a list of values: [a, b]")
		}
		if m != nil {
			l.Add(v.where, m)
		}
	}
}

// reference is how a secret is referred to. People write it elsewhere, too, and a name or an access
// key would be taken as it stands.
var reference = regexp.MustCompile(`^(?:[^=]+=)?(?:env:\w+|file:\S+)$`)

func isReference(item string) bool { return reference.MatchString(item) }

// Variables returns the settings that are given by variables. An empty variable counts as not set,
// as container tools cannot unset one.
func (l *Loader) Variables(rows []Row) Given {
	given := map[string]value{}
	for _, r := range rows {
		items := r.Items(l.env[r.Variable])
		if r.Variable == "" || r.Key == "" || len(items) == 0 || items[0] == "" {
			continue
		}
		if m := kept(l.env[r.Variable], r.Kind); m != nil {
			l.Add(r.Variable, m)
			given[r.Key] = value{where: r.Variable}
			continue
		}
		if r.Kind == NamedSecrets {
			for i := range items {
				items[i] = fmt.Sprintf("key-%d=%s", i+1, items[i])
			}
		}
		given[r.Key] = value{r.Variable, l.reveal(source{r.Variable, "", true}, r.Kind, items), false}
	}
	return Given{given, func(key string) string {
		if r, ok := find(rows, key); ok && r.Variable != "" {
			return r.Variable
		}
		return key
	}}
}

// Join returns what a file and variables give together, and reports what both do. What is missing
// has its place in the variables.
func (l *Loader) Join(file, variables Given) Given {
	all := map[string]value{}
	for key, v := range variables.values {
		all[key] = v
	}
	for key, v := range file.values {
		if other, twice := variables.values[key]; twice {
			l.Add(v.where, Wrong("is also set by "+other.where, "keep one of the two"))
		}
		all[key] = v
	}
	return Given{all, variables.place}
}

// source is where a setting was found.
type source struct {
	where string // for a Mistake
	dir   string // what file: references are relative to
	plain bool   // secrets may be written out: in variables, not in files, which get copied about
}

// A reference leads to one secret. Two of them with a comma between would be one that fits nowhere.
const severalHint = "give each a variable or a file of its own, and list the references: " +
	"env:NEW and env:OLD, with a comma between or as a list"

// reveal replaces references to secrets by the secrets. When it cannot replace one it reports that
// and returns nothing. A named one is "name=reference".
func (l *Loader) reveal(from source, k Kind, items []string) []string {
	if !k.Hidden() {
		return items
	}
	var revealed []string
	for _, item := range items {
		if k == SecretFile {
			item = "file:" + item
		}
		label := ""
		if k == NamedSecrets {
			name, reference, _ := strings.Cut(item, "=")
			label, item = name+"=", reference
		}
		text, m := l.lookUp(from, k, item)
		if m == nil && k == Secrets && strings.ContainsAny(text, ",\n") {
			m = Wrong("has several secrets in the place of one", severalHint)
		}
		if m != nil {
			l.Add(from.where, m)
			return nil
		}
		revealed = append(revealed, label+text)
	}
	return revealed
}

// lookUp returns the secret that a reference leads to, or the text itself where it may be the
// secret.
func (l *Loader) lookUp(from source, k Kind, item string) (string, *Mistake) {
	scheme, name, _ := strings.Cut(item, ":")
	switch {
	case (scheme == "env" || scheme == "file") && name != strings.TrimSpace(name):
		return "", Wrong("has a blank behind "+scheme+":", "write "+scheme+": and the rest in one word")
	case scheme == "env":
		l.referred[name] = true
		if text := strings.TrimSpace(l.env[name]); text != "" {
			return text, nil
		}
		return "", Wrong("refers to a variable that is not set", "set the variable, or use file:PATH")
	case scheme == "file":
		return readSecret(from.dir, name)
	case !from.plain && (k != SecretURL || hasPassword(item)):
		return "", Wrong("has a secret written out",
			"write env:NAME or file:PATH, so that the file can be shown and shared")
	}
	return item, nil
}

// hasPassword reports whether a database URL contains a password, or may: the user's, or that of
// the key of its certificate.
//
// Source: https://www.postgresql.org/docs/current/libpq-connect.html (sslpassword)
func hasPassword(s string) bool {
	if strings.HasPrefix(s, "sqlite:") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return true
	}
	_, set := u.User.Password()
	return set || u.Query().Has("password") || u.Query().Has("sslpassword")
}

// maxSecretFile, in bytes, is far beyond any key or token.
const maxSecretFile = 64 << 10

func readSecret(dir, path string) (string, *Mistake) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	text, err := ReadLimited(path, maxSecretFile)
	if err != nil {
		return "", Wrong("refers to a file that cannot be read", unreadable(path, err))
	}
	secret := strings.TrimSpace(string(text))
	if assignment().MatchString(secret) {
		return "", Wrong("refers to a file that has a name and = before the secret",
			"write the secret alone into the file")
	}
	if secret == "" {
		return "", Wrong("refers to an empty file",
			"write the secret into it, or remove the setting")
	}
	return secret, nil
}

// The start of a line of variables. No provider's secret has it: = ends the last block of base64.
// It is made with first use, as most secrets are in variables.
var assignment = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:export )?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+=.`)
})

// unreadable says what to do about a file that cannot be read.
func unreadable(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.Contains("/"+path, "/~"):
		return "write the whole path instead of ~, which only a shell knows: " + path
	case errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(path):
		return "there is no " + path + " in the folder that smsbridge was started in: make the file, " +
			"or correct the path"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no " + path + ": make the file, or correct the path"
	case errors.Is(err, fs.ErrPermission):
		return "let the user that smsbridge runs as read " + path
	case errors.Is(err, syscall.EISDIR):
		return path + " is a folder: add the name of the file in it"
	}
	return err.Error()
}

// ReadLimited reads a file of at most limit bytes.
func ReadLimited(path string, limit int64) ([]byte, error) {
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
