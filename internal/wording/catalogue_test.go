//go:build !race

package wording

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/segment"
)

// longName is as long as a name may be for the shipped texts to keep to their segments.
var longName = strings.Repeat("N", 22)

// fieldsIn are fields as a question has them, in a language.
func fieldsIn(language string) Fields {
	answer, choice := Answer(language), Choice(language, longName, false)
	about := About(language, false)
	if len(About(language, true)) > len(about) {
		about = About(language, true)
	}
	return Fields{
		Name: longName, Answer: answer, Denial: Denial(language), Count: 2, Code: "4821",
		Link: SampleLink, Life: Life(language, 10*time.Minute), About: about,
		Contact: SampleContact, Subject: SampleSubject,
		Choices: answer + " 4821 " + choice + ", " + answer + " 7730 " + choice,
	}
}

// Ensure that every text of every language names the tenant first and takes the segments it may. It
// is judged as a tenant's own is.
func TestCatalogueTexts(t *testing.T) {
	for _, language := range Languages() {
		fields, seen := fieldsIn(language), map[string]bool{}
		for _, s := range Sayings() {
			text := Texts{}.Say(language, s, fields)
			at := language + " " + string(s) + ": " + text
			require.Equal(t, s.MostSegments(language), segment.Measure(text).Segments, at)
			require.Nil(t, Judge(text), at)
			require.NotContains(t, text, "{", at)
			require.False(t, seen[text], at)
			seen[text] = true
			if s != Several { // which names several tenants, in its choices
				require.True(t, strings.HasPrefix(text, longName), at)
			}
			if s.needsCode() {
				require.Contains(t, text, fields.Denial+" 4821", at)
			}
			sample := fields
			sample.Code = SampleCode
			require.Nil(t, JudgeSaying(s, Texts(nil).Say(language, s, sample)), at)
			require.NotEmpty(t, s.When(), s)
		}
		code := ShippedCode(language).Fill(Fields{Code: "482148", Name: longName})
		require.Equal(t, 1, segment.Measure(code).Segments, code)
		require.True(t, strings.HasPrefix(code, "482148"), "phones show the beginning")
		require.Contains(t, code, longName)
	}
	require.Empty(t, Texts{}.Say(English, "nonsense", Fields{}))
}

// Ensure that no English text but the confirmations sounds like success.
func TestOnlyConfirmationsSoundLikeSuccess(t *testing.T) {
	for _, s := range []Saying{
		NeedsUser, Refused, Unreachable, Unknown, Denied, Late, LinkExpired, Used, RelayVerify,
		DeniedBefore, Stopped, WrongCodes, OptedOut, Help,
	} {
		text := strings.ToLower(Texts{}.Say(English, s, fieldsIn(English)))
		for _, word := range []string{"confirmed", "success", "welcome", "thank"} {
			require.NotContains(t, text, word, s)
		}
	}
}

// Ensure that every file has the keys of the English one, each with the same variables, and no
// control or bidirectional characters. English has a comment for each.
func TestCatalogueFiles(t *testing.T) {
	files, err := catalogueFiles.ReadDir("catalogue")
	require.NoError(t, err)
	require.Len(t, files, len(Languages()))
	require.Len(t, Sayings(), 34)
	require.GreaterOrEqual(t, len(files), 24)
	read := func(language string) (entries map[string]any) {
		raw, err := catalogueFiles.ReadFile("catalogue/" + language + ".arb")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &entries))
		require.Equal(t, language, entries["@@locale"])
		return entries
	}
	variable := regexp.MustCompile(`\{[a-z]*\}`)
	variables := func(text string) []string {
		found := variable.FindAllString(text, -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	english := read(English)
	for key := range english {
		if !strings.HasPrefix(key, "@") {
			require.Contains(t, english, "@"+key, "a comment for translators")
		}
	}
	for _, language := range Languages() {
		entries := read(language)
		if language != English {
			require.Len(t, entries, len(english)/2+1, language)
		}
		for key, value := range english {
			text, ok := value.(string)
			if !ok || strings.HasPrefix(key, "@") {
				continue
			}
			said, ok := entries[key].(string)
			at := language + " " + key + ": " + said
			require.True(t, ok, at)
			require.False(t, hasHidden(said), at)
			if !strings.HasSuffix(key, "words_here") && key != "other_words" {
				require.NotEmpty(t, said, at)
			}
			want := variables(text)
			if said != "" && !slices.Equal(want, variables(said)) {
				// A language may leave out the answer where its question needs none, never a code or link.
				require.Fail(t, "other variables than in English", at)
			}
		}
	}
}

// Ensure that the language of a page says how it is written.
func TestDirection(t *testing.T) {
	scripts := regexp.MustCompile(`\p{Arabic}|\p{Hebrew}`)
	for _, language := range Languages() {
		rightToLeft := scripts.MatchString(in(language).words["form_ask"])
		require.Equal(t, rightToLeft, Direction(language) == "rtl", language)
	}
}

// Ensure that how long an answer counts is said in whole hours or in minutes.
func TestLife(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 min", 30 * time.Second: "1 min", 10 * time.Minute: "10 min", 90 * time.Minute: "90 min",
		time.Hour: "1 h", 24 * time.Hour: "24 h",
	} {
		require.Equal(t, want, Life(English, d), d)
	}
}

// Ensure that no word means yes and no at once: neither everywhere, nor in one language what
// another takes everywhere for its opposite. What texts ask for is always a word.
func TestAnswersDoNotMeetTheirOpposites(t *testing.T) {
	all := AnswersEverywhere()
	for _, word := range all.Yes {
		require.NotContains(t, all.No, word)
		require.Equal(t, NoKeyword, KeywordOf(word), word)
	}
	for _, language := range Languages() {
		here, others := AnswersHere(language), OtherWords(language)
		for _, word := range here.Yes {
			require.NotContains(t, all.No, word, language)
			require.NotContains(t, all.Yes, word, language)
			for _, other := range Languages() {
				require.NotContains(t, AnswersHere(other).No, word, language+" "+other)
			}
		}
		for _, word := range here.No {
			require.NotContains(t, all.Yes, word, language)
		}
		words := in(language).words
		n := len(here.Yes) + len(here.No) + len(list(words["yes_words"])) + len(list(words["no_words"]))
		require.GreaterOrEqual(t, n, 15, language)
		answer := strings.ToLower(Answer(language))
		require.True(t, slices.Contains(all.Yes, answer) || slices.Contains(here.Yes, answer), language)
		denial := strings.ToLower(Denial(language))
		require.True(t, slices.Contains(all.No, denial) || slices.Contains(here.No, denial), language)
		require.NotContains(t, others, answer)
	}
}
