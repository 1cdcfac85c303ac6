package tenant

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/segment"
)

// What the bridge says by itself costs one segment and misleads nobody.
func TestShippedTexts(t *testing.T) {
	name := strings.Repeat("N", 20)
	tenant := mustTenant(t, "SMSBRIDGE_NAME="+name)
	fill := Fill{Choices: "Reply YES 4821 for " + name + " or YES 7730 for Acme", Count: 2, Code: "4821", Link: linkSample}
	require.Len(t, Sayings(), 23)
	seen := map[string]bool{}
	for _, s := range Sayings() {
		text := tenant.Say(s, fill)
		require.Equal(t, 1, segment.Measure(text).Segments, "%s: %s", s, text)
		require.Nil(t, judgeText(text), text)
		require.NotContains(t, text, "<no value>")
		require.NotContains(t, text, "{{")
		require.False(t, seen[text], "%s says what another saying says", s)
		seen[text] = true
		require.Equal(t, text, (&Tenant{Name: name, Accept: tenant.Accept, Deny: tenant.Deny}).Say(s, fill), "without loading")
	}
	for _, s := range []Saying{NeedsUser, Refused, Unreachable, Unknown, Denied, Late, LinkExpired, Used} {
		for _, word := range []string{"confirmed", "success", "welcome", "thank"} {
			require.NotContains(t, strings.ToLower(tenant.Say(s, fill)), word, s)
		}
	}
	require.Equal(t, "Reply YES if you have just set up an account with "+name+". If not, reply NO.", tenant.Say(AskRegistration, Fill{}))
	require.Equal(t, "Which one? "+fill.Choices+". Reply NO to cancel.", tenant.Say(Several, fill))
	require.Empty(t, tenant.Say("nonsense", Fill{}))
}

func TestParseText(t *testing.T) {
	for _, s := range []string{"plain", "{{.Name}}{{.Answer}}{{.Denial}}{{.Choices}}{{.Count}}", "a {{- .Name -}} b", "{{/* why */}}x", "50% { }"} {
		text, m := parseText(s)
		require.Nil(t, m, s)
		require.NotNil(t, text)
	}
	for _, s := range []string{
		"", "{{.Nope}}", "{{.Name.Nope}}", "{{Name}}", "{{.}}", "{{.Name", "{{printf .Name}}", "{{.Name | printf}}", "{{$x := .Name}}",
		"{{if .Name}}x{{end}}", "{{range .Count}}x{{end}}", `{{define "a"}}x{{end}}`, `{{define "a"}}x{{end}}y`, `{{template "a"}}`,
		`{{block "a" .}}x{{end}}`, "{{len .Name}}", "{{break}}", `{{"x"}}`, "{{1}}",
	} {
		text, m := parseText(s)
		require.NotNil(t, m, s)
		require.Nil(t, text)
		require.NotEmpty(t, m.Hint)
	}
}

// What passes at loading can always be said.
func FuzzParseText(f *testing.F) {
	for _, s := range shippedTexts() {
		f.Add(s)
	}
	f.Add(`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`)
	f.Fuzz(func(t *testing.T, s string) {
		text, m := parseText(s)
		require.Equal(t, text == nil, m != nil)
		if m != nil {
			return
		}
		var b strings.Builder
		require.NoError(t, text.Execute(&b, values{"ACME", "YES", "NO", "Reply YES 1 for ACME", 2, "4821", "LINK"}))
		judgeText(b.String())
	})
}

// A name that passes can be put into any shipped text.
func TestNamesFitTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if strings.TrimSpace(name) == "" || judgeName(name) != nil {
			t.Skip()
		}
		tenant := &Tenant{Name: name, Accept: []string{"YES"}, Deny: []string{"NO"}}
		for _, s := range Sayings() {
			text := tenant.Say(s, Fill{})
			if hasHidden(text) || looksLikeLink(text) || looksLikeBoundCode(text) {
				t.Fatalf("%s: %q", s, text)
			}
		}
	})
}
