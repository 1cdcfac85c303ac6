package outbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"smsbridge/internal/price"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// maxTwilioResponse is the most that is read of a response: a page of the list has 50 texts.
const maxTwilioResponse = 1 << 20

// longestValidity is the most that Twilio takes for ValidityPeriod, in seconds.
const longestValidity = 36000

// trialWords are what a trial account puts before each text, also in the list.
//
// Source: https://help.twilio.com/articles/360036052753
const trialWords = "Sent from your Twilio trial account - "

// byTwilio sends through Twilio's Messages
// (https://www.twilio.com/docs/messaging/api/message-resource).
type byTwilio struct{ *Worker }

func (w byTwilio) send(
	ctx context.Context, t *tenant.Tenant, a text.Attempt, now time.Time,
) sendResult {
	wire := &twilioWire{ctx: ctx, base: t.Sending.Twilio.APIBase, next: w.http}
	validity := min(max(int(a.Deadline.Sub(now).Seconds()), 1), longestValidity)
	form := url.Values{
		"To": {a.Phone.E164()}, "Body": {a.Body}, "ValidityPeriod": {strconv.Itoa(validity)},
		"StatusCallback": {w.settings().ReceiptURL(t.Slug, a.ID, a.Case)},
	}
	if tenant.IsService(a.Line.Sender) {
		form.Set("MessagingServiceSid", a.Line.Sender)
	} else {
		form.Set("From", a.Line.Sender)
	}
	created, err := createMessage(wire.handler(t), form)
	if err == nil && created.SID != nil {
		return sendResult{result: ok, id: *created.SID}
	}
	return wire.result(err)
}

// find leaves out what failed: Twilio lists each request that it refused, too, and sends none of
// them ("Message Creation API Errors" under https://help.twilio.com/articles/21923437804315).
func (w byTwilio) find(
	ctx context.Context, t *tenant.Tenant, a text.Attempt,
) ([]listed, error) {
	wire := &twilioWire{ctx: ctx, base: t.Sending.Twilio.APIBase, next: w.http}
	found, err := listMessages(wire.handler(t), a.Phone.E164(), a.Began.Add(-clocks))
	if errors.Is(err, errTwilioList) {
		return nil, err
	}
	if err != nil {
		status := strconv.Itoa(wire.status)
		return nil, errors.New("twilio: the list of texts cannot be read, status " + status)
	}
	var texts []listed
	for _, m := range found {
		created, known := m.created()
		failed := text.TwilioState(m.Status) == text.Failed
		if m.SID == nil || m.Body == nil || !known || failed {
			continue
		}
		sender := m.From
		if m.ServiceSID != nil && tenant.IsService(a.Line.Sender) {
			sender = m.ServiceSID
		}
		if sender != nil && *sender == a.Line.Sender {
			body := strings.TrimPrefix(*m.Body, trialWords)
			texts = append(texts, listed{id: *m.SID, body: body, created: created})
		}
	}
	return texts, nil
}

// price reads the price of a message. Twilio does not know it right away
// (https://www.twilio.com/docs/messaging/api/message-resource#message-properties).
func (w byTwilio) price(
	ctx context.Context, t *tenant.Tenant, providerID string,
) (price.Told, error) {
	wire := &twilioWire{ctx: ctx, base: t.Sending.Twilio.APIBase, next: w.http}
	m, err := fetchMessage(wire.handler(t), providerID)
	switch {
	case wire.status == http.StatusNotFound: // an operator deleted it
		return price.Told{}, nil
	case err != nil:
		return price.Told{}, errors.New("twilio: a text cannot be read, status " +
			strconv.Itoa(wire.status))
	case m.Price == nil:
		return price.Told{}, nil
	}
	segments, _ := strconv.Atoi(m.NumSegments) // without them, those that were counted stay
	return price.ReadTold(*m.Price, m.PriceUnit, segments)
}

// twilioResult says what Twilio's error codes mean (https://www.twilio.com/docs/api/errors),
// those of Messages and those of Verify. The second result is false for any other code: then the
// HTTP status says it.
func twilioResult(code int) (result, bool) {
	switch code {
	case 21211, 21217:
		return invalidNumber, true
	// The account is not active: it is suspended, or has no funds. It may be again within minutes.
	// The account, or its service at Verify, does not exist.
	case 10001, 20005, 20403, 90010, 20404:
		return notConfigured, true
	// Region not enabled, no route, no mobile phone, landline, no sender of the Messaging Service
	// reaches the number, landline, country not enabled.
	case 21408, 21612, 21614, 21635, 21703, 60205, 60605:
		return unreachable, true
	case 21610:
		return optedOut, true
	// The sender's queue is full, too many requests for one number at once.
	case 21611, 60212:
		return rateLimited, true
	// Premium rate, two guards against fraud, five texts, and two of Verify's guards.
	case 21268, 30450, 30453, 60203, 60238, 60410:
		return blocked, true
	}
	return "", false
}

// isCountryClosed reports whether a code of Twilio's says that the account may not text a country.
func isCountryClosed(code int) bool { return code == 21408 || code == 60605 }

// twilioWire sends one request of twilio-go to the tenant's API base and bounds it by a context.
// The hosts of twilio-go are constants, and it takes no context. It remembers what twilio-go
// forgets: the status of a response that twilio-go cannot decode, and whether there was a
// connection on which the request may have been sent. It also reads how long to wait.
type twilioWire struct {
	ctx    context.Context // of one request, as the wire is
	base   string
	next   http.RoundTripper
	status int
	after  time.Duration
	sent   bool
}

// result reads a response that is not a success. No error text of Twilio's is kept: it can quote
// the number.
func (w *twilioWire) result(err error) sendResult {
	code := w.code(err)
	result, known := twilioResult(code)
	if !known {
		result = resultOf(w.status)
	}
	return sendResult{
		result: result, code: strconv.Itoa(code), reached: w.sent, closed: isCountryClosed(code),
		after: w.after,
	}
}

// code is Twilio's error code, or else the HTTP status.
func (w *twilioWire) code(err error) int {
	if rest := new(client.TwilioRestError); errors.As(err, &rest) && rest.Code != 0 {
		return rest.Code
	}
	return w.status
}

func (w *twilioWire) handler(t *tenant.Tenant) *client.RequestHandler {
	c := &client.Client{
		Credentials: client.NewCredentials(t.Sending.Twilio.AccountSID,
			t.Sending.Twilio.AuthToken.Reveal()),
		HTTPClient: &http.Client{
			Transport: w, Timeout: providerTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.SetAccountSid(t.Sending.Twilio.AccountSID)
	return client.NewRequestHandler(c)
}

// RoundTrip implements http.RoundTripper.
func (w *twilioWire) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(w.base)
	if err != nil {
		return nil, errors.New("twilio: the API base is not a URL")
	}
	// The client's context ends when the response has been read, and the other one with the job.
	ctx, cancel := context.WithCancel(r.Context())
	context.AfterFunc(w.ctx, cancel)
	r = r.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { w.sent = true },
	}))
	r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, ""
	r.URL.Path = base.Path + r.URL.Path
	res, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	// twilio-go reads without a bound, and does not close the body of a refusal. A body that is cut
	// off says nothing more than its status.
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxTwilioResponse))
	w.status, w.after = res.StatusCode, retryAfter(res.Header)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}
