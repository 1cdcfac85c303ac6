// Package settings is the engine that reads settings, for every room that has some. It reads them
// from a YAML file and from environment variables, by rows that say what each setting is.
//
// It promises:
//
//   - All mistakes are reported together. Each has its place (variable, or file and line), says
//     what is wrong, and has a hint that says what to do.
//   - What it does not know is refused, with the known name that is closest.
//   - In a file a secret is a reference: env:NAME or file:PATH. No mistake repeats a secret.
//
// It knows no tenant and no provider. The rows of smsbridge are in internal/tenant.
package settings

import "strings"

// Kind says how a setting is written.
type Kind int

// The kinds of settings.
const (
	One          Kind = iota // one word or line
	List                     // a YAML sequence; in a variable, separated by commas
	SecretOne                // one secret
	Secrets                  // several secrets, written as a List is
	NamedSecrets             // secrets by name: a YAML mapping; those of a variable are numbered
	Named                    // values by name: a YAML mapping; in files only
	SecretFile               // the name of a file with a secret in it
	SecretURL                // a URL that may have a password in it
)

// Many reports whether settings of the kind have several values.
func (k Kind) Many() bool { return k == List || k == Secrets || k == NamedSecrets || k == Named }

// Hidden reports whether values of the kind must not be repeated in a mistake.
func (k Kind) Hidden() bool { return k != One && k != List && k != Named }

// Need says whether a setting must be there.
type Need int

// How much a setting is needed.
const (
	Optional Need = iota // it may be left out
	Usual                // most set-ups need it; the room that has it reports when it is missing
	Required             // it is a mistake to leave it out
)

// Row is everything there is to know about one setting but where it is kept. The documents about
// settings are generated from rows.
type Row struct {
	Key      string // in the file: "mailgun.api_key" is api_key in the group mailgun; "" for none
	Variable string // "" when it is in files only
	Kind     Kind
	Need     Need
	Missing  string // the hint when it is missing
	Default  string // as a variable would give it; "" for none
	Example  string // what the documents show, where that is not the default
	Off      bool   // the example file shows it commented out
	Shared   bool   // a secret of an account, which two tenants may have in common
	Ring     bool   // its secret is a list of keys, see [SplitRing]
	Restart  bool   // a change needs a restart: a running process cannot take it up
	Local    bool   // it says where one process is reached: replicas may differ in it
	Doc      string // what it is, in plain words; {key} and {key=value} name other settings
	Prevents string // the failure it prevents, or that follows from a wrong value
}

// Setter puts the values of one setting where they belong, or says what is wrong with them. It
// changes nothing then.
type Setter[T any] func(target *T, items []string) *Mistake

// Option is one setting of a T.
type Option[T any] struct {
	Row
	Set Setter[T]
}

// Rows returns the rows of options.
func Rows[T any](options []Option[T]) []Row {
	var all []Row
	for _, o := range options {
		all = append(all, o.Row)
	}
	return all
}

// Section is the settings of one matter, in the order in which the documents show them.
type Section struct {
	Title string // "Mailgun"
	Doc   string // what its settings have in common; "" for nothing
	Rows  []Row
}

// Items returns the values that a row's text stands for, as a variable would give them.
func (r Row) Items(text string) []string {
	if r.Kind.Many() {
		return splitList(text)
	}
	return []string{strings.TrimSpace(text)}
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

func find(rows []Row, key string) (Row, bool) {
	for _, r := range rows {
		if r.Key == key && key != "" {
			return r, true
		}
	}
	return Row{}, false
}

// keysBelow returns the keys that start with the group's name; of all, for "".
func keysBelow(rows []Row, group string) []string {
	var keys []string
	for _, r := range rows {
		if r.Key != "" && strings.HasPrefix(r.Key, group) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

func isGroup(rows []Row, key string) bool { return len(keysBelow(rows, key+".")) > 0 }
