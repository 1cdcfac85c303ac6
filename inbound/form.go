package inbound

import (
	"bufio"
	"bytes"
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
	maxKept = 2 << 20  // of the fields that are wanted, together
	maxKey  = 256      // of a field's name; a longer one is not one of ours
	// of the parts of a multipart body (header fields and attachments), and of the fields that are
	// kept
	maxParts = 2000
)

// errTooBig says that a form is not read for its size.
var errTooBig = errors.New("larger than is read or kept")

// readForm reads a posted form of at most maxRead bytes, urlencoded or multipart, and keeps
// only the wanted fields. Most of a mail's webhook is its headers, attachments and quoted
// variants, which no code reads. Each kept field has all its values, in order. It returns
// errTooBig or web.ErrNotForm for a body that no retry can mend, and another error when the
// body ended early.
func readForm(r *http.Request, wanted func(name string) bool) (url.Values, error) {
	body := http.MaxBytesReader(nil, r.Body, maxRead)
	form, err := readKind(r.Header.Get("Content-Type"), body, wanted)
	// It is read to its end. A sender that is cut off while it sends does not hear the response, and
	// sends all of it again for hours. And what looks like a broken form may only have ended early.
	_, broken := io.Copy(io.Discard, body)
	if tooBig := new(http.MaxBytesError); errors.As(broken, &tooBig) {
		return nil, errTooBig
	}
	if broken != nil {
		return nil, broken
	}
	return form, err
}

func readKind(contentType string, body io.Reader, wanted func(string) bool) (url.Values, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return nil, web.ErrNotForm
	case kind == "application/x-www-form-urlencoded":
		return readURLEncoded(body, wanted)
	case kind == "multipart/form-data":
		return readMultipart(multipart.NewReader(body, params["boundary"]), wanted)
	}
	return nil, web.ErrNotForm
}

// readURLEncoded reads the body piece by piece, so that fields that are not wanted are never
// held or decoded.
func readURLEncoded(body io.Reader, wanted func(string) bool) (url.Values, error) {
	in := bufio.NewReaderSize(body, 32<<10)
	form := url.Values{}
	kept, fields := 0, 0
	for {
		name, end, err := readUntil(in, '=', maxKey)
		if err != nil {
			return nil, err
		}
		key, bad := url.QueryUnescape(string(name))
		want := bad == nil && len(name) > 0 && len(name) <= maxKey && wanted(key)
		room := 0
		if want {
			room = 3 * (maxKept - kept) // each byte may be escaped
		}
		var value []byte
		if end == '=' {
			if value, end, err = readUntil(in, '&', room); err != nil {
				return nil, err
			}
		}
		if want {
			plain, err := url.QueryUnescape(string(value))
			if fields++; len(value) > room || len(plain) > maxKept-kept || fields > maxParts {
				return nil, errTooBig
			}
			if err != nil {
				return nil, web.ErrNotForm
			}
			kept += len(plain)
			form.Add(key, plain)
		}
		if end == 0 {
			return form, nil
		}
	}
}

// readUntil reads up to stop or '&' and returns what stood before: at most room bytes, and one
// more to show that there were more. End is the byte it stopped at, 0 at the end of the body.
func readUntil(in *bufio.Reader, stop byte, room int) (text []byte, end byte, err error) {
	for {
		if _, err := in.Peek(1); errors.Is(err, io.EOF) {
			return text, 0, nil
		} else if err != nil {
			return nil, 0, err
		}
		chunk, _ := in.Peek(in.Buffered())
		i := bytes.IndexByte(chunk, '&')
		piece := chunk
		if i >= 0 {
			piece = chunk[:i]
		}
		if j := bytes.IndexByte(piece, stop); j >= 0 {
			i = j
		}
		if i >= 0 {
			piece, end = chunk[:i], chunk[i]
		}
		text = append(text, piece[:min(len(piece), max(0, room+1-len(text)))]...)
		if i >= 0 {
			_, err := in.Discard(i + 1)
			return text, end, err
		}
		if _, err := in.Discard(len(chunk)); err != nil {
			return nil, 0, err
		}
	}
}

func readMultipart(in *multipart.Reader, wanted func(string) bool) (url.Values, error) {
	form := url.Values{}
	kept := 0
	for range maxParts {
		part, err := in.NextRawPart()
		if err == io.EOF { // and not one that is wrapped: that is a body without its last boundary
			return form, nil
		}
		if err != nil {
			return nil, web.ErrNotForm
		}
		if part.FileName() != "" || !wanted(part.FormName()) {
			continue // NextRawPart skips what is left of it
		}
		value, err := io.ReadAll(io.LimitReader(part, int64(maxKept-kept)+1))
		if err != nil {
			return nil, web.ErrNotForm
		}
		if kept += len(value); kept > maxKept {
			return nil, errTooBig
		}
		form.Add(part.FormName(), string(value))
	}
	return nil, errTooBig
}
