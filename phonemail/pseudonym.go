package phonemail

import "unique"

// mark begins what a database keeps of a pseudonym. No number begins with it.
const mark = "#"

// digestSize is the length of a digest: 16 bytes in base64 without padding.
const digestSize = 22

// Pseudonym returns what stands for a number that was erased. The digest is a keyed hash of the
// number, 22 characters of base64: equal numbers have equal pseudonyms, and none leads back to
// its number. A pseudonym has no E.164 form, no address and no country, so that it cannot be
// texted, and no policy allows it.
func Pseudonym(digest string) Number { return Number{unique.Make(mark + digest), 0} }

// Erased reports whether n is a pseudonym.
func (n Number) Erased() bool { return n.code == 0 && n != Number{} }
