package inbound

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

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
	wanted func(name string) bool
	room   int
}

// readForm reads a posted form of at most maxRead bytes, urlencoded or multipart, and keeps
// only the wanted fields. Most of a mail's webhook is its headers, attachments and quoted
// variants, which no code reads. Each kept field has all its values, in order. The caller has
// proved nothing yet, so every byte is charged to hold before it is kept. It returns errTooBig or
// web.ErrNotForm for a body that no retry can mend. It returns web.ErrBusy for one that does not
// fit now, and another error when the body ended early.
func readForm(
	contentType string, upload io.Reader, hold *web.Hold, what reading,
) (url.Values, error) {
	body := http.MaxBytesReader(nil, io.NopCloser(upload), maxRead)
	k := &keeper{reading: what, hold: hold, form: url.Values{}}
	err := hold.Take(buffered)
	if err == nil {
		err = readKind(contentType, body, k)
	}
	if err != nil {
		k.drop()
	}
	if errors.Is(err, web.ErrBusy) {
		return nil, err
	}
	// It is read to its end. A sender that is cut off while it sends does not hear the response, and
	// sends all of it again for hours. And what looks like a broken form may only have ended early.
	_, broken := io.Copy(io.Discard, body)
	if tooBig := new(http.MaxBytesError); errors.As(broken, &tooBig) {
		broken = errTooBig
	}
	if broken != nil {
		k.drop()
		return nil, broken
	}
	return k.form, err
}

func readKind(contentType string, body io.Reader, k *keeper) error {
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return web.ErrNotForm
	case kind == "application/x-www-form-urlencoded":
		return readURLEncoded(body, k)
	case kind == "multipart/form-data":
		return readMultipart(body, params["boundary"], k)
	}
	return web.ErrNotForm
}

// readURLEncoded reads the body piece by piece. Fields that are not wanted are never held, and
// those that are wanted are decoded as they come.
func readURLEncoded(body io.Reader, k *keeper) error {
	in := bufio.NewReaderSize(body, buffered)
	value := unescaper{keep: k.add}
	for {
		var name []byte
		end, err := eachPiece(in, "=&", func(piece []byte) error {
			name = append(name, piece[:min(len(piece), maxKey+1-len(name))]...)
			return nil
		})
		if err != nil {
			return err
		}
		key, bad := url.QueryUnescape(string(name))
		wanted := bad == nil && len(name) > 0 && len(name) <= maxKey && k.wanted(key)
		take := func([]byte) error { return nil }
		if wanted {
			take = value.write
		}
		if end == '=' {
			if end, err = eachPiece(in, "&", take); err != nil {
				return err
			}
		}
		if wanted {
			if err := value.end(); err != nil {
				return err
			}
			if err := k.end(key); err != nil {
				return err
			}
		}
		if end == 0 {
			return nil
		}
	}
}

// eachPiece hands what stands before the next of the stops to take, piece by piece. It returns the
// stop, or 0 at the end of the body.
func eachPiece(
	in *bufio.Reader, stops string, take func(piece []byte) error,
) (end byte, err error) {
	for {
		if _, err := in.Peek(1); errors.Is(err, io.EOF) {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
		piece, _ := in.Peek(in.Buffered())
		read := len(piece)
		if i := bytes.IndexAny(piece, stops); i >= 0 {
			piece, end, read = piece[:i], piece[i], i+1
		}
		if err := take(piece); err != nil {
			return 0, err
		}
		if _, err := in.Discard(read); err != nil || end != 0 {
			return end, err
		}
	}
}

// unescaper decodes a value of a urlencoded form as url.QueryUnescape does, while it comes.
type unescaper struct {
	keep   func([]byte) error
	escape []byte // begun: a percent sign and what has come of its two digits
	plain  [512]byte
}

func (u *unescaper) write(piece []byte) error {
	n := 0
	for _, c := range piece {
		switch {
		case len(u.escape) > 0:
			if u.escape = append(u.escape, c); len(u.escape) < len("%00") {
				continue
			}
			if _, err := hex.Decode(u.plain[n:n+1], u.escape[1:]); err != nil {
				return web.ErrNotForm
			}
			u.escape, c = u.escape[:0], u.plain[n]
		case c == '%':
			u.escape = append(u.escape, c)
			continue
		case c == '+':
			c = ' '
		}
		u.plain[n] = c
		if n++; n == len(u.plain) {
			if err := u.keep(u.plain[:]); err != nil {
				return err
			}
			n = 0
		}
	}
	return u.keep(u.plain[:n])
}

func (u *unescaper) end() error {
	if len(u.escape) > 0 {
		return web.ErrNotForm
	}
	return nil
}

// readMultipart reads the parts one by one.
func readMultipart(body io.Reader, boundary string, k *keeper) error {
	headers := &headerGate{body: body, hold: k.hold}
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
		wanted := part.FileName() == "" && k.wanted(part.FormName())
		take := io.Discard
		if wanted {
			take = k
		}
		// To its end in any case, so that what NextRawPart reads is the next header alone.
		if _, err := io.Copy(take, part); errors.Is(err, errTooBig) || errors.Is(err, web.ErrBusy) {
			return err
		} else if err != nil {
			return web.ErrNotForm
		}
		if wanted {
			if err := k.end(part.FormName()); err != nil {
				return err
			}
		}
	}
	return errTooBig
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
