package country_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/country"
	"smsbridge/phonemail"
)

// TestFictionLines wants each line to have two numbers of one form, and a source with its day.
func TestFictionLines(t *testing.T) {
	text, err := os.ReadFile("fiction.txt")
	require.NoError(t, err)
	lines := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		part := strings.Split(line, "|")
		require.Len(t, part, 5, line)
		require.Len(t, part[1], len(part[0]), line)
		require.LessOrEqual(t, part[0], part[1], line)
		for _, end := range part[:2] {
			e164 := strings.Replace(end, "xxx", "202", 1)
			_, err := phonemail.ParseNumber(e164)
			require.NoError(t, err, line)
			require.True(t, country.Fictional(e164), line)
			require.Equal(t, strings.Count(part[0], "x"), strings.Count(end, "x"), line)
		}
		require.NotEmpty(t, part[2], line)
		_, err := time.Parse(time.DateOnly, part[3])
		require.NoError(t, err, line)
		u, err := url.Parse(part[4])
		require.NoError(t, err, line)
		require.Equal(t, "https", u.Scheme, line)
	}
	require.Greater(t, lines, 3)
}

// TestFictional wants the neighbors of each range to be persons'.
func TestFictional(t *testing.T) {
	for e164, want := range map[string]bool{
		"+12025550100": true, "+12025550199": true, "+12025550200": false, "+12025550099": false,
		"+12025560100": false, "+15005550006": false,
		"+447700900000": true, "+447700900999": true, "+447700899999": false, "+447700901000": false,
		"+46701740605": true, "+46701740604": false, "+46701740700": false, "+467017406050": false,
		"+61491570156": true, "+61491570110": true, "+61491570111": false, "+61491570160": false,
		"+4520123456": false, "": false, "+": false,
	} {
		require.Equal(t, want, country.Fictional(e164), e164)
	}
}
