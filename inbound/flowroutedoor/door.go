// Package flowroutedoor is the door for clients of Flowroute's SMS verification service.
//
// It responds as that service does: https://github.com/flowroute/sms-verification. Three
// differences are on purpose: a tenant can require a key, every malformed request is a 400, and
// a code may start with zeros.
package flowroutedoor

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// doorName marks the verifications that were started here.
const doorName = "flowroute"

// maxAuthID is the size of the service's column.
const maxAuthID = 120

// response is what the service says, in the order in which it does.
type response struct {
	Authenticated bool   `json:"authenticated,omitempty"`
	Message       string `json:"message"`
	Reason        string `json:"reason,omitempty"`
	AttemptsLeft  *int   `json:"attempts_left,omitempty"`
	AuthID        string `json:"auth_id,omitempty"`

	status int
	until  time.Time // when trying again may help
}

// Door is the door of one tenant. It has a listener of its own, because the service's paths name no
// tenant.
type Door struct {
	web.Edge
	Tenant *tenant.Tenant
}

// Route adds the paths of the door:
//
//	POST /                      texts a code
//	GET  /?auth_id=&code=       presents one
//	POST /check                 the same with a JSON body, for clients that keep codes out of URLs
func (d *Door) Route(e *echo.Echo) {
	e.POST("/", d.serve(d.create))
	e.GET("/", d.serve(func(c echo.Context) (response, error) {
		return d.check(c, c.QueryParam("auth_id"), c.QueryParam("code"))
	}))
	e.POST("/check", d.serve(func(c echo.Context) (response, error) {
		fields := web.ReadLoose(c.Request())
		return d.check(c, web.Loose(fields["auth_id"]), web.Loose(fields["code"]))
	}))
}

// serve proves who asks, writes the response and logs it.
func (d *Door) serve(do func(echo.Context) (response, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		var err error
		r := d.prove(c)
		if r.status == 0 {
			r, err = do(c)
		}
		if err != nil {
			r = response{
				Message: "Please try again", Reason: "Unavailable",
				status: http.StatusServiceUnavailable, until: d.Now().Add(5 * time.Second),
			}
		}
		d.LogDoor(c, "flowroute", d.Tenant.Slug, r.status, r.Reason, err)
		header := c.Response().Header()
		header.Set("Cache-Control", "no-store") // a GET here has effects
		if !r.until.IsZero() {
			wait := max(0, r.until.Sub(d.Now()).Seconds())
			header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait))))
		}
		return c.JSON(r.status, r)
	}
}

// prove refuses a request that may not be made here. The response has no status when it may.
func (d *Door) prove(c echo.Context) response {
	door, key := d.Tenant.Doors.Flowroute, web.PresentedKey(c.Request())
	switch {
	case !door.Allows(key):
		c.Response().Header().Set("WWW-Authenticate", `Basic realm="smsbridge"`)
		return response{
			Message: "A key is needed, as a bearer token or as a password",
			Reason:  "Unauthorized", status: http.StatusUnauthorized,
		}
	case len(door.Keys) == 0 && !isLocal(c.Request().Host):
		// A web page in a browser on this machine, whose own host name resolves to 127.0.0.1.
		return response{
			Message: "Without a key this is for localhost only",
			Reason:  "Forbidden", status: http.StatusForbidden,
		}
	}
	d.Used(d.Tenant.Slug, "flowroute_door.key", tenant.Place(door.Keys, key))
	return response{}
}

// malformed is what malformed input gets.
func malformed(message string) response {
	return response{Message: message, Reason: "InvalidAPIUsage", status: http.StatusBadRequest}
}

// create texts a code. A pending one with the same auth_id is replaced.
func (d *Door) create(c echo.Context) (response, error) {
	fields, t := web.ReadLoose(c.Request()), d.Tenant
	authID, phone := web.Loose(fields["auth_id"]), parseRecipient(web.Loose(fields["recipient"]))
	if !isAuthID(authID) || t.Check(phone, d.Now()) != nil {
		return malformed("Required arguments: 'auth_id' (str), 'recipient' (int, length=11)"), nil
	}
	web.About(c, "", phone)
	r := verification.For(t, doorName, phone)
	r.ExternalID, r.Replace, r.Renew, r.Length = authID, true, false, t.Doors.Flowroute.CodeLength
	r.Limits.Life, r.Limits.Sends = t.Doors.Flowroute.CodeExpiration, 1
	r.Limits.Attempts = t.Doors.Flowroute.RetriesAllowed
	r.Wording = func(code, _ string) string { return t.FlowrouteDoorText(code) }
	v, err := web.Commit(c.Request().Context(), d.Store,
		func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
			v, _, err := verification.Start(ctx, tx, r)
			return v, err
		})
	wait := new(verification.WaitError)
	switch {
	case errors.Is(err, verification.ErrOptedOut):
		return response{
			Message: "The recipient opted out of texts",
			Reason:  "RecipientOptedOut",
			status:  http.StatusBadRequest,
		}, nil
	case errors.As(err, &wait) && errors.Is(err, verification.ErrLimited):
		return response{
			Message: "Too many texts; try again later", Reason: "TooManyRequests",
			AttemptsLeft: new(int), status: http.StatusTooManyRequests, until: wait.Until,
		}, nil
	case errors.As(err, &wait):
		return tooManyAttempts(wait.Until), nil
	case err != nil:
		return response{}, err
	}
	web.About(c, v.ID, v.Phone)
	patient, cancel := d.AwaitSend(c.Request().Context())
	defer cancel()
	if v, err = verification.AwaitSent(patient, d.Store, v); err != nil {
		return response{}, err
	}
	if v.State == verification.Failed {
		return notSent(v), nil
	}
	return response{
		Message: "Success: Verification code created.",
		AuthID:  authID,
		status:  http.StatusOK,
	}, nil
}

func tooManyAttempts(until time.Time) response {
	return response{
		Message: "Too many wrong codes for this recipient", Reason: "TooManyAttempts",
		AttemptsLeft: new(int), status: http.StatusTooManyRequests, until: until,
	}
}

// notSent is what a client hears when no provider takes the text: the service, which sends within
// the request, has an internal error then.
func notSent(v verification.Verification) response {
	return response{
		Message: "The code could not be texted: " + string(v.Reason), Reason: "SendingFailed",
		AttemptsLeft: new(int), status: http.StatusInternalServerError,
	}
}

// check presents a code to what is known by the auth_id.
func (d *Door) check(c echo.Context, authID, number string) (response, error) {
	code, ok := parseCode(number, d.Tenant.Doors.Flowroute.CodeLength)
	if authID == "" || !ok {
		return malformed("Required arguments: 'auth_id' (str), 'code' (int)"), nil
	}
	if !isAuthID(authID) {
		return failedCheck("Unknown auth id", "UnknownAuthId", 0), nil
	}
	ctx, cancel := web.Bound(c.Request().Context())
	defer cancel()
	checked, err := web.Commit(ctx, d.Store, func(ctx context.Context, tx *store.Tx) (checked, error) {
		v, news, err := verification.CheckExternal(ctx, tx, d.Tenant.Slug, authID,
			verification.Presented{Door: doorName, Code: code})
		return checked{v, news}, err
	})
	if errors.Is(err, verification.ErrUnknown) {
		return failedCheck("Unknown auth id", "UnknownAuthId", 0), nil
	}
	web.About(c, checked.Verification.ID, checked.Verification.Phone)
	if err == nil {
		patient, cancel := d.Await(ctx)
		defer cancel()
		checked.Checked, err = verification.Await(patient, d.Store, checked.Checked)
	}
	return respond(checked, authID), err
}

// checked is what a code came to, and whether this is the first caller to hear that the
// verification has expired.
type checked struct {
	verification.Checked
	news bool
}

// respond says in the service's words what a code came to. The service forgets an auth_id with the
// response that ends it. So an auth_id that ended before is unknown here too. That it has expired
// is said once. That no provider took its text is said each time, because the client may not have
// waited for it when it asked for the code.
func respond(c checked, authID string) response {
	switch {
	case c.Verdict == verification.Right:
		return response{
			Authenticated: true,
			AuthID:        authID,
			Message:       "Success: Authorization code verified.",
			status:        http.StatusOK,
		}
	case c.Verdict == verification.Wrong:
		return failedCheck(
			"Invalid code",
			"InvalidAuthCode",
			max(0, c.Verification.MaxAttempts-c.Verification.Attempts),
		)
	case c.Verdict == verification.Blocked:
		return tooManyAttempts(c.Until)
	case c.Undecided():
		return response{
			Message: "Not compared yet",
			Reason:  "Pending",
			status:  http.StatusServiceUnavailable,
		}
	case c.Verification.State == verification.Failed:
		return notSent(c.Verification)
	case c.news:
		return failedCheck("Expired code", "ExpiredAuthCode", 0)
	}
	return failedCheck("Unknown auth id", "UnknownAuthId", 0)
}

func failedCheck(message, reason string, attemptsLeft int) response {
	return response{
		Message:      message,
		Reason:       reason,
		AttemptsLeft: &attemptsLeft,
		status:       http.StatusBadRequest,
	}
}

// isAuthID reports whether the databases take a text as an auth_id.
func isAuthID(id string) bool {
	return id != "" && store.IsText(id) && utf8.RuneCountInString(id) <= maxAuthID
}

// parseRecipient is the number of a recipient, which the service wants as an integer that is
// eleven characters long: the digits of an American number, or a plus sign and ten digits. No
// number for anything else.
func parseRecipient(recipient string) phonemail.Number {
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

// parseCode is the code that an integer stands for, filled up with zeros: the service compares
// numbers. An integer that cannot be a code becomes one that is certainly wrong, because it
// counts like any other. The second result is false for what is no integer.
func parseCode(number string, digits int) (string, bool) {
	parts := anyInteger.FindStringSubmatch(number)
	switch {
	case parts == nil:
		return "", false
	case parts[1] != "-" && len(parts[2]) <= digits:
		return verification.FillUp(parts[2], digits), true
	case parts[1] != "-" && len(parts[2]) <= verification.MaxDigits: // as a test number's may be
		return parts[2], true
	case digits < verification.MaxDigits:
		return strings.Repeat("0", digits+1), true
	}
	return strings.Repeat("0", digits-1), true
}

// isLocal reports whether a Host header names this machine.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}
