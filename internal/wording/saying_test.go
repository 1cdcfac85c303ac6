//go:build !race

package wording

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/segment"
)

// What the bridge says by itself costs one segment and misleads no reader.
func TestShippedTexts(t *testing.T) {
	name := strings.Repeat("N", 22)
	fields := Fields{
		Name: name, Answer: "YES", Denial: "NO", Count: 2, Code: "4821", Link: SampleLink,
		Contact: SampleContact,
		Choices: "YES 4821 " + Choice(name, false) + ", YES 7730 " + Choice(name, false),
	}
	require.Len(t, Sayings(), 28)
	seen := map[string]bool{}
	for _, s := range Sayings() {
		text := Texts{}.Say(s, fields)
		require.Equal(t, 1, segment.Measure(text).Segments, "%s: %s", s, text)
		require.Nil(t, Judge(text), text)
		require.NotContains(t, text, "<no value>")
		require.NotContains(t, text, "{{")
		require.NotEmpty(t, s.When())
		require.False(t, seen[text], "%s says what another saying says", s)
		seen[text] = true
		fields.Code = SampleCode
		require.Nil(t, JudgeSaying(s, Texts(nil).Say(s, fields)), s)
		fields.Code = "4821"
	}
	for _, s := range []Saying{
		NeedsUser, Refused, Unreachable, Unknown, Denied, Late, LinkExpired, Used, RelayVerify,
	} {
		for _, word := range []string{"confirmed", "success", "welcome", "thank"} {
			require.NotContains(t, strings.ToLower(Texts{}.Say(s, fields)), word, s)
		}
	}
	require.Equal(t, "Reply YES if you have just set up an account with "+name+
		". If not, reply NO.", Texts{}.Say(AskRegistration, fields))
	require.Equal(t, "Which one? "+fields.Choices+". Reply NO to cancel.",
		Texts{}.Say(Several, fields))
	require.Empty(t, Texts{}.Say("nonsense", fields))
}

// A tenant's own text is said instead of the shipped one, with every field.
func TestOwnTexts(t *testing.T) {
	text, fault := ParseSaying("{{.Name}}|{{.Answer}}|{{.Denial}}|{{.Choices}}|{{.Count}}|" +
		"{{.Code}}|{{.Link}}|{{.Contact}}")
	require.Nil(t, fault)
	fields := Fields{"ACME", "JA", "NEJ", "this or that", 7, "4821", "LINK", "IT"}
	texts := Texts{Wrong: text}
	require.Equal(t, "ACME|JA|NEJ|this or that|7|4821|LINK|IT", texts.Say(Wrong, fields))
	require.Equal(t, "ACME: OK, nothing was changed.", texts.Say(Denied, fields))
}

func TestParseSaying(t *testing.T) {
	for s, want := range map[string]string{
		"plain": "plain",
		"{{.Name}}{{.Answer}}{{.Denial}}{{.Choices}}{{.Count}}": "ACMEYESNOC2",
		"a {{- .Name -}} b": "aACMEb",
		"{{/* why */}}x":    "x",
		"50% { }":           "50% { }",
	} {
		text, fault := ParseSaying(s)
		require.Nil(t, fault, s)
		require.False(t, text.IsZero())
		require.Equal(t, want, text.Fill(Fields{"ACME", "YES", "NO", "C", 2, "", "", ""}))
	}
	for _, s := range []string{
		"", "{{.Nope}}", "{{.Name.Nope}}", "{{Name}}", "{{.}}", "{{.Name", "{{printf .Name}}",
		"{{.Name | printf}}", "{{$x := .Name}}", "{{if .Name}}x{{end}}", "{{range .Count}}x{{end}}",
		`{{define "a"}}x{{end}}`, `{{define "a"}}x{{end}}y`, `{{template "a"}}`,
		`{{block "a" .}}x{{end}}`, "{{len .Name}}", "{{break}}", `{{"x"}}`, "{{1}}",
	} {
		text, fault := ParseSaying(s)
		require.NotNil(t, fault, s)
		require.True(t, text.IsZero())
		require.NotEmpty(t, fault.Hint)
	}
}

// What passes at loading can always be said, and fields are filled once: what a field brings is
// never read as a template.
func FuzzParseSaying(f *testing.F) {
	for _, s := range Sayings() {
		f.Add(s.Shipped())
	}
	f.Add(`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`)
	f.Fuzz(func(t *testing.T, s string) {
		text, fault := ParseSaying(s)
		require.Equal(t, text.IsZero(), fault != nil)
		if fault != nil {
			return
		}
		filled := text.Fill(Fields{"{{.Code}}", "YES", "NO", "YES 1 for ACME", 2, "4821", "LINK",
			"CONTACT"})
		for _, p := range text.parts {
			if p.field == "Name" {
				require.Contains(t, filled, "{{.Code}}")
			}
		}
		Judge(filled)
	})
}

// A name that passes can be put into any shipped text.
func TestNamesFitTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if strings.TrimSpace(name) == "" || JudgeName(name) != nil {
			t.Skip()
		}
		for _, s := range Sayings() {
			text := Texts{}.Say(s, Fields{Name: name, Answer: "YES", Denial: "NO"})
			if hasHidden(text) || looksLikeLink(text) || looksLikeBoundCode(text) {
				t.Fatalf("%s: %q", s, text)
			}
		}
	})
}

// Carriers' words are known in any case and width, and however their accents are written.
func TestKeywordOf(t *testing.T) {
	for want, words := range map[Keyword][]string{
		StopKeyword: {
			"STOP", "stop", "StopAll", "UNSUBSCRIBE", "cancel", "END", "quit", "REVOKE", "optout",
			"arret", "ARRET", "arrêt", "ARRÊT", "arre\u0302t", "ARRE\u0302T", "ＳＴＯＰ",
		},
		StartKeyword: {"START", "unstop"},
		HelpKeyword:  {"HELP", "Info"},
		NoKeyword:    {"", "YES", "Y", "stops", "arrét", "arr", "s top", "OUI"},
	} {
		for _, word := range words {
			require.Equal(t, want, KeywordOf(word), "%q", word)
		}
	}
}

func TestCodeLocales(t *testing.T) {
	require.Len(t, CodeLocales(), 10)
	english := ShippedCode()
	require.Equal(t, english, ShippedCode("", "nonsense"))
	require.Equal(t, ShippedCode("da"), ShippedCode("nonsense", "da", "sv"))
	require.NotEqual(t, english, ShippedCode("da"))
	require.Equal(t, "0042\nWelcome to ACME! Use this one-time code to complete your signup.",
		ShippedAuthMessage().Fill(Fields{Code: "0042", Name: "ACME"}))
}

func BenchmarkSay(b *testing.B) {
	fields := Fields{Name: "ACME", Answer: "YES", Denial: "NO"}
	texts := Texts{}
	b.ReportAllocs()
	for b.Loop() {
		texts.Say(AskRegistration, fields)
	}
}

// Ensure that a text that wants a code with the yes wants it with the no, too. Else the no that it
// asks for could end another question.
func TestTheNoOfACodedTextHasTheCode(t *testing.T) {
	for _, s := range Sayings() {
		if s.needsCode() {
			said := Texts{}.Say(s, Fields{Denial: "NO", Code: "4821"})
			require.Contains(t, said, "NO 4821", s)
		}
	}
}
