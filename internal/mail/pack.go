package mail

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"smsbridge/internal/store"
)

// Packed is a delivery that is ready to be taken. What is costly is done by then, outside of the
// transaction that other callers wait for.
type Packed struct {
	Delivery
	digest string // of the content, and of those it came for
	parts  []part
}

// part is the mail to one recipient.
type part struct {
	id   string
	to   Recipient
	body []byte // compressed and sealed, nil when it is not kept
}

// Pack makes a delivery ready to be taken. The store must be the one that it is taken into.
func Pack(s *store.Store, d Delivery) Packed {
	plain := d.Body.encode()
	p := Packed{Delivery: d, digest: d.digest(plain)}
	for _, to := range d.Recipients {
		one := part{id: store.NewID(), to: to}
		if d.KeepBody {
			one.body = s.Pack(packedPlace(one.id, d.Tenant), plain)
		}
		p.parts = append(p.parts, one)
	}
	// In one order, so that two deliveries of one mail do not deadlock.
	slices.SortFunc(p.parts, func(a, b part) int {
		return strings.Compare(a.to.Phone.E164(), b.to.Phone.E164())
	})
	return p
}

// digest identifies the content that came with a token, and for whom it came.
func (d Delivery) digest(body []byte) string {
	sum := sha256.New()
	for _, r := range d.Recipients {
		sum.Write(appendField(nil, r.Phone.E164()))
		sum.Write(appendField(nil, r.Address))
	}
	for _, field := range []string{"", d.Tenant, d.MessageID, d.MessageURL} {
		sum.Write(appendField(nil, field))
	}
	sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil))
}

// encode is a body as bytes: its fields in their order, each with its length before it (a varint).
func (b Body) encode() []byte {
	fields := []string{b.Subject, b.From, b.Text, b.HTML, b.MIME, b.Envelope}
	size := 0
	for _, f := range fields {
		size += binary.MaxVarintLen32 + len(f)
	}
	out := make([]byte, 0, size)
	for _, f := range fields {
		out = appendField(out, f)
	}
	return out
}

func appendField(out []byte, field string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(field))), field...)
}

var errNoBody = errors.New("mail: a packed body is damaged")

// decodeBody is the opposite of encode.
func decodeBody(raw []byte) (b Body, err error) {
	for _, field := range []*string{&b.Subject, &b.From, &b.Text, &b.HTML, &b.MIME, &b.Envelope} {
		length, n := binary.Uvarint(raw)
		if n <= 0 || length > uint64(len(raw)-n) {
			return Body{}, errNoBody
		}
		*field, raw = string(raw[n:n+int(length)]), raw[n+int(length):]
	}
	if len(raw) > 0 {
		return Body{}, errNoBody
	}
	return b, nil
}

func packedPlace(id, tenant string) store.Place {
	return store.Place{Table: "mail", ID: id, Column: "packed", Tenant: tenant}
}
