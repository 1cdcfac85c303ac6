//go:build !race

package wording

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A tenant's own text is said instead of the shipped one, with every field.
func TestOwnTexts(t *testing.T) {
	text, fault := ParseSaying("{{.Name}}|{{.Answer}}|{{.Denial}}|{{.Choices}}|{{.Count}}|" +
		"{{.Code}}|{{.Link}}|{{.Life}}|{{.About}}|{{.Contact}}|{{.Subject}}")
	require.Nil(t, fault)
	fields := Fields{
		"ACME", "JA", "NEJ", "this or that", 7, "4821", "LINK", "10 min", "that", "IT", "OK?",
	}
	texts := Texts{Wrong: text}
	require.Equal(t, "ACME|JA|NEJ|this or that|7|4821|LINK|10 min|that|IT|OK?",
		texts.Say(English, Wrong, fields))
	require.Equal(t, "ACME: OK, nothing was changed.", texts.Say(English, Denied, fields))
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
		fields := Fields{Name: "ACME", Answer: "YES", Denial: "NO", Choices: "C", Count: 2}
		require.Equal(t, want, text.Fill(fields))
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
		f.Add(s.Shipped(English))
	}
	f.Add(`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`)
	f.Fuzz(func(t *testing.T, s string) {
		text, fault := ParseSaying(s)
		require.Equal(t, text.IsZero(), fault != nil)
		if fault != nil {
			return
		}
		filled := text.Fill(Fields{"{{.Code}}", "YES", "NO", "YES 1 for ACME", 2, "4821", "LINK",
			"LIFE", "ABOUT", "CONTACT", "SUBJECT"})
		for _, p := range text.parts {
			if p.field == "Name" {
				require.Contains(t, filled, "{{.Code}}")
			}
		}
		Judge(filled)
	})
}

// A name that passes can be put into any shipped text of any language.
func TestNamesFitTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if strings.TrimSpace(name) == "" || JudgeName(name) != nil {
			t.Skip()
		}
		language := rapid.SampledFrom(Languages()).Draw(t, "language")
		for _, s := range Sayings() {
			text := Texts{}.Say(language, s, Fields{
				Name: name, Answer: Answer(language), Denial: Denial(language),
			})
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

func TestShippedCodes(t *testing.T) {
	require.Equal(t, ShippedCode(English), ShippedCode("nonsense"))
	require.NotEqual(t, ShippedCode(English), ShippedCode("da"))
	require.Equal(t, "0042\nWelcome to ACME! Use this one-time code to complete your signup.",
		ShippedAuthMessage().Fill(Fields{Code: "0042", Name: "ACME"}))
}

func BenchmarkSay(b *testing.B) {
	fields := Fields{Name: "ACME", Answer: "YES", Denial: "NO"}
	texts := Texts{}
	b.ReportAllocs()
	for b.Loop() {
		texts.Say(English, AskRegistration, fields)
	}
}

// Ensure that a text that wants a code with the yes wants it with the no, too. Else the no that it
// asks for could end another question.
func TestTheNoOfACodedTextHasTheCode(t *testing.T) {
	for _, s := range Sayings() {
		if s.needsCode() {
			said := Texts{}.Say(English, s, Fields{Denial: "NO", Code: "4821"})
			require.Contains(t, said, "NO 4821", s)
		}
	}
}
