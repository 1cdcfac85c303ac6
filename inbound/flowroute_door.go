package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// This file is the door for clients of Flowroute's SMS verification service, as that service answers:
// https://github.com/flowroute/sms-verification. What differs is on purpose: it can ask for a key, every malformed request is a 400, and codes
// may start with zeros.

// flowrouteDoor marks the verifications that were started here.
const flowrouteDoor = "flowroute"

// maxAuthID is the size of the service's column.
const maxAuthID = 120

// flowrouteAnswer is what the service says, in the order in which it does.
type flowrouteAnswer struct {
	Authenticated bool   `json:"authenticated,omitempty"`
	Message       string `json:"message"`
	Reason        string `json:"reason,omitempty"`
	AttemptsLeft  *int   `json:"attempts_left,omitempty"`
	AuthID        string `json:"auth_id,omitempty"`

	status int
	until  time.Time // when trying again may help
}

// FlowrouteHandler answers at the Flowroute door of one tenant:
//
//	POST /                      texts a code
//	GET  /?auth_id=&code=       presents one
//	POST /check                 the same with a JSON body, for those who do not want codes in URLs
func (s *Server) FlowrouteHandler(t *tenant.Tenant) http.Handler {
	e := echo.New()
	e.HideBanner = true
	e.Use(s.survivePanics)
	e.POST("/", s.atFlowroute(t, s.createFlowroute))
	e.GET("/", s.atFlowroute(t, func(c echo.Context, t *tenant.Tenant) (flowrouteAnswer, error) {
		return s.checkFlowroute(c, t, c.QueryParam("auth_id"), c.QueryParam("code"))
	}))
	e.POST("/check", s.atFlowroute(t, func(c echo.Context, t *tenant.Tenant) (flowrouteAnswer, error) {
		fields := readLoose(c.Request())
		return s.checkFlowroute(c, t, loose(fields["auth_id"]), loose(fields["code"]))
	}))
	return e
}

// atFlowroute proves who asks, and writes and logs what is answered.
func (s *Server) atFlowroute(t *tenant.Tenant, do func(echo.Context, *tenant.Tenant) (flowrouteAnswer, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := flowrouteAnswer{Message: "A key is needed, as a bearer token or as a password", Reason: "Unauthorized", status: http.StatusUnauthorized}, error(nil)
		switch {
		case !t.Doors.Flowroute.Allows(presentedKey(c.Request())):
			c.Response().Header().Set("WWW-Authenticate", `Basic realm="smsbridge"`)
		case len(t.Doors.Flowroute.Keys) == 0 && !isLocal(c.Request().Host):
			// A page in somebody's browser that calls its own host name 127.0.0.1.
			a = flowrouteAnswer{Message: "Without a key this is for localhost only", Reason: "Forbidden", status: http.StatusForbidden}
		default:
			if a, err = do(c, t); err != nil {
				a = flowrouteAnswer{Message: "Please try again", Reason: "Unavailable", status: http.StatusServiceUnavailable, until: s.Now().Add(5 * time.Second)}
			}
		}
		s.logDoor(c, "flowroute", t.Slug, a.status, a.Reason, err)
		c.Response().Header().Set("Cache-Control", "no-store") // a GET here has effects
		if !a.until.IsZero() {
			c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(max(0, a.until.Sub(s.Now()).Seconds())))))
		}
		return c.JSON(a.status, a)
	}
}

// logDoor logs one line on a request at a door, with nothing that came with it.
func (s *Server) logDoor(c echo.Context, door, slug string, status int, reason string, err error) {
	log := s.Log.Info
	attrs := []any{"tenant", slug, "method", c.Request().Method, "status", status, "reason", reason}
	switch {
	case err != nil:
		log, attrs = s.Log.Error, append(attrs, "error", err)
	case status >= 400:
		log = s.Log.Warn
	}
	log(door, attrs...)
}

// badFlowroute is what malformed input gets.
func badFlowroute(message string) flowrouteAnswer {
	return flowrouteAnswer{Message: message, Reason: "InvalidAPIUsage", status: http.StatusBadRequest}
}

// createFlowroute texts a code. A pending one with the same auth_id is replaced.
func (s *Server) createFlowroute(c echo.Context, t *tenant.Tenant) (flowrouteAnswer, error) {
	fields := readLoose(c.Request())
	authID, phone := loose(fields["auth_id"]), flowrouteNumber(loose(fields["recipient"]))
	if !isAuthID(authID) || t.Policy.Check(phone) != nil {
		return badFlowroute("Required arguments: 'auth_id' (str), 'recipient' (int, length=11)"), nil
	}
	r := verification.For(t, flowrouteDoor, phone)
	r.ExternalID, r.Replace, r.Renew, r.Length = authID, true, false, t.Doors.Flowroute.CodeLength
	r.Limits.Life, r.Limits.Attempts, r.Limits.Sends = t.Doors.Flowroute.CodeExpiration,
		t.Doors.Flowroute.RetriesAllowed, 1
	r.Wording = func(code, _ string) string { return t.FlowrouteDoorText(code) }
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, _, err := verification.Start(ctx, tx, r)
		return err
	})
	wait := new(verification.WaitError)
	switch {
	case errors.Is(err, verification.ErrOptedOut):
		return flowrouteAnswer{Message: "The recipient opted out of texts", Reason: "RecipientOptedOut", status: http.StatusBadRequest}, nil
	case errors.As(err, &wait):
		return tooManyAttempts(wait.Until), nil
	case err != nil:
		return flowrouteAnswer{}, err
	}
	return flowrouteAnswer{Message: "Success: Verification code created.", AuthID: authID, status: http.StatusOK}, nil
}

func tooManyAttempts(until time.Time) flowrouteAnswer {
	return flowrouteAnswer{
		Message: "Too many wrong codes for this recipient", Reason: "TooManyAttempts", AttemptsLeft: new(int), status: http.StatusTooManyRequests, until: until,
	}
}

// checkFlowroute presents a code to what is known by the auth_id.
func (s *Server) checkFlowroute(c echo.Context, t *tenant.Tenant, authID, number string) (flowrouteAnswer, error) {
	code, ok := flowrouteCode(number, t.Doors.Flowroute.CodeLength)
	if authID == "" || !ok {
		return badFlowroute("Required arguments: 'auth_id' (str), 'code' (int)"), nil
	}
	if !isAuthID(authID) {
		return failedCheck("Unknown auth id", "UnknownAuthId", 0), nil
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	var checked verification.Checked
	var told bool
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		checked, told, err = takeFlowrouteCheck(ctx, tx, t.Slug, authID, code)
		return err
	})
	if errors.Is(err, verification.ErrUnknown) {
		return failedCheck("Unknown auth id", "UnknownAuthId", 0), nil
	}
	if err == nil {
		checked, err = verification.Await(ctx, s.Store, checked)
	}
	return sayFlowroute(checked, told, authID), err
}

// takeFlowrouteCheck presents a code to the verification that the auth_id names. It reports whether the verification has expired and this is the
// first time to say so.
func takeFlowrouteCheck(ctx context.Context, tx *store.Tx, slug, authID, code string) (checked verification.Checked, told bool, err error) {
	v, err := verification.ByExternalID(ctx, tx, slug, flowrouteDoor, authID)
	if err != nil {
		return checked, false, err
	}
	if checked, err = verification.Check(ctx, tx, slug, v.ID, code); err != nil || checked.Verification.State != verification.Expired {
		return checked, false, err
	}
	n, err := tx.TellExpired(ctx, db.TellExpiredParams{Tenant: slug, Door: flowrouteDoor, ExternalID: authID, Now: store.Millis(tx.Now())})
	return checked, n > 0, err
}

// sayFlowroute says in the service's words what a code came to. The service forgets an auth_id with the answer that ends it, so that what ended
// before is unknown; but that it has expired is said once.
func sayFlowroute(checked verification.Checked, expired bool, authID string) flowrouteAnswer {
	switch {
	case checked.Verdict == verification.Right:
		return flowrouteAnswer{Authenticated: true, AuthID: authID, Message: "Success: Authorization code verified.", status: http.StatusOK}
	case checked.Verdict == verification.Wrong:
		return failedCheck("Invalid code", "InvalidAuthCode", max(0, checked.Verification.MaxAttempts-checked.Verification.Attempts))
	case checked.Verdict == verification.Blocked:
		return tooManyAttempts(checked.Until)
	case checked.Verdict == verification.Asked: // counted, and not answered yet
		return flowrouteAnswer{Message: "Not compared yet", Reason: "Pending", status: http.StatusServiceUnavailable}
	case expired:
		return failedCheck("Expired code", "ExpiredAuthCode", 0)
	}
	return failedCheck("Unknown auth id", "UnknownAuthId", 0)
}

func failedCheck(message, reason string, attemptsLeft int) flowrouteAnswer {
	return flowrouteAnswer{Message: message, Reason: reason, AttemptsLeft: &attemptsLeft, status: http.StatusBadRequest}
}

// isAuthID reports whether the databases take a text as an auth_id.
func isAuthID(id string) bool {
	return id != "" && utf8.ValidString(id) && utf8.RuneCountInString(id) <= maxAuthID && !strings.ContainsRune(id, 0)
}

// flowrouteNumber is the number of a recipient, which the service wants as an integer that is eleven characters long: the digits of an American
// number, or a plus sign and ten digits. No number for anything else.
func flowrouteNumber(recipient string) phonemail.Number {
	if len(recipient) != 11 {
		return phonemail.Number{}
	}
	number, err := phonemail.ParseNumber("+" + strings.TrimPrefix(recipient, "+"))
	if err != nil {
		return phonemail.Number{}
	}
	return number
}

var anyInteger = regexp.MustCompile(`^\s*([+-]?)0*([0-9]+)\s*$`)

// flowrouteCode is the code that an integer stands for, filled up with zeros: the service compares numbers. An integer that cannot be a code
// becomes one that is certainly wrong, because it counts like any other. The second result is false for what is no integer.
func flowrouteCode(number string, digits int) (string, bool) {
	parts := anyInteger.FindStringSubmatch(number)
	switch {
	case parts == nil:
		return "", false
	case parts[1] != "-" && len(parts[2]) <= digits:
		return fillUp(parts[2], digits), true
	case digits < verification.MaxDigits:
		return strings.Repeat("0", digits+1), true
	}
	return strings.Repeat("0", digits-1), true
}

// maxLoose is far beyond any body of these doors.
const maxLoose = 8 << 10

// readLoose reads a small JSON object, or nothing of what is none. The content type must be JSON's: a page in somebody's browser cannot send
// that elsewhere without being asked first.
func readLoose(r *http.Request) map[string]json.RawMessage {
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

// loose is the text of a JSON string or number, "" for anything else.
func loose(value json.RawMessage) string {
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

// presentedKey is the key of a request: a bearer token (RFC 6750), or the password of Basic authentication (RFC 7617), which is how clients send
// what stands in their URL before the host.
func presentedKey(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// isLocal reports whether a Host header names this machine.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}
