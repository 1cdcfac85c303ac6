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
	gsm := make([]int, 0, len(body))
	ucs := make([]int, 0, len(body))
	isGSM := true
	for _, r := range body {
		ucs = append(ucs, max(1, utf16.RuneLen(r)))
		switch {
		case !isGSM:
		case strings.ContainsRune(gsmBasic, r):
			gsm = append(gsm, 1)
		case strings.ContainsRune(gsmExtension, r):
			gsm = append(gsm, 2)
		default:
			isGSM = false
		}
	}
	if isGSM {
		return Size{segments(gsm, gsmAlone, gsmPart), sum(gsm), true}
	}
	return Size{segments(ucs, ucsAlone, ucsPart), sum(ucs), false}
}

func segments(widths []int, alone, part int) int {
	if sum(widths) <= alone {
		return 1
	}
	n, used := 1, 0
	for _, w := range widths {
		if used+w > part {
			n, used = n+1, 0
		}
		used += w
	}
	return n
}

func sum(widths []int) (n int) {
	for _, w := range widths {
		n += w
	}
	return n
}
