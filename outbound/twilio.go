package outbound

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"

	"github.com/twilio/twilio-go/client"
	twilio "github.com/twilio/twilio-go/rest/api/v2010"

	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// longestValidity is the most that Twilio takes for ValidityPeriod, in seconds.
const longestValidity = 36000

// byTwilio sends through Twilio's Messages (https://www.twilio.com/docs/messaging/api/message-resource).
type byTwilio struct{ *Worker }

func (w byTwilio) send(_ context.Context, t *tenant.Tenant, a text.Attempt, now time.Time) outcome {
	wire := &twilioWire{base: t.Sending.Twilio.APIBase, next: w.http}
	params := (&twilio.CreateMessageParams{}).SetTo(a.Phone.E164()).SetBody(a.Body).
		SetStatusCallback(w.Settings.ReceiptURL(t.Slug, a.ID)).
		SetValidityPeriod(min(max(int(a.Deadline.Sub(now).Seconds()), 1), longestValidity))
	if isService(a.Line.Sender) {
		params.SetMessagingServiceSid(a.Line.Sender)
	} else {
		params.SetFrom(a.Line.Sender)
	}
	created, err := twilio.NewApiService(wire.handler(t)).CreateMessage(params)
	if err == nil && created.Sid != nil {
		return outcome{result: ok, id: *created.Sid}
	}
	return wire.outcome(err)
}

func (w byTwilio) find(_ context.Context, t *tenant.Tenant, a text.Attempt) ([]listed, error) {
	wire := &twilioWire{base: t.Sending.Twilio.APIBase, next: w.http}
	params := (&twilio.ListMessageParams{}).SetTo(a.Phone.E164()).SetPageSize(50).SetLimit(50)
	found, err := twilio.NewApiService(wire.handler(t)).ListMessage(params)
	if err != nil {
		return nil, errors.New("twilio: the list of texts cannot be read, status " + strconv.Itoa(wire.status))
	}
	var texts []listed
	for _, m := range found {
		if m.Sid == nil || m.Body == nil || m.DateCreated == nil {
			continue
		}
		created, err := time.Parse(time.RFC1123Z, *m.DateCreated)
		if err != nil {
			continue
		}
		sender := m.From
		if m.MessagingServiceSid != nil && isService(a.Line.Sender) {
			sender = m.MessagingServiceSid
		}
		if sender != nil && *sender == a.Line.Sender {
			texts = append(texts, listed{id: *m.Sid, body: *m.Body, created: created})
		}
	}
	return texts, nil
}

// twilioResult says what Twilio's error codes mean (https://www.twilio.com/docs/api/errors), those of Messages and those of Verify. For all others
// the HTTP status does.
func twilioResult(code int) (result, bool) {
	switch code {
	case 21211, 21217:
		return invalidNumber, true
	case 21408, 21612, 21614, 21635, 60205, 60605: // region not enabled, no route, no mobile phone, landline, landline, country not enabled
		return unreachable, true
	case 21610:
		return optedOut, true
	case 21611, 60212: // the sender's queue is full; too many requests for one number at once
		return rateLimited, true
	case 21268, 60203, 60238, 60410: // premium rate, five texts, and two of Verify's guards against fraud
		return blocked, true
	}
	return "", false
}

// isService reports whether a sender is a messaging service, not a number.
func isService(sender string) bool { return len(sender) > 2 && sender[:2] == "MG" }

// twilioWire sends one request of twilio-go, whose hosts are constants, to the tenant's API base, and remembers what twilio-go forgets: the status
// of an answer it cannot decode, and whether there was a connection on which the request may have been sent.
type twilioWire struct {
	base   string
	next   http.RoundTripper
	status int
	sent   bool
}

// outcome reads an answer that was not the one hoped for. No error text of Twilio's is kept: it can quote the number.
func (w *twilioWire) outcome(err error) outcome {
	code := w.code(err)
	result, known := twilioResult(code)
	if !known {
		result = resultOf(w.status)
	}
	return outcome{result: result, code: strconv.Itoa(code), reached: w.sent}
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
		HTTPClient: &http.Client{Transport: w, Timeout: providerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
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
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { w.sent = true }})
	r = r.Clone(ctx)
	r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, ""
	r.URL.Path = base.Path + r.URL.Path
	res, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.status = res.StatusCode
	return res, nil
}
