//go:build !race

package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that each question of an operator names a test or story that there is, and commands that
// the program has.
func TestOperatorQuestions(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "OPERATOR.md"))
	require.NoError(t, err)
	tests := map[string]bool{}
	walk(t, func(path string, content []byte) {
		if strings.HasSuffix(path, "_test.go") {
			for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(content, -1) {
				tests[string(found[1])] = true
			}
		}
	})
	questions := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "--") ||
			strings.TrimSpace(cells[1]) == "question" {
			continue
		}
		questions++
		shown := 0
		for _, found := range regexp.MustCompile("(story )?`(\\w[\\w-]*)`").FindAllStringSubmatch(
			cells[3], -1) {
			shown++
			if found[1] == "" {
				require.True(t, tests[found[2]], "%s: no test %s", cells[1], found[2])
				continue
			}
			require.FileExists(t, filepath.Join(root, "cmd/smsbridge/testdata/story", found[2]+".txt"))
		}
		require.NotZero(t, shown, cells[1])
	}
	require.Greater(t, questions, 20)
}
