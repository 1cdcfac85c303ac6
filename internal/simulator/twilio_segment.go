package simulator

import (
	"strings"
	"unicode/utf16"
)

// The GSM 7-bit default alphabet and its extension table, whose characters count twice (3GPP TS 23.038, 6.2.1).
const (
	twilioGSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ" +
		"ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	twilioGSMExtension = "\f^{}\\[~]|€"
)

// twilioSegments returns the number of segments a body is billed as, at least 1: 160 GSM-7 or 70 UCS-2 characters
// alone, 153 or 67 each when joined.
func twilioSegments(body string) int {
	length := 0
	for _, r := range body {
		switch {
		case strings.ContainsRune(twilioGSM, r):
			length++
		case strings.ContainsRune(twilioGSMExtension, r):
			length += 2
		default:
			return twilioSplit(len(utf16.Encode([]rune(body))), 70, 67)
		}
	}
	return twilioSplit(length, 160, 153)
}

func twilioSplit(length, alone, joined int) int {
	if length <= alone {
		return 1
	}
	return (length + joined - 1) / joined
}
