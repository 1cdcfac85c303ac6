package outbound

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// provider is a way to send texts: Twilio's Messages, Twilio Verify, Flowroute, or a sender of the
// tenant's own.
type provider interface {
	// send asks the provider to send a text. It returns at the latest when ctx ends.
	send(ctx context.Context, t *tenant.Tenant, a text.Attempt, now time.Time) sendResult
	// find returns the texts that the provider has lately taken for the attempt's phone, from the
	// attempt's sender. A provider that keeps no list returns none. It returns an error when the
	// provider cannot be asked.
	find(ctx context.Context, t *tenant.Tenant, a text.Attempt) ([]listed, error)
	// price returns what a text cost, by the provider's id of it. It returns the zero Told while the
	// provider does not know, or when it never says. It returns price.ErrTold when the provider says
	// something else, and another error when it cannot be asked.
	price(ctx context.Context, t *tenant.Tenant, providerID string) (price.Told, error)
}

func (w *Worker) provider(name tenant.Provider) provider {
	switch name {
	case tenant.ByVerify:
		return byVerify{w}
	case tenant.ByFlowroute:
		return byFlowroute{w}
	case tenant.ByWebhook:
		return byWebhook{w}
	}
	return byTwilio{w}
}

// route lists the providers that may be asked to send a text: from the one that was asked last, all
// that follow it in the tenant's order. Verify sends only codes.
func route(t *tenant.Tenant, a text.Attempt) []tenant.Provider {
	all := slices.DeleteFunc(slices.Clone(t.Sending.Providers), func(p tenant.Provider) bool {
		return p == tenant.ByVerify && a.VerificationID == ""
	})
	return all[max(slices.Index(all, tenant.Provider(a.Provider)), 0):]
}

// result is what came of asking a provider to send a text.
type result string

const (
	ok            result = "ok"             // it has the text
	invalidNumber result = "invalid_number" // the number is none
	unreachable   result = "unreachable"    // a number, but not one that gets texts from this sender
	optedOut      result = "opted_out"      // the phone said STOP to this sender
	rateLimited   result = "rate_limited"   // not now
	blocked       result = "blocked"        // the provider suspects fraud, or has sent enough
	notConfigured result = "not_configured" // the provider does not know us
	rejected      result = "rejected"       // any other refusal
	timeout       result = "timeout"        // no response
	unknown       result = "unknown"        // a response that does not say what happened
)

// sendResult is a result with what is known about it. It contains no text of the provider's, which
// could quote the number.
type sendResult struct {
	result  result
	code    string // the provider's own error code, or the HTTP status
	id      string // the provider's id of the text, when ok
	reached bool   // the provider may have got the request
	closed  bool   // unreachable because the account may not text the country
	kept    bool   // no other provider may be asked meanwhile
	// after is how long the provider asks to be left alone, 0 when it does not say.
	after time.Duration
	// record records what else is to be kept when the text was taken. It may be nil.
	record func(ctx context.Context, tx *store.Tx) error
}

// verdict is what a result means for the text.
type verdict int

const (
	taken   verdict = iota // the provider has it
	refused                // it will never send it
	untried                // it did nothing: a retry is safe
	unsure                 // the response was lost, or says nothing
)

func (r sendResult) verdict() verdict {
	switch r.result {
	case ok:
		return taken
	case rateLimited, notConfigured:
		return untried
	case unknown:
		return unsure
	case timeout:
		if r.reached {
			return unsure
		}
		return untried
	}
	return refused
}

// reason is the word of the API for a refusal.
func (r sendResult) reason() verification.Reason {
	switch {
	case r.result == invalidNumber:
		return verification.NumberInvalid
	case r.result == optedOut:
		return verification.OptedOut
	case r.result == blocked, r.closed:
		return verification.NotPermitted
	case r.result == unreachable:
		return verification.NumberUnreachable
	}
	return verification.ProviderRefused
}

// passable reports whether the next provider may be asked: this one certainly does nothing, and its
// reason is not one that holds for all. A block protects the person and the bill, and no other
// provider is asked to get around it.
func (r sendResult) passable() bool {
	switch r.result {
	case optedOut, invalidNumber, blocked:
		return false
	}
	v := r.verdict()
	return !r.kept && (v == refused || v == untried)
}

// retryAfter is how long a response asks its client to wait, 0 when it does not say. A date is
// compared with the response's own, so that no clock needs to be right.
//
// Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(header http.Header) time.Duration {
	said := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(said, 10, 32); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	until, err := http.ParseTime(said)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return max(until.Sub(now), 0)
}

// resultOf is the result that an HTTP status stands for; 0 is no response. With 425 a server has
// done nothing, and with 408 neither (RFC 8470 section 5.2, RFC 9110 section 15.5.9). But a
// proxy may say 408 when the server behind it took too long, and that one has the request by then.
func resultOf(status int) result {
	switch {
	case status == 0:
		return timeout
	case status == http.StatusUnauthorized:
		return notConfigured
	case status == http.StatusTooManyRequests, status == http.StatusTooEarly:
		return rateLimited
	case status == http.StatusRequestTimeout:
		return unknown
	case status >= 400 && status < 500:
		return rejected
	}
	return unknown
}

// listed is a text as a provider's list shows it.
type listed struct {
	id      string
	body    string
	created time.Time
	// record is as in sendResult.
	record func(ctx context.Context, tx *store.Tx) error
}
