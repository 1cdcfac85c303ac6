package store

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"
)

// mostPacked is how many bytes a packed value may unpack to. It bounds what a damaged row costs.
const mostPacked = 8 << 20

// packer compresses large values. A flate.Writer and a reader are large themselves, so that they
// are used again.
type packer struct{ writers, readers sync.Pool }

// pack returns plain compressed (RFC 1951), at the quickest level.
func (p *packer) pack(plain []byte) []byte {
	var out bytes.Buffer
	w, _ := p.writers.Get().(*flate.Writer)
	if w == nil {
		w, _ = flate.NewWriter(&out, flate.BestSpeed) // this level is one that exists
	} else {
		w.Reset(&out)
	}
	_, _ = w.Write(plain) // a buffer takes whatever is written
	_ = w.Close()
	p.writers.Put(w)
	return out.Bytes()
}

// unpack is the opposite of pack. It returns ErrSealed for what pack does not make.
func (p *packer) unpack(packed []byte) ([]byte, error) {
	from := bytes.NewReader(packed)
	r, _ := p.readers.Get().(io.Reader)
	if r == nil {
		r = flate.NewReader(from)
	} else {
		_ = r.(flate.Resetter).Reset(from, nil) // without a dictionary nothing can fail
	}
	defer p.readers.Put(r)
	// Text shrinks to a third or less.
	plain := bytes.NewBuffer(make([]byte, 0, 4*len(packed)+bytes.MinRead))
	_, err := plain.ReadFrom(io.LimitReader(r, mostPacked+1))
	if err != nil || plain.Len() > mostPacked {
		return nil, ErrSealed
	}
	return plain.Bytes(), nil
}

// Pack returns a large value compressed and encrypted for its place. It is for what is packed
// before a transaction, so that no other caller waits for it.
func (s *Store) Pack(p Place, plain []byte) []byte {
	return s.sealer.sealRaw(p, s.packer.pack(plain))
}

// Unpack returns what was packed for a place, or ErrSealed. Nothing stays nothing.
func (r *reader) Unpack(p Place, packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	raw, err := r.sealer.openRaw(p, packed)
	if err != nil {
		return nil, err
	}
	return r.packer.unpack(raw)
}

// openRaw opens a sealed value that is bytes: its prefix, nonce and ciphertext.
func (s sealer) openRaw(p Place, sealed []byte) ([]byte, error) {
	for _, key := range s {
		if raw, ok := bytes.CutPrefix(sealed, []byte(sealedBy(key.id))); ok {
			plain, err := key.aead.Open(nil, nil, raw, p.bytes())
			if err != nil {
				return nil, ErrSealed
			}
			return plain, nil
		}
	}
	return nil, ErrSealed
}

// sealRaw seals a value as bytes, under the first key.
func (s sealer) sealRaw(p Place, plain []byte) []byte {
	return s[0].aead.Seal([]byte(sealedBy(s[0].id)), nil, plain, p.bytes())
}

// moveKey seals a value anew under the first key, whichever form it has.
func (s sealer) moveKey(v sealedValue, binary bool) (any, error) {
	if binary {
		plain, err := s.openRaw(v.place, []byte(v.sealed))
		if err != nil {
			return nil, err
		}
		return s.sealRaw(v.place, plain), nil
	}
	plain, err := s.open(v.place, v.sealed)
	if err != nil {
		return nil, err
	}
	return s.seal(v.place, plain), nil
}

// parameter is a sealed value, or the beginning of one, as its column has it.
func (c sealedColumn) parameter(value string) any {
	if c.binary {
		return []byte(value)
	}
	return value
}
