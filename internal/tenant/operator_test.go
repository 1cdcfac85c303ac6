//go:build !race

package tenant

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the entry that the command prints lets its operator in, and no other password.
func TestHashPassword(t *testing.T) {
	const password = "correct horse battery"
	entry, m := HashPassword("anna", Act, password, DrawnCost)
	require.Nil(t, m)
	require.NotRegexp(t, "[$\"'` ,]", entry, "no shell and no Compose changes it")
	require.NotContains(t, entry, "horse")
	read := func(written string) Operator {
		s, err := FromEnv(oneTenant("SMSBRIDGE_OPERATOR_ADDR=127.0.0.1:8090",
			"SMSBRIDGE_OPERATORS="+written))
		require.NoError(t, err)
		return s.Operator
	}
	o := read(entry)
	l, fits := o.Fits("anna", password)
	require.True(t, fits)
	require.Equal(t, Act, l.Role)
	require.Equal(t, o, read("anna:act:$"+strings.ReplaceAll(entry[9:], ":", "$")),
		"as bcrypt writes it")
	for name, wrong := range map[string]string{"anna": password + "x", "otto": password} {
		_, fits = o.Fits(name, wrong)
		require.False(t, fits, name)
	}
	for name, wrong := range map[string]string{"anna": "short", "": password, "a:b": password,
		"otto": strings.Repeat("x", 73)} {
		_, m := HashPassword(name, Act, wrong, DrawnCost)
		require.NotNil(t, m, name)
		require.NotEmpty(t, m.Hint)
	}
	_, fits = Operator{}.Fits("anna", "")
	require.False(t, fits)
}

// Ensure that a change of the password or of the role is noticed.
func TestProof(t *testing.T) {
	one, m := readLogin(loginOf("anna", "see", "12"))
	require.Nil(t, m)
	two, m := readLogin(loginOf("anna", "act", "12"))
	require.Nil(t, m)
	require.NotEqual(t, one.Proof(), two.Proof())
}

// loginOf is an entry with a hash of no password that is known.
func loginOf(name, role, cost string) string {
	return name + ":" + role + ":2a:" + cost + ":" + strings.Repeat("N9qo8uLOickgx2ZMRZoMy.", 3)[:53]
}

// Ensure that settings of the pages that do not fit together are told.
func TestOperatorMistakes(t *testing.T) {
	const on = "SMSBRIDGE_OPERATOR_ADDR=127.0.0.1:8090"
	anna := loginOf("anna", "act", "12")
	for _, tt := range []struct {
		what, hint string
		given      []string
	}{
		{"not an address to listen on", "8090", []string{"SMSBRIDGE_OPERATOR_ADDR=8090"}},
		{"no operator can log in", "operator hash", []string{on}},
		{"is missing beside the other", "8090", []string{"SMSBRIDGE_OPERATORS=" + anna}},
		{"no hash of a password", "operator hash anna", []string{on, "SMSBRIDGE_OPERATORS=anna:act"}},
		{"no hash of a password", "operator hash anna", []string{on,
			"SMSBRIDGE_OPERATORS=anna:act:secret-words-in-plain"}},
		{"without a role", "--role act", []string{on,
			"SMSBRIDGE_OPERATORS=" + loginOf("anna", "boss", "12")}},
		{"without a role", "--role act", []string{on,
			"SMSBRIDGE_OPERATORS=anna:secret-words-in-plain"}},
		{"without a role", "--role act", []string{on, "SMSBRIDGE_OPERATORS=secret-words-in-plain"}},
		{"without a role", "--role act", []string{on,
			"SMSBRIDGE_OPERATORS=anna:$2y$12$secret-words-as-a-hash"}},
		{"without a name", "anna:act", []string{on, "SMSBRIDGE_OPERATORS=" + loginOf("", "act", "12")}},
		{"has a hash of cost 4", "operator hash", []string{on,
			"SMSBRIDGE_OPERATORS=" + loginOf("anna", "act", "04")}},
		{`has "anna" twice`, "keep one", []string{on, "SMSBRIDGE_OPERATORS=" + anna + "," +
			loginOf("anna", "see", "12")}},
		{"cost differently", "all entries", []string{on, "SMSBRIDGE_OPERATORS=" + anna + "," +
			loginOf("otto", "see", "11")}},
		{"not on the loopback", "https", []string{"SMSBRIDGE_OPERATOR_ADDR=:8090",
			"SMSBRIDGE_OPERATORS=" + anna}},
		{"where the bridge itself listens", "another port", []string{on, "SMSBRIDGE_ADDR=127.0.0.1:8090",
			"SMSBRIDGE_OPERATORS=" + anna}},
		{"where the Flowroute door", "another port", []string{on, "SMSBRIDGE_OPERATORS=" + anna,
			"SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8090"}},
		{"plain http", "https", []string{on, "SMSBRIDGE_OPERATORS=" + anna,
			"SMSBRIDGE_OPERATOR_URL=http://ops.acme.example"}},
		{"has a path", "host alone", []string{on, "SMSBRIDGE_OPERATORS=" + anna,
			"SMSBRIDGE_OPERATOR_URL=https://ops.acme.example/x"}},
		{"not the name of a header", "X-Forwarded-User", []string{on,
			"SMSBRIDGE_OPERATOR_HEADER=X User"}},
		{"is missing beside the header", "127.0.0.1/32", []string{on,
			"SMSBRIDGE_OPERATOR_HEADER=X-User"}},
		{"is missing beside the header", "*:see", []string{on, "SMSBRIDGE_OPERATOR_HEADER=X-User",
			"SMSBRIDGE_OPERATOR_PROXIES=127.0.0.1/32"}},
		{"is missing beside the proxy's", "header", []string{on, "SMSBRIDGE_OPERATORS=" + anna,
			"SMSBRIDGE_OPERATOR_PEOPLE=*:see"}},
		{`has "x" twice`, "keep one", []string{on, "SMSBRIDGE_OPERATOR_HEADER=X-User",
			"SMSBRIDGE_OPERATOR_PROXIES=127.0.0.1/32", "SMSBRIDGE_OPERATOR_PEOPLE=x:see,x:act"}},
		{`"anna" has no role`, ":see", []string{on, "SMSBRIDGE_OPERATOR_HEADER=X-User",
			"SMSBRIDGE_OPERATOR_PROXIES=127.0.0.1/32", "SMSBRIDGE_OPERATOR_PEOPLE=anna"}},
		{`"all" is not see or act`, "one of these", []string{on, "SMSBRIDGE_OPERATOR_HEADER=X-User",
			"SMSBRIDGE_OPERATOR_PROXIES=127.0.0.1/32", "SMSBRIDGE_OPERATOR_PEOPLE=*:all"}},
	} {
		_, err := FromEnv(oneTenant(tt.given...))
		mistakes := mistakesOf(t, err)
		require.Len(t, mistakes, 1, "%v", tt.given)
		require.Contains(t, mistakes[0].What, tt.what, "%v", tt.given)
		require.Contains(t, mistakes[0].Hint, tt.hint, "%v", tt.given)
		require.NotContains(t, mistakes[0].What+mistakes[0].Hint, "secret-words", "it is repeated")
	}
}

// Ensure that the address of the pages is what browsers send of it, however it is written.
// Requests to every other host are refused.
func TestOperatorURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://ops.acme.example:443/": "https://ops.acme.example",
		"HTTPS://Ops.acme.example":      "https://ops.acme.example",
		"https://ops.acme.example:8443": "https://ops.acme.example:8443",
		"https://ops.acme.example:80":   "https://ops.acme.example:80",
		"http://127.0.0.1:80":           "http://127.0.0.1",
		"http://[::1]:443":              "http://[::1]:443",
	} {
		s, err := FromEnv(oneTenant("SMSBRIDGE_OPERATOR_ADDR=127.0.0.1:8090",
			"SMSBRIDGE_OPERATORS="+loginOf("anna", "act", "12"), "SMSBRIDGE_OPERATOR_URL="+given))
		require.NoError(t, err, given)
		require.Equal(t, want, s.Operator.URL, given)
	}
}

// Ensure that the proxy's people have the roles that the settings say.
func TestRoleOf(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_OPERATOR_ADDR=127.0.0.1:8090",
		"SMSBRIDGE_OPERATOR_HEADER=x-forwarded-user", "SMSBRIDGE_OPERATOR_PROXIES=127.0.0.1/32",
		"SMSBRIDGE_OPERATOR_PEOPLE=anna@acme.example:act"))
	require.NoError(t, err)
	require.Equal(t, "X-Forwarded-User", s.Operator.Header)
	role, known := s.Operator.RoleOf("anna@acme.example")
	require.True(t, known)
	require.Equal(t, Act, role)
	_, known = s.Operator.RoleOf("otto")
	require.False(t, known)
	s.Operator.People[anyPerson] = See
	role, known = s.Operator.RoleOf("otto")
	require.True(t, known)
	require.Equal(t, See, role)
}
