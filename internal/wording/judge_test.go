//go:build !race

package wording

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a text is refused for the one thing that is wrong with it, and that its neighbor
// which only looks alike is not.
func TestJudge(t *testing.T) {
	const (
		hidden, link = "invisible", "phones show as a link"
		code, long   = "@host #code", "more than two segments"
	)
	for text, want := range map[string]string{
		"":                                      "is empty",
		" \n\t":                                 "is empty",
		"Reply\nYES":                            "",
		"Reply\tYES":                            hidden,
		"Reply\rYES":                            hidden,
		"Reply\u202eSEY":                        hidden,
		"Re\u200bply":                           hidden,
		"Reply\u2028YES":                        hidden,
		"Reply\u2029YES":                        hidden,
		"Reply \ue000":                          hidden,
		"Reply \xff":                            hidden,
		"See https://x":                         link,
		"See www.":                              link,
		"See WWW.x":                             link,
		"awww. That":                            "",
		"See acme.example":                      link,
		"See 1.dk":                              link,
		"See бар.рф":                            link,
		"See acme.e":                            "",
		"See acme. Example":                     "",
		"At 10.30":                              "",
		"@acme #4821":                           code,
		"@acme   #4":                            code,
		"@acme #":                               "",
		"@acme#4821":                            "",
		"@ #4821":                               "",
		strings.Repeat("x", 160):                "",
		strings.Repeat("x", 2*153):              "",
		strings.Repeat("x", 2*153+1):            long,
		strings.Repeat("ы", 2*67):               "",
		strings.Repeat("ы", 2*67+1):             long,
		strings.Repeat("x", 2*153-1) + "\u20ac": long, // the euro sign counts twice
	} {
		fault := Judge(text)
		if want == "" {
			require.Nil(t, fault, "%q", text)
			continue
		}
		require.NotNil(t, fault, "%q", text)
		require.Contains(t, fault.What, want, "%q", text)
		require.NotEmpty(t, fault.Hint)
	}
}

// Ensure that the code and the link stand in the texts that are about them, and in no others.
// Else a phone is asked to repeat a code that it was never told, or is told to tap what is not
// there.
func TestJudgeSaying(t *testing.T) {
	for _, tt := range []struct {
		saying Saying
		fields string // the sample values that the text has
		what   string // "" when it may
	}{
		{AskPassword, "", ""},
		{AskPassword, SampleCode, "has {{.Code}}, which is empty there"},
		{AskPassword, SampleLink, "has {{.Link}}, which is empty there"},
		{AskPasswordCode, SampleCode, ""},
		{AskPasswordCode, "", "does not tell the code"},
		{AskRegistrationCode, "", "does not tell the code"},
		{TapPassword, SampleLink, ""},
		{TapPassword, "", "does not have the link"},
		{TapRegistration, "", "does not have the link"},
		{RelayVerify, "", "does not have the link"},
		{RelayReset, "", "does not have the link"},
		{RelayLogin, "", "does not have the link"},
		{RelayLogin, SampleCode + " " + SampleLink, "has {{.Code}}, which is empty there"},
		{BothRegistration, SampleLink, ""},
		{BothRegistration, SampleCode + " " + SampleLink, "has {{.Code}}, which is empty there"},
		{BothPassword, SampleCode + " " + SampleLink, ""},
		{BothPassword, SampleLink, "does not tell the code"},
		{BothPassword, SampleCode, "does not have the link"},
		{BothRegistrationCode, SampleLink, "does not tell the code"},
		{BothRegistrationCode, SampleCode, "does not have the link"},
		{Denied, "", ""},
		{Denied, "https://x", "phones show as a link"}, // what is wrong with any text comes first
	} {
		fault := JudgeSaying(tt.saying, "Well: "+tt.fields)
		if tt.what == "" {
			require.Nil(t, fault, tt.saying)
			continue
		}
		require.NotNil(t, fault, tt.saying)
		require.Contains(t, fault.What, tt.what)
		require.NotEmpty(t, fault.Hint)
	}
}

// Ensure that no name makes a link or a code of the texts it is put into, or hides something in
// them. The names of companies pass.
func TestJudgeName(t *testing.T) {
	for name, want := range map[string]string{
		"ACME":                        "",
		"Ørsted A/S":                  "",
		"St. Mary's":                  "",
		strings.Repeat("é", 40):       "",
		strings.Repeat("é", 41):       "is longer than 40 characters",
		"ACME\u200b":                  "has control or invisible characters",
		"ACME\n":                      "has control or invisible characters",
		"acme.example":                "looks like a link or a code",
		"@acme #1":                    "looks like a link or a code",
		strings.Repeat("acme.dk ", 9): "looks like a link or a code",
	} {
		fault := JudgeName(name)
		if want == "" {
			require.Nil(t, fault, "%q", name)
			continue
		}
		require.NotNil(t, fault, "%q", name)
		require.Contains(t, fault.What, want, "%q", name)
		require.NotEmpty(t, fault.Hint)
	}
}

// Ensure that no word for yes or no is one that carriers act upon before the bridge sees it.
func TestJudgeWords(t *testing.T) {
	require.Nil(t, JudgeWords(nil))
	require.Nil(t, JudgeWords([]string{"JA", strings.Repeat("é", 32)}))
	for _, words := range [][]string{
		{"STOP"}, {"JA", "start"}, {"help"}, {"JA", "arre\u0302t", "x"},
	} {
		require.Contains(t, JudgeWords(words).What, "at Twilio", "%q", words)
	}
	for _, words := range [][]string{{strings.Repeat("é", 33)}, {"JA", "J\u200dA"}, {"\x00"}} {
		require.Contains(t, JudgeWords(words).What, "more than 32 characters", "%q", words)
	}
}

// Ensure that a text has a word only where the word stands by itself.
func TestHasWord(t *testing.T) {
	for _, text := range []string{"ja", "JA!", "Svar «Ja», tak", "nej eller ja", "ja-nej"} {
		require.True(t, HasWord(text, "Ja"), text)
	}
	for _, text := range []string{"", "jaja", "j a", "ninja", "ja1", "ja\u0301"} {
		require.False(t, HasWord(text, "Ja"), text)
	}
	require.True(t, HasWord("Say “that is  me”.", "that is me"))
	require.False(t, HasWord("that is not me", "that is me"))
}

// Ensure that a tag means the language that serves those who read it, the first of several, and
// that nothing else is taken for one.
func TestMatch(t *testing.T) {
	for tags, want := range map[string]string{
		"da": "da", "DA-dk": "da", "no": "nb", "nn-NO": "nb", "fr-CA": "fr", "pt": "pt",
		"pt-PT": "pt", "pt-br": "pt-BR", "zh-Hans-CN": "zh", "tlh, sv;q=0.8, da": "sv",
		"xx de-AT": "de", "en-GB": "en",
	} {
		got, ok := Match(tags)
		require.True(t, ok, tags)
		require.Equal(t, want, got, tags)
	}
	for _, tags := range []string{"", "dansk", "-da", ";;;,,", "tlh", strings.Repeat("a", 99)} {
		_, ok := Match(tags)
		require.False(t, ok, tags)
	}
}

// Ensure that a country stands for the language that most people read there.
func TestOfCountry(t *testing.T) {
	for country, want := range map[string]string{
		"DK": "da", "SE": "sv", "NO": "nb", "FI": "fi", "GB": "en", "US": "en", "DE": "de", "AT": "de",
		"BR": "pt-BR", "PT": "pt", "PL": "pl", "CZ": "cs", "UA": "uk", "RO": "ro", "TR": "tr",
		"SY": "ar", "SO": "so", "VN": "vi", "CN": "zh", "JP": "ja", "GR": "el",
	} {
		got, ok := OfCountry(country)
		require.True(t, ok, country)
		require.Equal(t, want, got, country)
	}
	for _, country := range []string{"", "GL", "IN", "XX"} {
		_, ok := OfCountry(country)
		require.False(t, ok, country)
	}
}

// Ensure that no two of several choices read alike.
func TestChoice(t *testing.T) {
	require.Equal(t, "new ACME password", Choice(English, "ACME", true))
	require.Equal(t, "new account at ACME", Choice(English, "ACME", false))
}

// Ensure that a shipped text with a mistake stops the program before any text is sent.
func TestBadShippedText(t *testing.T) {
	require.Panics(t, func() { mustParse("{{.Nope}}", codeFields()) })
	require.False(t, mustParse("{{.Code}}", codeFields()).IsZero())
	require.Empty(t, Saying("nonsense").Shipped(English))
}
