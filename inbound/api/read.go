package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
)

// readFields reads the body of a request: a JSON object whose members are strings, each of them
// allowed and there once. A request without allowed members may come without a body.
func readFields(r *http.Request, allowed []string) (map[string]string, *web.Problem) {
	body, p := web.ReadBody(r, maxBody, fmt.Sprintf("A body has at most %d bytes.", maxBody))
	if p != nil {
		return nil, p
	}
	if len(body) == 0 && len(allowed) == 0 {
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || kind != echo.MIMEApplicationJSON {
		return nil, web.BadMediaType.Of("Send Content-Type: application/json.")
	}
	return parseFields(body, allowed)
}

// parseFields takes the body apart token by token: encoding/json's own decoding would pass a member
// that is there twice, or in other capitals.
func parseFields(body []byte, allowed []string) (map[string]string, *web.Problem) {
	noObject := web.BadRequest.Of("The body is not a JSON object.")
	in := json.NewDecoder(bytes.NewReader(body))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return nil, noObject
	}
	fields := map[string]string{}
	for in.More() {
		token, err := in.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, noObject
		}
		if !slices.Contains(allowed, name) {
			return nil, web.BadRequest.Of("The body has a member that is not known here" +
				named(name) + ".")
		}
		if _, twice := fields[name]; twice {
			return nil, web.BadRequest.Of("The body has a member twice" + named(name) + ".")
		}
		value, err := in.Token()
		text, ok := value.(string)
		if err != nil {
			return nil, noObject
		}
		if !ok {
			return nil, web.BadField.On(name, "It must be a string.")
		}
		fields[name] = text
	}
	if _, err := in.Token(); err != nil {
		return nil, noObject
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, web.BadRequest.Of("Something follows the JSON object.")
	}
	return fields, nil
}

// maxNamed is how much of a name is repeated to its caller, in characters.
const maxNamed = 40

// named ends a sentence about a name that the caller chose: a colon and the name. A long name
// is cut, and characters that do not print are left out. It is "" when nothing is left.
func named(name string) string {
	printable := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name))
	if len(printable) > maxNamed {
		printable = append(printable[:maxNamed], '…')
	}
	if len(printable) == 0 {
		return ""
	}
	return ": " + string(printable)
}
