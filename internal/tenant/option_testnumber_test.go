//go:build !race

package tenant

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

func testNumber(t *testing.T, e164 string) phonemail.Number {
	t.Helper()
	n, err := phonemail.ParseNumber(e164)
	require.NoError(t, err)
	return n
}

// Ensure that a test number is one until its last day is over. Until then no policy refuses it.
func TestTestNumber(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_TEST_NUMBERS=+447700900123 code 424242 until 2026-12-31," +
		" +12025550143  answer YES until 2026-12-30,+4520123456 answer no code 0000 until 2026-12-31 " +
		"this real number is ours"))
	require.NoError(t, err)
	acme := s.Tenants.All()[0]
	film, own := testNumber(t, "+447700900123"), testNumber(t, "+4520123456")
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []TestNumber{
		{film, "424242", "", end},
		{testNumber(t, "+12025550143"), "", TestYes, end.AddDate(0, 0, -1)},
		{own, "0000", TestNo, end},
	}, acme.Tests)
	last := end.Add(-time.Nanosecond)
	n, is := acme.Test(film, last)
	require.True(t, is)
	require.Equal(t, "424242", n.Code)
	require.NoError(t, acme.Check(film, last))
	_, is = acme.Test(film, end)
	require.False(t, is)
	require.ErrorIs(t, acme.Check(film, end), phonemail.ErrCountry)
	require.NoError(t, acme.Check(own, end))
	_, is = acme.Test(testNumber(t, "+447700900124"), last)
	require.False(t, is)
}

// Ensure that a start refuses an end that is too far, and warns of what counts and of what has
// ended. No number is in what it says.
func TestJudgeTests(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_TEST_NUMBERS=+447700900123 code 424242 until 2026-12-31," +
		"+447700900124 code 424242 until 2025-12-31"))
	require.NoError(t, err)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	warnings, err := s.JudgeTests(now)
	require.NoError(t, err)
	require.Len(t, warnings, 2)
	require.Contains(t, warnings[0], "counts until 2026-12-31")
	require.Contains(t, warnings[1], "ended with 2025-12-31")
	require.Contains(t, warnings[1], "take entry 2 out of test_numbers")
	for _, w := range warnings {
		require.NotContains(t, w, "7700900")
		require.NotContains(t, w, "424242")
	}
	_, err = s.JudgeTests(now.AddDate(0, 0, -2))
	var mistakes settings.Mistakes
	require.ErrorAs(t, err, &mistakes)
	require.Equal(t, settings.Mistakes{{
		Where: "tenant acme: test_numbers", What: "entry 1 ends more than a year ahead",
		Hint: "write an earlier day, and move it when you still need the number then",
	}}, mistakes)
}
