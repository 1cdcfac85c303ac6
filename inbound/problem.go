package inbound

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// problemNames starts the type of every problem of our own API. A type is a name and leads nowhere (RFC 9457 section 3.1.1); it stays the same over
// versions and hosts, so that apps may compare it.
const problemNames = "urn:smsbridge:problem:"

// problemKind is one kind of refusal.
type problemKind struct {
	name   string // the end of its type
	status int
	title  string // the same for each occurrence
}

// The kinds of problems. openapi.yaml says when each comes.
var (
	badRequest      = problemKind{"malformed", http.StatusBadRequest, "The request cannot be read"}
	unauthorized    = problemKind{"unauthorized", http.StatusUnauthorized, "The API key is missing or unknown"}
	notFound        = problemKind{"not-found", http.StatusNotFound, "There is no such thing"}
	badMethod       = problemKind{"method-not-allowed", http.StatusMethodNotAllowed, "The method does not fit"}
	notPending      = problemKind{"not-pending", http.StatusConflict, "The verification has ended"}
	noSendsLeft     = problemKind{"no-sends-left", http.StatusConflict, "The code has been texted as often as is allowed"}
	optedOut        = problemKind{"opted-out", http.StatusConflict, "The phone opted out of texts"}
	tooLarge        = problemKind{"too-large", http.StatusRequestEntityTooLarge, "The request is too large"}
	badMediaType    = problemKind{"unsupported-media-type", http.StatusUnsupportedMediaType, "The body is not JSON"}
	badField        = problemKind{"invalid-field", http.StatusUnprocessableEntity, "A field has a value that cannot be"}
	badNumber       = problemKind{"number-not-allowed", http.StatusUnprocessableEntity, "The phone number may not be texted"}
	keyReused       = problemKind{"idempotency-key-reused", http.StatusUnprocessableEntity, "The Idempotency-Key came with another request before"}
	wrongCode       = problemKind{"wrong-code", http.StatusUnprocessableEntity, "The code is wrong"}
	tooSoon         = problemKind{"too-soon", http.StatusTooManyRequests, "Too soon for another text"}
	tooManyWrong    = problemKind{"too-many-wrong-codes", http.StatusTooManyRequests, "Too many wrong codes for this phone"}
	tooManyRequests = problemKind{"rate-limited", http.StatusTooManyRequests, "Too many requests with this API key"}
	undecided       = problemKind{"undecided", http.StatusServiceUnavailable, "The code is still being compared"}
	unavailable     = problemKind{"unavailable", http.StatusServiceUnavailable, "It cannot be recorded now"}
)

// problem is a refusal as RFC 9457 writes it. It is an error, so that a transaction that returns it is undone.
type problem struct {
	Type         string             `json:"type"`
	Title        string             `json:"title"`
	Status       int                `json:"status"`
	Detail       string             `json:"detail,omitempty"`
	Field        string             `json:"field,omitempty"`        // whose value cannot be
	Verification *shownVerification `json:"verification,omitempty"` // as it stands, where that is the reason

	name  string
	until time.Time // when trying again may help
}

func (p *problem) Error() string { return p.name }

// of is a problem of the kind, with a sentence for a person. Detail quotes nothing of the request.
func (k problemKind) of(detail string) *problem {
	return &problem{Type: problemNames + k.name, Title: k.title, Status: k.status, Detail: detail, name: k.name}
}

func (k problemKind) on(field, detail string) *problem {
	p := k.of(detail)
	p.Field = field
	return p
}

func (p *problem) about(v verification.Verification) *problem {
	shown := show(v)
	p.Verification = &shown
	return p
}

// asProblem says in the API's words what the rule refused. What is not a refusal is unavailable: trying again may help.
func asProblem(err error) *problem {
	var standing standingError
	if e := new(standingError); errors.As(err, &e) {
		standing = *e
	}
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var wait *verification.WaitError
	if errors.As(err, &wait) {
		p = tooSoon.of("Wait for as long as Retry-After says.")
		if errors.Is(err, verification.ErrBlocked) {
			p = tooManyWrong.of("No code of this phone is compared, and no new one texted, until the time that Retry-After says.")
		}
		p.until = wait.Until
		return p
	}
	switch {
	case errors.Is(err, verification.ErrUnknown):
		return notFound.of("There is no verification with this id.")
	case errors.Is(err, verification.ErrGone):
		return notPending.of("Its status says how it ended; start a new one.").about(standing.v)
	case errors.Is(err, verification.ErrSends):
		return noSendsLeft.of("Cancel it and start a new one.").about(standing.v)
	case errors.Is(err, verification.ErrOptedOut):
		return optedOut.of("Its owner replied STOP and can reply START.")
	case errors.Is(err, verification.ErrCode):
		return badField.on("code", "A code is 4 to 10 digits.")
	case errors.Is(err, phonemail.ErrCountry), errors.Is(err, phonemail.ErrType), errors.Is(err, phonemail.ErrInvalid):
		return badNumber.on("phone", "Its "+err.Error()+".")
	case errors.Is(err, phonemail.ErrNumber):
		return badField.on("phone", "Write it as + and 7 to 15 digits, country code first.")
	}
	return unavailable.of("Please try again.")
}

// writeProblem writes p as RFC 9457 section 3 says.
func writeProblem(c echo.Context, p *problem, now time.Time) error {
	header := c.Response().Header()
	switch {
	case !p.until.IsZero():
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(max(0, p.until.Sub(now).Seconds())))))
	case p.Status == http.StatusServiceUnavailable:
		header.Set("Retry-After", "5")
	case p.name == unauthorized.name:
		header.Set("WWW-Authenticate", `Bearer realm="smsbridge"`)
	}
	header.Set(echo.HeaderContentType, "application/problem+json")
	return c.JSON(p.Status, p)
}
