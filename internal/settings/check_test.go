//go:build !race

package settings

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a hint says how to write a value that another program would take: the units of a
// duration, and the case of a word that has capitals.
func TestHintsOfValues(t *testing.T) {
	for value, hint := range map[string]string{
		"wait: 1d":    "a number and its unit (h, m or s) without blanks, such as 5m",
		"wait: 90 s":  "a number and its unit (h, m or s) without blanks, such as 5m",
		"wait: PT10M": "a number and its unit (h, m or s) without blanks, such as 5m",
	} {
		_, l := fromText("shops:\n  - name: x\n    " + value + "\n")
		require.Len(t, l.Mistakes(), 1, value)
		require.Contains(t, l.Mistakes()[0].Hint, hint, value)
	}
	require.Equal(t, Wrong(`"PT-br" is not pt-BR`, "write it as pt-BR"),
		JudgeChoice("PT-br", "pt", "pt-BR"))
	require.Equal(t, "write one of these words, in small letters", JudgeChoice("PT", "pt").Hint)
	require.Nil(t, JudgeChoice("pt-BR", "pt", "pt-BR"))
}
