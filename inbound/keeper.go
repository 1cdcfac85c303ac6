package inbound

import (
	"net/url"
	"strings"

	"smsbridge/inbound/web"
)

const (
	// The pieces of a value that is coming, in bytes. They double, so that a short value costs little
	// and a long one has few pieces.
	firstPiece   = 512
	longestPiece = 32 << 10
	valueCost    = 64 // of a value's place in a form
)

// keeper keeps the wanted values of a form, within their room and within the memory that all
// requests share. A value that is coming lies in pieces, which are never copied to grow. So while a
// body stalls, it holds what was charged for it and nothing more.
type keeper struct {
	reading
	hold    *web.Hold
	form    url.Values
	values  int
	charged int

	pieces [][]byte // of the value that is coming
	size   int      // of the pieces, in bytes used
	space  int      // of the pieces, in bytes charged
}

// Write is add, for a value that comes as it is.
func (k *keeper) Write(p []byte) (int, error) { return len(p), k.add(p) }

// add keeps more of the value that is coming.
func (k *keeper) add(p []byte) error {
	if len(p) > k.room {
		return errTooBig
	}
	k.room -= len(p)
	k.size += len(p)
	for len(p) > 0 {
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

// end puts the value that has come into the form.
func (k *keeper) end(name string) error {
	if k.values++; k.values > maxParts {
		return errTooBig
	}
	if err := k.charge(k.size + len(name) + valueCost); err != nil {
		return err
	}
	var value strings.Builder
	value.Grow(k.size)
	for _, piece := range k.pieces {
		value.Write(piece)
	}
	k.form[name] = append(k.form[name], value.String())
	k.release(k.space)
	k.pieces, k.size, k.space = nil, 0, 0
	return nil
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
