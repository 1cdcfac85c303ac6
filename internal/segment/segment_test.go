//go:build !race

package segment_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/segment"
)

// The two GSM-7 tables by code point, row by row of 3GPP TS 23.038 6.2.1 and 6.2.1.1, without the
// escape.
var (
	gsmTable = []rune{
		0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5,
		0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E, 0xC6, 0xE6, 0xDF,
		0xC9,
		0x20, 0x21, 0x22, 0x23, 0xA4, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F,
		0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
		0xA1, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F,
		0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0xC4, 0xD6, 0xD1, 0xDC, 0xA7,
		0xBF, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F,
		0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0xE4, 0xF6, 0xF1, 0xFC, 0xE0,
	}
	gsmExtended = []rune{0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC}
)

// Ensure that exactly the characters of the two tables are GSM-7.
func TestMeasureAlphabet(t *testing.T) {
	require.Len(t, gsmTable, 127)
	width := map[rune]int{}
	for _, r := range gsmTable {
		width[r] = 1
	}
	for _, r := range gsmExtended {
		width[r] = 2
	}
	for r := rune(0); r <= 0x2FFF; r++ {
		got := segment.Measure(string(r))
		if width[r] == 0 {
			require.Equal(t, segment.Size{Segments: 1, Units: 1}, got, "%U", r)
			continue
		}
		require.Equal(t, segment.Size{Segments: 1, Units: width[r], GSM: true}, got, "%U", r)
	}
}

func TestMeasureEdges(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name string
		body string
		want segment.Size
	}{
		{"nothing", "", segment.Size{Segments: 1, GSM: true}},
		{"one full segment", x(160), segment.Size{Segments: 1, Units: 160, GSM: true}},
		{"one more", x(161), segment.Size{Segments: 2, Units: 161, GSM: true}},
		{"two full", x(306), segment.Size{Segments: 2, Units: 306, GSM: true}},
		{"two full and one more", x(307), segment.Size{Segments: 3, Units: 307, GSM: true}},
		{"an escaped character fills", x(158) + "€", segment.Size{Segments: 1, Units: 160, GSM: true}},
		{"an escaped character is too much", x(159) + "€",
			segment.Size{Segments: 2, Units: 161, GSM: true}},
		{"escaped characters alone", strings.Repeat("€", 80),
			segment.Size{Segments: 1, Units: 160, GSM: true}},
		{"an escaped character is not split", x(152) + "€" + x(152),
			segment.Size{Segments: 3, Units: 306, GSM: true}},
		{"an escaped character ends a part", x(151) + "€" + x(153),
			segment.Size{Segments: 2, Units: 306, GSM: true}},
		{"one full of UCS-2", strings.Repeat("ж", 70), segment.Size{Segments: 1, Units: 70}},
		{"one more of UCS-2", strings.Repeat("ж", 71), segment.Size{Segments: 2, Units: 71}},
		{"two full of UCS-2", strings.Repeat("ж", 134), segment.Size{Segments: 2, Units: 134}},
		{"three of UCS-2", strings.Repeat("ж", 135), segment.Size{Segments: 3, Units: 135}},
		{"one curly quote makes all UCS-2", x(70) + "’", segment.Size{Segments: 2, Units: 71}},
		{"escaped characters are single in UCS-2", strings.Repeat("€", 69) + "ж",
			segment.Size{Segments: 1, Units: 70}},
		{"emoji are two units", strings.Repeat("👍", 35), segment.Size{Segments: 1, Units: 70}},
		{"a surrogate pair is not split", strings.Repeat("ж", 66) + "👍" + strings.Repeat("ж", 66),
			segment.Size{Segments: 3, Units: 134}},
		{"a family", "👩‍👩‍👧", segment.Size{Segments: 1, Units: 8}},
		{"backtick and tab are not GSM-7", "`\t", segment.Size{Segments: 1, Units: 2}},
		{"small ç is not, capital Ç is", "ç", segment.Size{Segments: 1, Units: 1}},
		{"invalid UTF-8", "\xff\xfe", segment.Size{Segments: 1, Units: 2}},
	}
	for _, test := range tests {
		require.Equal(t, test.want, segment.Measure(test.body), test.name)
	}
}

// reference cuts a text into parts the slow way: one character after another into the part at
// hand, or a new one.
func reference(body string) segment.Size {
	width := func(r rune) int {
		for _, c := range gsmTable {
			if c == r {
				return 1
			}
		}
		for _, c := range gsmExtended {
			if c == r {
				return 2
			}
		}
		return 0
	}
	size := segment.Size{GSM: true}
	for _, r := range body {
		size.GSM = size.GSM && width(r) > 0
	}
	alone, joined := 70, 67
	if size.GSM {
		alone, joined = 160, 153
	}
	var parts [][]int
	for _, r := range body {
		w := len(utf16.Encode([]rune{r}))
		if size.GSM {
			w = width(r)
		}
		size.Units += w
		if last := len(parts) - 1; last < 0 || len(parts[last])+w > joined {
			parts = append(parts, nil)
		}
		for range w {
			parts[len(parts)-1] = append(parts[len(parts)-1], 1)
		}
	}
	size.Segments = len(parts)
	if size.Units <= alone {
		size.Segments = 1
	}
	return size
}

func TestMeasureLikeReference(t *testing.T) {
	gsm := rapid.StringOfN(rapid.RuneFrom(append(gsmExtended, 'a', 'Z', '@', 'Δ', '\n')), 0, 500, -1)
	ucs := rapid.StringOfN(rapid.RuneFrom([]rune{'a', '€', 'ж', '👍', 0xFFFD}), 0, 300, -1)
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.OneOf(gsm, ucs, rapid.String()).Draw(t, "body")
		require.Equal(t, reference(body), segment.Measure(body))
	})
}

// Ensure that texts as tenants write them are counted as the networks do.
func TestMeasureWords(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"", 1},
		{strings.Repeat("a", 160), 1},
		{strings.Repeat("a", 161), 2},
		{strings.Repeat("a", 306), 2},
		{strings.Repeat("a", 307), 3},
		{strings.Repeat("æøåÄÖüß@", 20), 1},
		{strings.Repeat("€", 80), 1},
		{strings.Repeat("€", 80) + "a", 2},
		{strings.Repeat("я", 70), 1},
		{strings.Repeat("я", 71), 2},
		{strings.Repeat("я", 135), 3},
		{strings.Repeat("\U0001f44d", 35), 1},
		{strings.Repeat("\U0001f44d", 36), 2},
		{strings.Repeat("a", 70) + "\u2019", 2},
		{strings.Repeat("a", 70) + "`", 2}, // no backtick in GSM 03.38
	} {
		require.Equal(t, tt.want, segment.Measure(tt.text).Segments, "%.10s… (%d)", tt.text, len(tt.text))
	}
}

func FuzzMeasure(f *testing.F) {
	for _, seed := range []string{"", "Reply YES.", strings.Repeat("€", 90),
		strings.Repeat("x", 152) + "€", "\xf0\x9f", "’👍"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		require.Equal(t, reference(body), segment.Measure(body))
	})
}
