package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"
)

// maxLoose is the size of a body that ReadLoose reads, in bytes: far beyond any real one.
const maxLoose = 8 << 10

// ReadLoose reads a small JSON object. It returns nil for any other body. The content type must be
// JSON's: a web page cannot send that to another site unless a preflight request allows it.
func ReadLoose(r *http.Request) map[string]json.RawMessage {
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || kind != echo.MIMEApplicationJSON {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxLoose))
	var fields map[string]json.RawMessage
	if err != nil || json.Unmarshal(body, &fields) != nil {
		return nil
	}
	return fields
}

// Loose is the text of a JSON string or number, and "" for anything else.
func Loose(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(value, &number) != nil {
		return ""
	}
	return number.String()
}

// ReadBody reads a body of at most limit bytes. One that ends early is a problem, too: what has
// come of it may look whole.
func ReadBody(r *http.Request, limit int64, larger string) ([]byte, *Problem) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
		return nil, TooLarge.Of(larger)
	}
	if err != nil {
		return nil, BadRequest.Of("The body ended early.")
	}
	return body, nil
}

// ReadJSON reads a JSON object of at most limit bytes into the value that into points to.
func ReadJSON(r *http.Request, limit int64, into any) *Problem {
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || kind != echo.MIMEApplicationJSON {
		return BadMediaType.Of("Content-Type must be application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
		return TooLarge.Of("It is larger than any such request.")
	}
	if err != nil || len(body) == 0 || json.Unmarshal(body, into) != nil {
		return BadRequest.Of("The body is not the JSON object that is asked for.")
	}
	return nil
}
