package outbound

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/health"
	"smsbridge/internal/meter"
	"smsbridge/internal/tenant"
	"smsbridge/linkclick"
)

// This file counts what workers ask of others, and tells the monitor what goes well and what does
// not.

// slow is how long a provider of texts may take before that is worth a finding.
const slow = 5 * time.Second

// askedFor counts a request to send a text.
func (w *Worker) askedFor(s sending, by tenant.Provider, r sendResult, began time.Time) {
	now := w.Meter.Now()
	w.Meter.Took(string(by), string(r.result), now.Sub(began))
	switch code := credentials(by); r.result {
	case notConfigured:
		w.Meter.Wrong(code, s.Tenant)
	case ok:
		w.Meter.Well(code, s.Tenant)
		w.Meter.Stage(meter.Asked, now.Sub(s.Created))
	}
	if r.result == timeout || now.Sub(began) >= slow {
		w.Meter.Wrong(health.ProviderSlow, string(by))
	} else {
		w.Meter.Well(health.ProviderSlow, string(by))
	}
}

// credentials is the finding that a provider refuses those of a tenant.
func credentials(by tenant.Provider) health.Code {
	switch by {
	case tenant.ByVerify:
		return health.VerifyAuth
	case tenant.ByFlowroute:
		return health.FlowrouteAuth
	case tenant.ByWebhook:
		return health.WebhookAuth
	}
	return health.TwilioAuth
}

// askedMailgun counts a request to Mailgun's API. A status is a response; 0 is none.
func (w *Worker) askedMailgun(slug string, status int, began time.Time) {
	result := "no_response"
	if status != 0 {
		result = strconv.Itoa(status)
	}
	w.Meter.Took("mailgun", result, w.Meter.Now().Sub(began))
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		w.Meter.Wrong(health.MailgunKey, slug)
		w.Meter.Well(health.MailgunDown, slug)
	case status == 0, status >= 500:
		w.Meter.Wrong(health.MailgunDown, slug)
	default:
		w.Meter.Well(health.MailgunKey, slug)
		w.Meter.Well(health.MailgunDown, slug)
	}
}

// lookedUp counts whether the DNS said which key a signature has, or that there is none. A look-up
// that a stop ended says nothing.
func (w *Worker) lookedUp(ctx context.Context, slug string, err error) {
	switch {
	case err == nil:
		w.Meter.Well(health.DNS, slug)
	case ctx.Err() == nil:
		w.Meter.Wrong(health.DNS, slug)
	}
}

// clicked counts a click.
func (w *Worker) clicked(slug string, r linkclick.Result, began time.Time) {
	w.Meter.Took("identity_provider", string(r.Outcome), w.Meter.Now().Sub(began))
	switch r.Reason {
	case linkclick.ReasonConnect, linkclick.ReasonTimeout, linkclick.ReasonNoAnswer,
		linkclick.ReasonServerError:
		w.Meter.Wrong(health.IdPDown, slug)
	default:
		w.Meter.Well(health.IdPDown, slug)
	}
}

// ended counts how long a question took that has ended with a click.
func (w *Worker) ended(c challenge.Challenge) {
	now := w.Meter.Now()
	w.Meter.Stage(meter.Answered, c.Accepted.Sub(c.Opened))
	w.Meter.Stage(meter.Clicked, now.Sub(c.Accepted))
	w.Meter.Stage(meter.Whole, now.Sub(c.Opened))
}

// calledBack counts what a tenant's app made of what it was told at an address. A response that an
// event is not wanted any more is what the app means.
func (w *Worker) calledBack(of string, status int, err error, began time.Time) {
	result, tell := "ok", w.Meter.Well
	if err != nil {
		result = "refused"
		if status != http.StatusGone {
			tell = w.Meter.Wrong
		}
		if errors.Is(err, errNoAnswer) || errors.Is(err, errAddress) {
			result = "no_response"
		}
	}
	w.Meter.Took("callback", result, w.Meter.Now().Sub(began))
	tell(health.Callback, of)
}
