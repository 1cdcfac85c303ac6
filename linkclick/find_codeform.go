package linkclick

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// This file tells what is written like a code.

// isDate reports whether eight digits are a day of this century, year or day first.
func isDate(digits string) bool {
	for _, layout := range []string{"20060102", "02012006", "01022006"} {
		if day, err := time.Parse(layout, digits); err == nil && day.Year() >= 1900 && day.Year() < 2100 {
			return true
		}
	}
	return false
}

// asciiDigits writes the digits of all scripts as in ASCII, and leaves out the marks that say in
// which direction a line runs.
func asciiDigits(s string) string {
	if !beyondLatin1(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case r > unicode.MaxLatin1 && unicode.IsDigit(r):
			return '0' + digitValue(r)
		}
		return r
	}, s)
}

// beyondLatin1 reports whether a text has a letter that is not in Latin-1.
func beyondLatin1(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.ContainsFunc(s[i:], func(r rune) bool { return r > unicode.MaxLatin1 })
		}
	}
	return false
}

// digitValue returns the value of a decimal digit. Unicode keeps the ten of a script in a row, and
// those of mathematics, which have five styles, in one row.
func digitValue(r rune) rune {
	if '𝟎' <= r && r <= '𝟿' {
		return (r - '𝟎') % 10
	}
	first := r
	for r-first < 9 && unicode.IsDigit(first-1) {
		first--
	}
	return r - first
}

// isDigitCode reports whether s has the digits of a code and is no year.
func isDigitCode(s string) bool {
	return len(s) >= minCode && len(s) <= maxCode && isNumber(s) &&
		(len(s) != 4 || s[:2] != "19" && s[:2] != "20")
}

// drawnFrom is what providers draw codes with letters from.
const drawnFrom = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// isDrawn reports whether s could have been drawn from capital letters and digits, and spells
// nothing: it has a digit, and no three letters in a row of which one is a vowel. Between two
// letters a digit may stand for a third, so that four such are refused.
func isDrawn(s string) bool {
	if strings.Trim(s, drawnFrom) != "" || !hasDigit(s) {
		return false
	}
	run, limit, vowel := 0, 3, false
	for i := range len(s) {
		c := s[i]
		if i > 0 && i+1 < len(s) && !isDigit(s[i-1]) && !isDigit(s[i+1]) {
			if at := strings.IndexByte("013457", c); at >= 0 {
				c, limit = "OIEAST"[at], 4
			}
		}
		if isDigit(c) {
			run, limit, vowel = 0, 3, false
			continue
		}
		run++
		if vowel = vowel || strings.IndexByte("AEIOUY", c) >= 0; run >= limit && vowel {
			return false
		}
	}
	return true
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

func hasDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }
