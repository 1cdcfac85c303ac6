package phonemail

import _ "embed"

// This file reads the table of ranges: what libphonenumber knows of the numbers that begin with
// some digits. The library itself is not part of the program. It links protocol buffers, decodes
// all metadata at the start and runs a pattern for each kind of number. The generator makes one
// automaton of those patterns. The tests ask the library about every node of it.

//go:generate go test -run ^TestPlans$ -update .

// ranges has the nodes of an automaton without loops. A node is the outcome of the numbers that end
// there, the number of its edges, and its edges. An edge is four bytes, the lowest first: the
// digits that take it, as ten bits, and above them the place of the node that it leads to. A number
// that finds no edge is of no known range.
//
//go:embed ranges.bin
var ranges string

// kind is what a policy must know of a number's kind.
type kind uint8

const (
	unknown  kind = iota // the number is in no assigned range
	ordinary             // a person may carry it
	costly               // it costs extra, or no person carries it
)

// outcome says what a number is. The lowest five bits are its country, counted from 1 among those
// of its calling code. It is 0 where none is known, or where the calling code has one alone.
// The next two bits are its kind, and the highest says whether it has a trunk prefix.
type outcome uint8

const hasTrunk outcome = 1 << 7

func newOutcome(country int, k kind) outcome { return outcome(country) | outcome(k)<<5 }

func (o outcome) country() int { return int(o & 31) }
func (o outcome) kind() kind   { return kind(o >> 5 & 3) }

// rangeOf walks through the national digits of a number from the root of its calling code.
func rangeOf(root uint32, national string) outcome {
	at := root
digits:
	for i := range len(national) {
		digit := uint32(1) << (national[i] - '0')
		for edge := at + 2; edge < at+2+4*uint32(ranges[at+1]); edge += 4 {
			to := uint32(ranges[edge]) | uint32(ranges[edge+1])<<8 |
				uint32(ranges[edge+2])<<16 | uint32(ranges[edge+3])<<24
			if to&digit != 0 {
				at = to >> 10
				continue digits
			}
		}
		return 0
	}
	return outcome(ranges[at])
}
