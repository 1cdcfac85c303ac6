package phonemail_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/phonemail"
)

func mustNumber(t testing.TB, s string) phonemail.Number {
	t.Helper()
	n, err := phonemail.ParseNumber(s)
	require.NoError(t, err)
	return n
}

func TestParseNumber(t *testing.T) {
	for _, tt := range []struct{ in, masked, country string }{
		{"+4512345678", "+45******78", "DK"}, // possible, not assigned
		{"+4520123456", "+45******56", "DK"},
		{"+15005550006", "+1********06", "US"},
		{"+12065551234", "+1********34", "US"},
		{"+447700900123", "+44********23", ""}, // reserved for drama, belongs to no person
		{"+447400123456", "+44********56", "GB"},
		{"+390612345678", "+39********78", "IT"}, // the 0 is part of the number
		{"+4915123456789", "+49*********89", "DE"},
		{"+2250101234567", "+225********67", "CI"},
		{"+6834567", "+683****", "NU"},                 // too short to show anything
		{"+298123456", "+298****56", "FO"},             // just long enough
		{"+491512345678901", "+49***********01", "DE"}, // 15 digits, which is the most
		{"+881612345678", "+881*******78", ""},
	} {
		n, err := phonemail.ParseNumber(tt.in)
		require.NoError(t, err, tt.in)
		require.Equal(t, tt.in, n.E164())
		require.Equal(t, tt.masked, n.String())
		require.Equal(t, tt.country, n.Country(), tt.in)
		require.True(t, n == mustNumber(t, tt.in), "numbers are compared with ==")
	}
}

func TestParseNumberRefuses(t *testing.T) {
	for _, in := range []string{
		"", "+", "4512345678", "004512345678", "++4512345678", "+0512345678",
		"+451234",           // 6 digits
		"+4512345678901234", // 16 digits
		"+45 12 34 56 78", "+45-12345678", "+45.12345678", "+45(0)12345678",
		" +4512345678", "+4512345678 ", "+4512345678\n", "+4512345678\x00",
		"+4512345678x", "+4512345678;ext=3", "foo+4512345678", "tel:+4512345678", "%2B4512345678",
		"\uff0b4512345678",      // full-width plus
		"+45\u0661\u0662345678", // Arabic-Indic digits
		"+451234567\uff18",      // full-width 8
		"+4512345678\u200b",     // zero-width space
		"+1-800-FLOWERS", "+1800FLOWERS",
		"+999123456789",     // no such country code
		"+45123456789",      // too long for Denmark
		"+4512345",          // too short for Denmark
		"+12345678",         // a local number, without its area code
		"+4407400123456",    // trunk prefix
		"+5501511987654321", // trunk prefix and carrier code
	} {
		n, err := phonemail.ParseNumber(in)
		require.ErrorIs(t, err, phonemail.ErrNumber, "%q", in)
		require.Zero(t, n)
	}
}

// Ensure that a refusal says what is wrong, so that the one who typed the number can mend it.
func TestParseNumberSaysWhy(t *testing.T) {
	for in, why := range map[string]string{
		"4512345678": "want + and 7 to 15 digits", "+45 12 34 56 78": "want + and 7 to 15 digits",
		"+999123456789": "unknown country code", "+4512345": "wrong length for its country",
		"+4407400123456": "has a trunk prefix",
	} {
		_, err := phonemail.ParseNumber(in)
		require.EqualError(t, err, phonemail.ErrNumber.Error()+": "+why, in)
	}
}

func TestNoNumber(t *testing.T) {
	var n phonemail.Number
	require.Empty(t, n.E164())
	require.Empty(t, n.String())
	require.Empty(t, n.Country())
	require.Empty(t, fmt.Sprintf("%v%s%d", n, n, n))
}

// A number shows neither its middle nor all of its digits, wherever it turns up.
func TestNumberNeverLeaks(t *testing.T) {
	n := mustNumber(t, "+4512345678")
	type outer struct {
		Shown  phonemail.Number
		hidden phonemail.Number
		Many   []phonemail.Number
		Keys   map[phonemail.Number]int
		Ptr    *phonemail.Number
	}
	values := []any{n, &n, outer{n, n, []phonemail.Number{n}, map[phonemail.Number]int{n: 1}, &n},
		[]any{n}}

	check := func(how, out string) {
		t.Helper()
		require.NotContains(t, out, "2345", how)
		require.NotContains(t, strings.ToLower(out), fmt.Sprintf("%x", "2345"), how)
	}
	for verb := 'A'; verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#", "-20", "020", " ", ".30", "+#"} {
			format := "%" + flags + string(verb)
			for _, v := range values {
				check(format, fmt.Sprintf(format, v))
			}
		}
	}
	require.Equal(t, "+45******78 +45******78 \"+45******78\" [ +45******78]",
		fmt.Sprintf("%v %#v %q [%12s]", n, n, n, n))

	require.Equal(t, "+247*****", mustNumber(t, "+24765123").String(), "too short to show a part")

	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&buf, nil), slog.NewTextHandler(&buf, nil)} {
		slog.New(h).Info("text sent", "phone", n, "all", values)
	}
	require.Contains(t, buf.String(), "+45******78")
	check("slog", buf.String())

	out, err := json.Marshal(values)
	require.NoError(t, err)
	require.Contains(t, string(out), `"+45******78"`)
	check("json", string(out))
	//lint:ignore SA9005 that it cannot be read is what is tested
	require.Error(t, json.Unmarshal([]byte(`"+4512345678"`), &n), "marshaling is a one-way street")

	check("error", fmt.Errorf("texting %v: %w", n, phonemail.ErrNumber).Error())
}

func TestIsCountry(t *testing.T) {
	for _, code := range []string{"DK", "SE", "US", "GB"} {
		require.True(t, phonemail.IsCountry(code), code)
	}
	for _, code := range []string{"", "dk", "UK", "XX", "001", "*", "DNK", "+45"} {
		require.False(t, phonemail.IsCountry(code), code)
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"+4512345678", "+4407400123456", "+1234567", "+45 12", "", "+\uff11"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := phonemail.ParseNumber(s)
		if err != nil {
			require.Zero(t, n)
			require.ErrorIs(t, err, phonemail.ErrNumber)
			return
		}
		require.Equal(t, s, n.E164(), "one spelling only")
		require.Regexp(t, `^\+[1-9][0-9]{6,14}$`, s)
		require.Regexp(t, `^\+[0-9]{1,3}\*{4,}([0-9]{2})?$`, n.String())
		require.Regexp(t, `^([A-Z]{2})?$`, n.Country())
	})
}

func BenchmarkParseNumber(b *testing.B) {
	for b.Loop() {
		if _, err := phonemail.ParseNumber("+4512345678"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCountriesOf(t *testing.T) {
	require.Equal(t, []string{"DK"}, phonemail.CountriesOf("45"))
	require.Equal(t, "US", phonemail.CountriesOf("1")[0])
	require.Contains(t, phonemail.CountriesOf("1"), "CA")
	for _, code := range []string{"", "0", "870", "999", "1000", "65536", "x", "+45"} {
		require.Empty(t, phonemail.CountriesOf(code), code)
	}
}
