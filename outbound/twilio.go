package outbound

import (
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

// verdict is what Twilio made of a text.
type verdict int

const (
	taken   verdict = iota // it has the text
	refused                // it will never send it
	untried                // it did nothing: trying again is safe
	unsure                 // the answer was lost, or says nothing
)

// codeOptedOut is Twilio's error for a phone that replied STOP (https://www.twilio.com/docs/api/errors/21610).
const codeOptedOut = "21610"

// longestValidity is the most that Twilio takes for ValidityPeriod, in seconds.
const longestValidity = 36000

// createText asks Twilio to send a text and returns Twilio's id, or its error code. No error text of Twilio's is returned: it can quote the number.
func (w *Worker) createText(t *tenant.Tenant, a text.Attempt, now time.Time) (verdict, string) {
	wire := &twilioWire{base: t.Twilio.APIBase, next: w.http}
	params := (&twilio.CreateMessageParams{}).SetTo(a.Phone.E164()).SetBody(a.Body).
		SetStatusCallback(w.Settings.ReceiptURL(t.Slug, a.ID)).
		SetValidityPeriod(min(max(int(a.Deadline.Sub(now).Seconds()), 1), longestValidity))
	if isService(a.Line.Sender) {
		params.SetMessagingServiceSid(a.Line.Sender)
	} else {
		params.SetFrom(a.Line.Sender)
	}
	created, err := wire.api(t).CreateMessage(params)
	if err == nil && created.Sid != nil {
		return taken, *created.Sid
	}
	code := strconv.Itoa(wire.status)
	if rest := new(client.TwilioRestError); errors.As(err, &rest) && rest.Code != 0 {
		code = strconv.Itoa(rest.Code)
	}
	switch {
	case wire.status == http.StatusTooManyRequests, wire.status == http.StatusUnauthorized, !wire.sent:
		return untried, code
	case wire.status >= 400 && wire.status < 500:
		return refused, code
	}
	return unsure, code
}

// listed is a text as Twilio's list shows it.
type listed struct {
	id      string
	body    string
	sender  string // number or service
	created time.Time
}

// listTexts returns the newest texts that Twilio took for the attempt's phone.
func (w *Worker) listTexts(t *tenant.Tenant, a text.Attempt) ([]listed, error) {
	wire := &twilioWire{base: t.Twilio.APIBase, next: w.http}
	found, err := wire.api(t).ListMessage((&twilio.ListMessageParams{}).SetTo(a.Phone.E164()).SetPageSize(50).SetLimit(50))
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
		l := listed{id: *m.Sid, body: *m.Body, created: created}
		if m.MessagingServiceSid != nil && isService(a.Line.Sender) {
			l.sender = *m.MessagingServiceSid
		} else if m.From != nil {
			l.sender = *m.From
		}
		texts = append(texts, l)
	}
	return texts, nil
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

func (w *twilioWire) api(t *tenant.Tenant) *twilio.ApiService {
	c := &client.Client{
		Credentials: client.NewCredentials(t.Twilio.AccountSID, t.Twilio.AuthToken.Reveal()),
		HTTPClient: &http.Client{Transport: w, Timeout: providerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	c.SetAccountSid(t.Twilio.AccountSID)
	return twilio.NewApiService(client.NewRequestHandler(c))
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
