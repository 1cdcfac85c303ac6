//go:build !race

package wording

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that every word of revocation that US law names is known, two words among them, and that
// people are understood in their own language.
func TestStopWords(t *testing.T) {
	for _, word := range []string{
		"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe", // 47 CFR 64.1200(a)(10)
		"OPT OUT", "Stop All", "opt-out", "PLEASE STOP", "don’t text me",
		"STOPP", "Arrêt", "BAJA", "afmeld", "AFMELD", "отписка", "ОТПИСКА", "Стоп", "İPTAL", "RET",
		"Abonelikten Çık", "ABONELİKTEN ÇIK",
		"退订", "停止", "إيقاف", "Dừng", "ΔΙΑΚΟΠΉ",
	} {
		require.Equal(t, StopKeyword, KeywordOf(word), word)
	}
	for _, word := range stopWords() {
		require.Equal(t, word, folded(word), "it would never be found")
	}
}

// otherAnswers are words with which people say yes or no in languages that the catalogue has not.
func otherAnswers() []string {
	return []string{
		"taip", "jah", "jā", "nē", "igen", "nem", "áno", "כן", "לא", "네", "아니요", "हाँ", "नहीं",
		"ใช่", "ไม่", "ya", "tidak", "po", "bəli", "xeyr", "đúng", "dung", "sai", "correct", "confirm",
		"accept", "deny",
	}
}

// Ensure that no word with which people answer is a carrier's word, in whichever language.
func TestKeywordsAreNoAnswers(t *testing.T) {
	words := otherAnswers()
	for _, language := range Languages() {
		c := in(language).words
		for _, key := range []string{"yes_words", "yes_words_here", "no_words", "no_words_here"} {
			words = append(words, list(c[key])...)
		}
		words = append(words, Answer(language), Denial(language))
	}
	require.Greater(t, len(words), 500)
	for _, word := range words {
		require.Equal(t, NoKeyword, KeywordOf(word), word)
		require.Nil(t, JudgeWords([]string{word}), word)
	}
}

// Ensure that a contact may be a phone, a mail address or a page, and nothing longer or hidden.
func TestJudgeContact(t *testing.T) {
	for _, good := range []string{"+45 70 10 20 30", "help@acme.example", "acme.example/help"} {
		require.Nil(t, JudgeContact(good), good)
	}
	for _, bad := range []string{"a\u200bb", "a\nb", "@acme.example #123", SampleContact + "x"} {
		require.NotNil(t, JudgeContact(bad), bad)
	}
	text, fault := ParseSaying("{{.Name}}: ask us.")
	require.Nil(t, fault)
	require.NotNil(t, JudgeSaying(Help, Texts{Help: text}.Say(English, Help, Fields{Name: "ACME"})))
}
