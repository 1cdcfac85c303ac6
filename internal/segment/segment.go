// Package segment counts what a text costs. It is for the code that writes a text or checks one
// before it is sent, and promises to count as the networks bill.
package segment

import (
	"strings"
	"unicode/utf16"
)

// Size is what a text costs: the segments it is billed in, and why.
type Size struct {
	Segments int
	Units    int  // septets of GSM-7, or UTF-16 code units
	GSM      bool // every character is in the GSM-7 alphabet
}

// The alphabets of 3GPP TS 23.038 sections 6.2.1 and 6.2.1.1; a character of the second is sent
// as two septets.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// The units that fit into one segment, alone and as part of several (3GPP TS 23.040 section
// 9.2.3.24.1: the header of a part takes six octets).
const (
	gsmAlone, gsmPart = 160, 153
	ucsAlone, ucsPart = 70, 67
)

// Measure counts the segments of a text as the networks do. An escaped GSM-7 character and a
// surrogate pair are never split over two segments.
func Measure(body string) Size {
	gsm, ucs := counter{alone: gsmAlone, part: gsmPart}, counter{alone: ucsAlone, part: ucsPart}
	isGSM := true
	for _, r := range body {
		ucs.add(max(1, utf16.RuneLen(r)))
		switch {
		case !isGSM:
		case strings.ContainsRune(gsmBasic, r):
			gsm.add(1)
		case strings.ContainsRune(gsmExtension, r):
			gsm.add(2)
		default:
			isGSM = false
		}
	}
	if isGSM {
		return Size{gsm.segments(), gsm.units, true}
	}
	return Size{ucs.segments(), ucs.units, false}
}

// counter fills segments with the characters of a text in one encoding.
type counter struct {
	alone, part int // units of a text of one segment, and of each of several
	units       int
	full, used  int // segments, if there are several, and units in the last one
}

// add counts a character of so many units.
func (c *counter) add(units int) {
	c.units += units
	if c.used+units > c.part {
		c.full, c.used = c.full+1, 0
	}
	c.used += units
}

func (c *counter) segments() int {
	if c.units <= c.alone {
		return 1
	}
	return c.full + 1
}
