package twilio

import (
	"strings"
	"unicode/utf16"
)

// The GSM 7-bit default alphabet and its extension table, whose characters count twice (3GPP TS
// 23.038, 6.2.1).
const (
	gsmAlphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ " +
		"!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ" +
		"ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// segments returns the number of segments a body is billed as, at least 1: 160 GSM-7 or 70
// UCS-2 characters alone, 153 or 67 each when joined.
func segments(body string) int {
	length := 0
	for _, r := range body {
		switch {
		case strings.ContainsRune(gsmAlphabet, r):
			length++
		case strings.ContainsRune(gsmExtension, r):
			length += 2
		default:
			return split(len(utf16.Encode([]rune(body))), 70, 67)
		}
	}
	return split(length, 160, 153)
}

func split(length, alone, joined int) int {
	if length <= alone {
		return 1
	}
	return (length + joined - 1) / joined
}
