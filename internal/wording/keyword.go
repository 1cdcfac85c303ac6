package wording

import (
	"slices"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Keyword is what a word means to carriers and to Twilio when it is a whole text. They act upon it
// before the bridge sees it, so no tenant may give it another meaning.
type Keyword int

// What keywords mean.
const (
	NoKeyword Keyword = iota
	StopKeyword
	StartKeyword
	HelpKeyword
)

// The keywords, folded as KeywordOf folds. ARRET is what Canadian carriers add; French people write
// it with its accent, too.
//
// Source: https://help.twilio.com/articles/223134027
func stopWords() []string {
	return []string{
		"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout",
		"arret", "arrêt",
	}
}

func startWords() []string { return []string{"start", "unstop"} }

func helpWords() []string { return []string{"help", "info"} }

// KeywordOf returns what a word means to carriers, whatever its case, its width and the way in
// which its accents are written.
func KeywordOf(word string) Keyword {
	word = norm.NFC.String(cases.Fold().String(norm.NFKC.String(word)))
	switch {
	case slices.Contains(stopWords(), word):
		return StopKeyword
	case slices.Contains(startWords(), word):
		return StartKeyword
	case slices.Contains(helpWords(), word):
		return HelpKeyword
	}
	return NoKeyword
}
