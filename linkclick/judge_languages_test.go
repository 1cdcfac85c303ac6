package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// saying is what pages say in one language, by what it means.
type saying struct {
	confirmed, already, failed []string
	nothing                    []string // denials, conditions, questions, requests, announcements
}

// Products that speak one language only tell of success in it. In every language a page that
// denies, asks, sets a condition, announces or speaks of another account tells of none.
func TestLanguages(t *testing.T) {
	for name, says := range sayingsOfTheWest {
		for want, texts := range map[Outcome][]string{
			OutcomeConfirmed: says.confirmed, OutcomeAlready: says.already,
		} {
			for _, text := range texts {
				require.Equal(t, want, judgeWords(text, true), "%s: %s", name, text)
				require.Equal(t, want, judgeWords("Acme\n"+text+"\nOK", true), "%s: %s", name, text)
				require.NotEqual(t, OutcomeConfirmed, judgeWords(text, false), "%s: %s", name, text)
				require.Equal(t, want, judgeWords(norm.NFD.String(text), true), "%s: %s", name, text)
			}
		}
		for _, text := range says.failed {
			said := judgeWords(text, true)
			require.False(t, said == OutcomeUnknown || succeeds(said), "%s: %s: %s", name, text, said)
		}
		require.GreaterOrEqual(t, len(says.nothing), 10, name)
		for _, text := range says.nothing {
			said := judgeWords(text, true)
			require.False(t, succeeds(said), "%s: %s: %s", name, text, said)
		}
	}
	for _, l := range known.languages {
		for _, phrases := range l.phrases {
			for _, phrase := range phrases {
				require.True(t, norm.NFKC.IsNormalString(phrase), "%s: %s", l.name, phrase)
			}
		}
	}
}
