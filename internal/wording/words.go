package wording

import (
	"strings"
	"sync"
)

// Answer returns the word for yes that texts ask for in a language.
func Answer(language string) string { return in(language).words["answer"] }

// Denial returns the word for no that texts ask for in a language.
func Denial(language string) string { return in(language).words["denial"] }

// Answers are the replies that mean yes and no.
type Answers struct{ Yes, No []string }

// answers are the words of one file of the catalogue.
type answers struct {
	Yes     string `json:"yes_words"`
	YesHere string `json:"yes_words_here"`
	No      string `json:"no_words"`
	NoHere  string `json:"no_words_here"`
	Other   string `json:"other_words"`
}

// everywhere are the words that mean yes and no whatever language asked. Of the files, only these
// words are kept.
var everywhere = sync.OnceValue(func() (all Answers) {
	for _, language := range Languages() {
		var a answers
		decodeCatalogue(language, &a)
		all.Yes = append(all.Yes, list(a.Yes)...)
		all.No = append(all.No, list(a.No)...)
	}
	return all
})

// AnswersEverywhere returns the words that mean yes and no whatever language asked. They are not to
// be changed.
func AnswersEverywhere() Answers { return everywhere() }

// AnswersHere returns the words that mean yes and no when a language asked, and mean something else
// in another.
func AnswersHere(language string) Answers {
	words := in(language).words
	return Answers{list(words["yes_words_here"]), list(words["no_words_here"])}
}

// OtherWords returns the words for yes and no of other languages that mean something else to people
// who were asked in this one. They count for nothing then.
func OtherWords(language string) []string { return list(in(language).words["other_words"]) }

func list(words string) []string {
	if words == "" {
		return nil
	}
	return strings.Split(words, ", ")
}
