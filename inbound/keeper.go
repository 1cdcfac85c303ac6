package inbound

import (
	"slices"
	"strings"

	"smsbridge/inbound/web"
)

const (
	// firstPiece is what a value that is coming lies in at first, and longestPiece what it grows by
	// at most, in bytes.
	firstPiece   = 4 << 10
	longestPiece = 32 << 10
	valueCost    = 64 // of a value's place in a form
	usualFields  = 12 // of what is kept of a mail
)

// field is a field of a form.
type field struct{ name, value string }

// form is the kept fields of a form, in their order.
type form []field

// has reports whether a field has a value.
func (f form) has(name string) bool {
	return slices.ContainsFunc(f, func(f field) bool { return f.name == name })
}

// get returns the first value of a field, "" when it has none.
func (f form) get(name string) string {
	i := slices.IndexFunc(f, func(f field) bool { return f.name == name })
	if i < 0 {
		return ""
	}
	return f[i].value
}

// only returns the one value of a field. It returns false when the field has no value or several.
func (f form) only(name string) (value string, one bool) {
	for _, field := range f {
		if field.name != name {
			continue
		}
		if one {
			return "", false
		}
		value, one = field.value, true
	}
	return value, one
}

// join returns the values of a field, with what separates them.
func (f form) join(name, separator string) string {
	var values []string
	for _, field := range f {
		if field.name == name {
			values = append(values, field.value)
		}
	}
	return strings.Join(values, separator)
}

// keeper keeps the wanted values of a form, within their room and within the memory that all
// requests share. A value that is coming lies in pieces, which are never copied to grow. So while a
// body stalls, it holds what was charged for it and nothing more.
type keeper struct {
	reading
	hold    *web.Hold
	prove   func(form) error // judges what has come so far; nil for nothing to prove
	form    form
	charged int

	first  []byte   // of the value that is coming; its space serves one value after the other
	pieces [][]byte // what follows it
	size   int      // of all that, in bytes used
	space  int      // of the pieces, in bytes charged
}

// add keeps more of the value that is coming.
func (k *keeper) add(p []byte) error {
	if len(p) > k.room {
		return errTooBig
	}
	k.room -= len(p)
	k.size += len(p)
	n := min(len(p), cap(k.first)-len(k.first))
	k.first = append(k.first, p[:n]...)
	for p = p[n:]; len(p) > 0; {
		last := len(k.pieces) - 1
		if last < 0 || len(k.pieces[last]) == cap(k.pieces[last]) {
			length := min(max(firstPiece, k.space), longestPiece)
			if err := k.charge(length); err != nil {
				return err
			}
			k.space += length
			k.pieces = append(k.pieces, make([]byte, 0, length))
			continue
		}
		piece := k.pieces[last]
		n := copy(piece[len(piece):cap(piece)], p)
		k.pieces[last], p = piece[:len(piece)+n], p[n:]
	}
	return nil
}

// end puts the value that has come into the form, and has the form judged.
func (k *keeper) end(name string) error {
	if len(k.form) == maxParts {
		return errTooBig
	}
	if err := k.charge(k.size + len(name) + valueCost); err != nil {
		return err
	}
	var value strings.Builder
	value.Grow(k.size)
	value.Write(k.first)
	for _, piece := range k.pieces {
		value.Write(piece)
	}
	if k.form == nil {
		k.form = make(form, 0, usualFields)
	}
	k.form = append(k.form, field{name, value.String()})
	k.release(k.space)
	k.first, k.pieces, k.size, k.space = k.first[:0], nil, 0, 0
	if k.prove == nil {
		return nil
	}
	return k.prove(k.form)
}

// drop forgets all that was kept.
func (k *keeper) drop() {
	k.form, k.pieces = nil, nil
	k.release(k.charged)
}

func (k *keeper) charge(n int) error {
	if err := k.hold.Take(n); err != nil {
		return err
	}
	k.charged += n
	return nil
}

func (k *keeper) release(n int) {
	k.hold.Give(n)
	k.charged -= n
}
