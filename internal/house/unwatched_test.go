//go:build !race

package house

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a test that is marked for a run without the race detector has a name of its own:
// test.sh leaves out every test of that name from the watched run.
func TestUnwatchedTestsHaveNamesOfTheirOwn(t *testing.T) {
	const mark = "\n//test:unwatched\n"
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w+)\(`)
	count, marked := map[string]int{}, []string(nil)
	walk(t, func(path string, content []byte) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, match := range declared.FindAllSubmatch(content, -1) {
			count[string(match[1])]++
		}
		for _, rest := range strings.Split(string(content), mark)[1:] {
			name := declared.FindStringSubmatchIndex(rest)
			require.True(t, name != nil && name[0] == 0, "%s: the mark is not before a test", path)
			marked = append(marked, rest[name[2]:name[3]])
		}
	})
	require.NotEmpty(t, marked)
	for _, name := range marked {
		require.Equal(t, 1, count[name], "the name %s of a marked test", name)
	}
}
