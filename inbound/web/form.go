package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
)

// MaxHook is the size of a small request, in bytes. The largest is a text from a phone at Twilio,
// which has at most 1600 characters.
const MaxHook = 64 << 10

// Reasons why a form is not read.
var (
	ErrNotForm  = errors.New("not a form")
	ErrRepeated = errors.New("a field comes more than once")
)

// Only returns the one value of a field. It returns false when the field has no value or several.
func Only(form url.Values, name string) (string, bool) {
	values := form[name]
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// ReadOnce reads an urlencoded form of at most MaxHook bytes in which no field may be repeated: a
// signature covers one value of each field, and the door must act on that same value.
func ReadOnce(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, MaxHook))
	if err != nil {
		return nil, errors.New("the body is too big or ended early")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, ErrNotForm
	}
	query := r.URL.Query()
	for name, values := range form {
		if len(values) > 1 || query.Has(name) {
			return nil, ErrRepeated
		}
	}
	return form, nil
}
