package inbound

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
)

const (
	maxRead = 30 << 20 // of a mail's webhook; Mailgun takes mails of 25 MB
	maxKey  = 256      // of a field's name; a longer one is not one of ours
	// of the parts of a multipart body (header fields and attachments), and of the fields that are
	// kept
	maxParts = 2000
	// maxPartHeader is of the header of a part. The longest in a genuine one is the name of a file.
	maxPartHeader = 8 << 10
	// buffered is what a body is read through.
	buffered = 8 << 10
)

// errTooBig says that a form is not read for its size.
var errTooBig = errors.New("larger than is read or kept")

// reading says what is read of a form: the wanted fields, and at most room bytes of their text.
type reading struct {
	names []string // as the values are kept under
	room  int
}

// known returns the name under which a field is kept, "" when it is not wanted. Mailgun's own
// fields have one spelling. The Message-Id is spelled as in the mail, and kept so.
func (r reading) known(name []byte) string {
	for _, known := range r.names {
		if string(name) == known {
			return known
		}
	}
	switch {
	case string(name) == messageIDField:
		return messageIDField
	case len(name) == len(messageIDField) && strings.EqualFold(string(name), messageIDField):
		return string(name)
	}
	return ""
}

// formReader is what a form is read through. Its buffers serve one form after the other, so they
// are charged to each. What a form leaves in them is overwritten by the next, and read by none.
type formReader struct {
	from  limited
	in    *bufio.Reader
	name  []byte // of the field that is coming, as much as may be one of ours
	value unescaper
	first [firstPiece]byte // of the value that is coming
}

func newFormReader() *formReader {
	r := &formReader{name: make([]byte, 0, maxKey+1)}
	r.in = bufio.NewReaderSize(&r.from, buffered)
	return r
}

// letGo drops what a form was read from and into.
func (r *formReader) letGo() {
	r.from, r.value.keeper = limited{}, nil
	r.in.Reset(nil)
}

// limited is a body of at most maxRead bytes. Reading more of it ends with errTooBig.
type limited struct {
	body io.Reader
	left int
	err  error
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.body.Read(p[:min(len(p), l.left+1)])
	if n > l.left {
		n, err = l.left, errTooBig
	}
	l.left -= n
	l.err = err
	return n, err
}

// readForm reads a posted form of at most maxRead bytes, urlencoded or multipart, and keeps
// only the wanted fields. Most of a mail's webhook is its headers, attachments and quoted
// variants, which no code reads. Each kept field has all its values, in order. The caller has
// proved nothing yet, so every byte is charged to hold before it is kept. Prove is asked whenever a
// field has come, and what it says ends the keeping. It returns errTooBig or web.ErrNotForm for a
// body that no retry can mend. It returns web.ErrBusy for one that does not fit now, and another
// error when the body ended early.
func (r *formReader) readForm(
	contentType string, upload io.Reader, hold *web.Hold, what reading, prove func(form) error,
) (form, error) {
	r.from = limited{body: upload, left: maxRead}
	defer r.letGo()
	k := &keeper{reading: what, hold: hold, first: r.first[:0], prove: prove}
	err := hold.Take(buffered + firstPiece)
	if err == nil {
		err = r.readKind(contentType, k)
	}
	if err != nil {
		k.drop()
	}
	if errors.Is(err, web.ErrBusy) {
		return nil, err
	}
	// It is read to its end. A sender that is cut off while it sends does not hear the response, and
	// sends all of it again for hours. And what looks like a broken form may only have ended early.
	if _, broken := io.Copy(io.Discard, &r.from); broken != nil {
		k.drop()
		return nil, broken
	}
	return k.form, err
}

func (r *formReader) readKind(contentType string, k *keeper) error {
	if contentType == echo.MIMEApplicationForm { // as Mailgun writes it
		return r.readURLEncoded(k)
	}
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return web.ErrNotForm
	case kind == echo.MIMEApplicationForm:
		return r.readURLEncoded(k)
	case kind == echo.MIMEMultipartForm:
		return r.readMultipart(params["boundary"], k)
	}
	return web.ErrNotForm
}

// readURLEncoded reads the body piece by piece. Fields that are not wanted are never held, and
// those that are wanted are decoded as they come.
func (r *formReader) readURLEncoded(k *keeper) error {
	r.in.Reset(&r.from)
	r.value = unescaper{keeper: k}
	for {
		end, err := r.readName()
		if err != nil {
			return err
		}
		name := r.known(k)
		if end == '=' {
			if end, err = r.readValue(name != ""); err != nil {
				return err
			}
		}
		if name != "" {
			if err := r.value.end(); err != nil {
				return err
			}
			if err := k.end(name); err != nil {
				return err
			}
		}
		if end == 0 {
			return nil
		}
	}
}

// readName reads a name up to what ends it, as far as it may be one of ours.
func (r *formReader) readName() (end byte, err error) {
	r.name = r.name[:0]
	for {
		piece, end, err := r.piece('=', '&')
		r.name = append(r.name, piece[:min(len(piece), maxKey+1-len(r.name))]...)
		if err != nil || end != unended {
			return end, err
		}
	}
}

// known returns the name under which the field that is coming is kept, "" when it is not wanted.
func (r *formReader) known(k *keeper) string {
	if len(r.name) == 0 || len(r.name) > maxKey {
		return ""
	}
	if bytes.IndexByte(r.name, '%') < 0 && bytes.IndexByte(r.name, '+') < 0 {
		return k.known(r.name)
	}
	name, err := url.QueryUnescape(string(r.name))
	if err != nil {
		return ""
	}
	return k.known([]byte(name))
}

// readValue reads a value to its end, and decodes it if it is wanted.
func (r *formReader) readValue(wanted bool) (end byte, err error) {
	for {
		piece, end, err := r.piece('&', '&')
		if err == nil && wanted {
			err = r.value.write(piece)
		}
		if err != nil || end != unended {
			return end, err
		}
	}
}

// unended is the stop of a piece that goes on. No form is cut at it.
const unended = 1

// piece returns what has come before the next of two stops. Beside it is the stop, or unended when
// none has come yet, or 0 at the end of the body. A piece lasts until the next is read.
func (r *formReader) piece(stop, other byte) (piece []byte, end byte, err error) {
	if _, err := r.in.Peek(1); err == io.EOF {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	piece, _ = r.in.Peek(r.in.Buffered())
	end = unended
	read := len(piece)
	at := bytes.IndexByte(piece, stop)
	if other != stop {
		before := piece
		if at >= 0 {
			before = piece[:at]
		}
		if i := bytes.IndexByte(before, other); i >= 0 {
			at = i
		}
	}
	if at >= 0 {
		piece, end, read = piece[:at], piece[at], at+1
	}
	_, err = r.in.Discard(read)
	return piece, end, err
}

// unescaper decodes a value of a urlencoded form as url.QueryUnescape does, while it comes.
type unescaper struct {
	keeper *keeper
	begun  int // bytes of an escape that have come
	high   byte
	plain  [512]byte
}

func (u *unescaper) write(piece []byte) error {
	n := 0
	for i := 0; i < len(piece); i++ {
		c := piece[i]
		switch {
		case u.begun > 0:
			digit, ok := unhex(c)
			if !ok {
				return web.ErrNotForm
			}
			if u.begun == 1 {
				u.begun, u.high = 2, digit
				continue
			}
			u.begun, c = 0, u.high<<4|digit
		case c == '%':
			u.begun = 1
			continue
		case c == '+':
			c = ' '
		}
		u.plain[n] = c
		if n++; n == len(u.plain) {
			if err := u.keeper.add(u.plain[:]); err != nil {
				return err
			}
			n = 0
		}
	}
	return u.keeper.add(u.plain[:n])
}

func unhex(c byte) (digit byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

func (u *unescaper) end() error {
	if u.begun > 0 {
		return web.ErrNotForm
	}
	return nil
}

// readMultipart reads the parts one by one.
func (r *formReader) readMultipart(boundary string, k *keeper) error {
	headers := &headerGate{body: &r.from, hold: k.hold}
	in := multipart.NewReader(headers, boundary)
	for range maxParts {
		headers.enter()
		part, err := in.NextRawPart()
		headers.leave()
		if err == io.EOF { // and not one that is wrapped: that is a body without its last boundary
			return nil
		}
		if headers.refused != nil {
			return headers.refused
		}
		if err != nil {
			return web.ErrNotForm
		}
		name := ""
		if part.FileName() == "" {
			name = k.known([]byte(part.FormName()))
		}
		// To its end in any case, so that what NextRawPart reads is the next header alone.
		if err := r.readPart(part, name != "", k); err != nil {
			return err
		}
		if name != "" {
			if err := k.end(name); err != nil {
				return err
			}
		}
	}
	return errTooBig
}

// readPart reads a part to its end, and keeps it if it is wanted.
func (r *formReader) readPart(part *multipart.Part, wanted bool, k *keeper) error {
	for {
		n, err := part.Read(r.value.plain[:])
		if wanted && n > 0 {
			if err := k.add(r.value.plain[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, errTooBig):
			return err
		case err != nil:
			return web.ErrNotForm
		}
	}
}

// headerGate lets only maxPartHeader bytes pass while the header of a part is read. The reader of
// parts would hold ten mebibytes of it. What passes is charged, each line for the entry that it
// becomes, until the next header.
type headerGate struct {
	body    io.Reader
	hold    *web.Hold
	inside  bool
	passed  int
	charged int
	refused error
}

const lineCost = 100 // of a header field's entry in a map

func (g *headerGate) enter() {
	g.hold.Give(g.charged)
	g.inside, g.passed, g.charged = true, 0, 0
}

func (g *headerGate) leave() { g.inside = false }

func (g *headerGate) Read(p []byte) (int, error) {
	n, err := g.body.Read(p)
	if !g.inside {
		return n, err
	}
	if g.passed += n; g.passed > maxPartHeader {
		g.refused = errTooBig
		return 0, errTooBig
	}
	cost := n + lineCost*bytes.Count(p[:n], []byte("\n"))
	if busy := g.hold.Take(cost); busy != nil {
		g.refused = busy
		return 0, busy
	}
	g.charged += cost
	return n, err
}
