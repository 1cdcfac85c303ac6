package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/phonemail"
)

// ProblemNames starts the type of every problem. A type is a name and leads nowhere (RFC 9457
// section 3.1.1). It stays the same over versions and hosts, so that apps may compare it.
const ProblemNames = "urn:smsbridge:problem:"

// ProblemKind is one kind of refusal.
type ProblemKind struct {
	Name   string // the end of its type
	Status int
	Title  string // the same for each occurrence
}

// Kind is a kind of problem: the end of its type, its status, and its title.
func Kind(name string, status int, title string) ProblemKind {
	return ProblemKind{Name: name, Status: status, Title: title}
}

// The kinds of problems that several doors have. openapi.yaml says when our own API uses each.
var (
	BadRequest = Kind(
		"malformed", http.StatusBadRequest, "The request cannot be read")
	Unauthorized = Kind(
		"unauthorized", http.StatusUnauthorized, "The API key is missing or unknown")
	NotFound = Kind(
		"not-found", http.StatusNotFound, "There is no such thing")
	OptedOut = Kind(
		"opted-out", http.StatusConflict, "The phone opted out of texts")
	TooLarge = Kind(
		"too-large", http.StatusRequestEntityTooLarge, "The request is too large")
	BadMediaType = Kind(
		"unsupported-media-type", http.StatusUnsupportedMediaType, "The body is not JSON")
	BadField = Kind(
		"invalid-field", http.StatusUnprocessableEntity, "A field has a value that cannot be")
	BadNumber = Kind(
		"number-not-allowed", http.StatusUnprocessableEntity, "The phone number may not be texted")
	TooManyWrong = Kind(
		"too-many-wrong-codes", http.StatusTooManyRequests, "Too many wrong codes for this phone")
	Unavailable = Kind(
		"unavailable", http.StatusServiceUnavailable, "It cannot be recorded now")
)

// Problem is a refusal as RFC 9457 writes it. It is an error, so that a transaction that returns it
// is undone.
type Problem struct {
	Type         string `json:"type"`
	Title        string `json:"title"`
	Status       int    `json:"status"`
	Detail       string `json:"detail,omitempty"`
	Field        string `json:"field,omitempty"`        // whose value cannot be
	Verification any    `json:"verification,omitempty"` // as it stands, where that is the reason

	Name  string    `json:"-"` // the end of its type
	Until time.Time `json:"-"` // when a retry may help
}

func (p *Problem) Error() string { return p.Name }

// Of is a problem of the kind, with a sentence for a person.
func (k ProblemKind) Of(detail string) *Problem {
	return &Problem{Type: ProblemNames + k.Name, Title: k.Title, Status: k.Status, Detail: detail, Name: k.Name}
}

// On is a problem of the kind about a field of the request.
func (k ProblemKind) On(field, detail string) *Problem {
	p := k.Of(detail)
	p.Field = field
	return p
}

// AsProblem says which problem an error is that any door may meet: a problem already, or a phone number
// that is refused. Any other error is Unavailable: a retry may help.
func AsProblem(err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, phonemail.ErrCountry):
		return BadNumber.On("phone", "Its country is not on the tenant's list.")
	case errors.Is(err, phonemail.ErrType):
		return BadNumber.On("phone", "Numbers of its kind are not texted.")
	case errors.Is(err, phonemail.ErrInvalid):
		return BadNumber.On("phone", "It is not in an assigned range.")
	case errors.Is(err, phonemail.ErrNumber):
		return BadField.On("phone", "Write it as + and 7 to 15 digits, country code first.")
	}
	return Unavailable.Of("Please try again.")
}

// WriteProblem writes p as RFC 9457 section 3 says.
func WriteProblem(c echo.Context, p *Problem, now time.Time) error {
	header := c.Response().Header()
	switch {
	case !p.Until.IsZero():
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(max(0, p.Until.Sub(now).Seconds())))))
	case p.Status == http.StatusServiceUnavailable:
		header.Set("Retry-After", "5")
	case p.Name == Unauthorized.Name:
		header.Set("WWW-Authenticate", `Bearer realm="smsbridge"`)
	}
	header.Set(echo.HeaderContentType, "application/problem+json")
	return c.JSON(p.Status, p)
}
