package linkclick

import "strings"

// This file looks for phrases in a text. There are two thousand of them, and a page holds one or
// two, so a sieve leaves out quickly those that it cannot hold.

// readWords looks for what statements say with the phrases of some tables, in the order of the
// tables.
func readWords(said []string, successPossible bool, tables ...phraseTable) Outcome {
	whole := strings.Join(said, "\n")
	held := sieveOf(whole)
	for _, outcome := range judged {
		if outcome == OutcomeConfirmed && !successPossible {
			break
		}
		for _, table := range tables {
			phrases := table[outcome]
			for i := range phrases {
				p := &phrases[i]
				if held.mayHold(&p.marks) && strings.Contains(whole, p.phrase) &&
					p.language.states(said, p.phrase, outcome) {
					return outcome
				}
			}
		}
	}
	return OutcomeUnknown
}

// phraseTable has the phrases that tell each outcome, in the order in which they are looked for.
type phraseTable map[Outcome][]knownPhrase

// knownPhrase is a phrase of a language.
type knownPhrase struct {
	phrase   string
	language *language
	marks    marks
}

func tableOf(languages ...language) phraseTable {
	t := phraseTable{}
	for i := range languages {
		l := &languages[i]
		for outcome, phrases := range l.phrases {
			for _, phrase := range phrases {
				t[outcome] = append(t[outcome], knownPhrase{phrase, l, marksOf(phrase)})
			}
		}
	}
	return t
}

// sieve has a bit for each three bytes that follow each other somewhere in a text. Several such
// threes share a bit, so that a sieve may take a text for one that holds them.
type sieve [sieveBits / 64]uint64

const sieveBits = 1 << 12

func sieveOf(text string) (s sieve) {
	for i := range len(text) - 2 {
		bit := bitOf(text[i:])
		s[bit/64] |= 1 << (bit % 64)
	}
	return s
}

// bitOf mixes the first three bytes of s, which has them.
func bitOf(s string) uint16 {
	three := uint32(s[0])<<16 | uint32(s[1])<<8 | uint32(s[2])
	return uint16(three * 2_654_435_761 >> 20)
}

// marks are bits that the sieve of each text has that holds a phrase. They are of the phrase's
// beginning, its end, and two places between. A phrase of less than three bytes has none.
type marks struct {
	bits  [4]uint16
	short bool
}

func marksOf(phrase string) (m marks) {
	last := len(phrase) - 3
	if last < 0 {
		return marks{short: true}
	}
	for i := range m.bits {
		m.bits[i] = bitOf(phrase[last*i/(len(m.bits)-1):])
	}
	return m
}

// mayHold reports whether the text of s may hold a phrase. If not, it does not.
func (s *sieve) mayHold(phrase *marks) bool {
	if phrase.short {
		return true
	}
	for _, bit := range phrase.bits {
		if s[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}
