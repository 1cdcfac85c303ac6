package verification

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// Ensure that codes are spread evenly: over all thousands, and each digit in each place. The bound
// is five standard deviations of chi-square, which chance passes once in some million runs. Digits
// that are bytes modulo 10, and codes that are 24 bits modulo a million, exceed it.
//
//test:unwatched
func TestDrawIsEven(t *testing.T) {
	longtest.Skip(t)
	const n = 300_000
	thousands := make([]int, 1000)
	var digits [6][10]int
	for range n {
		code := Draw(6)
		bin := 0
		for place, c := range []byte(code) {
			digits[place][c-'0']++
			if place < 3 {
				bin = 10*bin + int(c-'0')
			}
		}
		thousands[bin]++
	}
	even := func(counts []int) {
		t.Helper()
		expected, chi := float64(n)/float64(len(counts)), 0.0
		for _, count := range counts {
			chi += (float64(count) - expected) * (float64(count) - expected) / expected
		}
		free := float64(len(counts) - 1)
		require.Less(t, chi, free+5*math.Sqrt(2*free)+10)
	}
	even(thousands)
	for place := range digits {
		even(digits[place][:])
	}
}

func TestDrawLength(t *testing.T) {
	for n := MinDigits; n <= MaxDigits; n++ {
		for range 100 {
			code := Draw(n)
			require.Len(t, code, n)
			parsed, err := ParseCode(code)
			require.NoError(t, err)
			require.Equal(t, code, parsed)
		}
	}
	require.Panics(t, func() { Draw(3) })
	require.Panics(t, func() { Draw(11) })
}

func TestParseCode(t *testing.T) {
	for typed, want := range map[string]string{
		"482913": "482913", " 482 913 ": "482913", "٤٨٢ ٩١٣": "482913",
		"482-913": "482913", "0000": "0000",
		"482\u00a0913": "482913", "482\u2011913": "482913", "482\u2013913": "482913",
		"\u2068482913\u2069": "482913", "\u200f482913": "482913", "４８２\u3000９１３": "482913",
		"1234567890": "1234567890", "4 8 2 9 1 3": "482913", strings.Repeat(" ", 26) + "482913": "482913",
	} {
		code, err := ParseCode(typed)
		require.NoError(t, err, typed)
		require.Equal(t, want, code)
	}
	for _, typed := range []string{
		"", "123", "12345678901", "482_913", "482\t913", "482\u0301913",
		"48291a", "٤٨٢x١٣", "+482913", "482913.", "482913\n",
		strings.Repeat(" ", 27) + "482913", strings.Repeat(" ", 40) + "482913",
	} {
		_, err := ParseCode(typed)
		require.ErrorIs(t, err, ErrCode, typed)
	}
}

// Ensure that spaces, hyphens and marks without ink make no difference, and all else does.
func FuzzParseCode(f *testing.F) {
	for _, seed := range []string{"482913", "482 913", "482-913", "\u2068482\u00a09", "",
		"x", "１２３４"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := ParseCode(typed)
		if err != nil {
			require.Empty(t, code)
			return
		}
		require.Regexp(t, `^[0-9]{4,10}$`, code)
		plain := regexp.MustCompile(`[\p{Zs}\p{Pd}\p{Cf}]`).ReplaceAllString(typed, "")
		require.Equal(t, phonemail.PlainDigits(plain), code)
	})
}

// Ensure that the times of wrong codes come back as they were kept, but for those that are too old.
func TestGuessesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := storetest.Start
		var all, young guesses
		for _, age := range rapid.SliceOfN(
			rapid.Int64Range(0, 2*GuessMemory.Milliseconds()), 0, 12,
		).Draw(t, "ages") {
			at := now.Add(-time.Duration(age) * time.Millisecond)
			all = append(all, at)
			if now.Sub(at) < GuessMemory {
				young = append(young, at)
			}
		}
		require.Equal(t, young, parseGuesses(all.String(), now))
	})
	require.Empty(t, parseGuesses("x 12x -", storetest.Start))
}
