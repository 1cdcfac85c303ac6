package tenant

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"smsbridge/internal/settings"
)

// Operator is how the pages for operators are reached, and by whom.
type Operator struct {
	// Addr is where the pages listen; "" for no pages.
	Addr string
	// URL is the address at which browsers reach them, "" for that of the listener.
	URL string
	// Logins are the operators who log in with a password. All hashes cost the same.
	Logins []Login
	// Header has the name of the operator in requests of a proxy, "" for none.
	Header string
	// Proxies are the networks in which that proxy is.
	Proxies []netip.Prefix
	// People says what those may do whom the proxy names. "*" stands for all others.
	People map[string]Role
}

// Role is what an operator may do.
type Role string

// The roles.
const (
	See Role = "see" // looks at the pages, with masked numbers
	Act Role = "act" // may do all that the pages offer
)

// Login is an operator with a password.
type Login struct {
	Name string
	Role Role
	hash settings.Secret
}

// Proof is the same as long as the operator's password and role are. It tells neither.
func (l Login) Proof() string { return string(l.Role) + l.hash.Reveal() }

// RoleOf returns what a person may do whom the proxy names.
func (o Operator) RoleOf(name string) (Role, bool) {
	if role, ok := o.People[name]; ok {
		return role, true
	}
	role, ok := o.People[anyPerson]
	return role, ok
}

// Login returns the operator of that name who has a password.
func (o Operator) Login(name string) (Login, bool) {
	for _, l := range o.Logins {
		if l.Name == name {
			return l, true
		}
	}
	return Login{}, false
}

// Fits reports whether a password is that of the operator of that name. It takes as long for a name
// that there is not.
func (o Operator) Fits(name, password string) (Login, bool) {
	if len(o.Logins) == 0 {
		return Login{}, false
	}
	l, known := o.Login(name)
	compared := l
	if !known {
		compared = o.Logins[0]
	}
	err := bcrypt.CompareHashAndPassword([]byte(compared.hash.Reveal()), []byte(password))
	return l, known && err == nil
}

// What one guess at a password costs, as bcrypt counts it.
const (
	// ChosenCost is for a password that a person chose: a quarter of a second of a processor.
	ChosenCost = 12
	// DrawnCost is for a password that was drawn, which no guess finds. It is the least that the
	// settings take.
	DrawnCost = 10
	mostCost  = 14
)

const (
	anyPerson = "*"
	// leastPassword is the fewest characters of a password.
	leastPassword = 12
	mostName      = 64
)

// HashPassword returns the entry of an operator for the settings, or says what is wrong with the
// name or the password. The cost is ChosenCost or DrawnCost. No character of the entry means
// anything to a shell, Docker or Compose.
func HashPassword(name string, role Role, password string, cost int) (string, *settings.Mistake) {
	if m := judgeOperator(name, role); m != nil {
		return "", m
	}
	if len([]rune(password)) < leastPassword {
		return "", settings.Wrong(fmt.Sprintf("the password has fewer than %d characters", leastPassword),
			"take several words, or let a password manager make one")
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil { // bcrypt refuses nothing else
		return "", settings.Wrong("the password has more than 72 bytes", "take a shorter one")
	}
	return name + ":" + string(role) + ":" + strings.ReplaceAll(string(hash[1:]), "$", ":"), nil
}

// readLogin reads an entry, or says what is wrong with it. It repeats nothing of the hash.
func readLogin(entry string) (Login, *settings.Mistake) {
	name, rest, _ := strings.Cut(entry, ":")
	role, hash, _ := strings.Cut(rest, ":")
	if Role(role) != See && Role(role) != Act {
		// Where the role was forgotten, a hash or a password stands in its place.
		return Login{}, settings.Wrong("has an entry without a role", "write name:see:hash or "+
			"name:act:hash, as smsbridge operator hash NAME --role act prints it")
	}
	if m := judgeOperator(name, Role(role)); m != nil {
		return Login{}, m
	}
	if !strings.HasPrefix(hash, "$") {
		hash = "$" + strings.ReplaceAll(hash, ":", "$")
	}
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil || len(hash) != 60:
		return Login{}, settings.Wrong("has no hash of a password for "+settings.Quote(name),
			"make the entry with: smsbridge operator hash "+name+" --role "+role)
	case cost < DrawnCost || cost > mostCost:
		return Login{}, settings.Wrong(fmt.Sprintf("has a hash of cost %d for %s", cost,
			settings.Quote(name)), "make the entry with: smsbridge operator hash "+name)
	}
	return Login{name, Role(role), settings.NewSecret(hash)}, nil
}

func judgeOperator(name string, role Role) *settings.Mistake {
	bad := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`:,"'<>*`, r) }
	if name == "" || len(name) > mostName || strings.ContainsFunc(name, bad) {
		return settings.Wrong("has an entry without a name that can be used",
			"write name:role, such as anna:act; a name has letters, digits and . _ @ -")
	}
	return settings.JudgeChoice(role, See, Act)
}

func setLogins(s *Settings, v []string) *settings.Mistake {
	var all []Login
	for _, entry := range v {
		l, m := readLogin(entry)
		if m != nil {
			return m
		}
		for _, other := range all {
			if other.Name == l.Name {
				return settings.Wrong("has "+settings.Quote(l.Name)+" twice", "keep one of the two")
			}
		}
		all = append(all, l)
	}
	if !sameCost(all) {
		return settings.Wrong("has hashes that cost differently: that tells which names there are",
			"make all entries with: smsbridge operator hash NAME")
	}
	s.Operator.Logins = all
	return nil
}

func sameCost(all []Login) bool {
	for _, l := range all {
		if l.cost() != all[0].cost() {
			return false
		}
	}
	return true
}

// cost is the cost of the operator's hash, which is known to be one.
func (l Login) cost() int {
	cost, _ := bcrypt.Cost([]byte(l.hash.Reveal()))
	return cost
}

func setPeople(s *Settings, v []string) *settings.Mistake {
	all := map[string]Role{}
	for _, entry := range v {
		name, role, hasRole := strings.Cut(entry, ":")
		if !hasRole {
			return settings.Wrong(settings.Quote(entry)+" has no role",
				"write the name and what its person may do: anna@acme.example:see, or :act")
		}
		m := settings.JudgeChoice(Role(role), See, Act)
		if name != anyPerson {
			m = judgeOperator(name, Role(role))
		}
		if m != nil {
			return m
		}
		if _, twice := all[name]; twice {
			return settings.Wrong("has "+settings.Quote(name)+" twice", "keep one of the two")
		}
		all[name] = Role(role)
	}
	s.Operator.People = all
	return nil
}
