package twilio

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"smsbridge/internal/simulator/loopback"
)

// Kinds of a [Hook].
const (
	HookReply    = "reply"    // a phone has replied: the reply URL was called
	HookFallback = "fallback" // the reply URL failed: the fallback URL was called
	HookReceipt  = "receipt"  // a text has a new status: its StatusCallback was called
)

// Hook is one request that the pretend Twilio made; a retry is another one.
type Hook struct {
	Kind    string
	SID     string     // of the text
	URL     string     // as called and signed, without the fragment
	Form    url.Values // the parameters posted
	Attempt int        // 1 for the first
	// Failure is the class of failure that a retry policy names: ct (no connection), rt (no or no
	// whole response in time), 4xx, 5xx, or empty.
	Failure string
	// Code is what Twilio's debugger would show: 11200 for no usable response, 12300 for a
	// response that is not XML, 12100 for XML that is not TwiML, or 0.
	Code        int
	Status      int // of the response, 0 if there was none
	ContentType string
	Body        string // of the response, at most 64 KiB
	Time        time.Time
}

// Debugger codes (https://www.twilio.com/docs/api/errors).
const (
	codeRetrieval   = 11200
	codeParsing     = 12100
	codeContentType = 12300
)

// maxResponse bounds the response to a webhook, in bytes.
const maxResponse = 64 << 10

// Hooks returns the requests made so far, oldest first, each once its response is in.
func (t *Account) Hooks() []Hook {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.hooks)
}

// param is one form parameter; real webhooks have an order, which url.Values would lose.
type param struct{ name, value string }

// hookEvent is something that a webhook is told.
type hookEvent struct {
	kind, sid string
	url       string // as configured, perhaps with a fragment of connection overrides
	params    []param
	hostile   []param // posted too, but not signed
	token     string  // I-Twilio-Idempotency-Token
}

// call posts an event, again as often as the connection overrides of its URL ask for, and
// returns the last attempt.
func (t *Account) call(ctx context.Context, event hookEvent) Hook {
	target, overrides := parseOverrides(event.url)
	event.url = target
	ctx, cancel := context.WithTimeout(ctx, overrides.total)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	for attempt := 1; ; attempt++ {
		hook := t.post(ctx, event, overrides.timeLimits)
		hook.Attempt = attempt
		t.mu.Lock()
		t.hooks = append(t.hooks, hook)
		t.mu.Unlock()
		if attempt > overrides.retries || !overrides.retry(hook.Failure) || ctx.Err() != nil {
			return hook
		}
	}
}

// post makes one request and judges the response.
func (t *Account) post(ctx context.Context, event hookEvent, timeouts timeLimits) Hook {
	all := slices.Concat(event.params, event.hostile)
	hook := Hook{Kind: event.kind, SID: event.sid, URL: event.url, Form: url.Values{},
		Time: t.config.Now()}
	for _, p := range all {
		hook.Form.Add(p.name, p.value)
	}
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, event.url,
		strings.NewReader(encode(all)))
	if err != nil {
		hook.Failure, hook.Code = "ct", codeRetrieval
		return hook
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	request.Header.Set("User-Agent", "TwilioProxy/1.1")
	request.Header.Set("I-Twilio-Idempotency-Token", event.token)
	request.Header.Set("X-Twilio-Signature", sign(t.config.AuthToken, event.url, event.params))

	response, err := t.client(timeouts).Do(request)
	var body []byte
	if err == nil {
		defer response.Body.Close()
		body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse))
	}
	switch {
	case err != nil && !connected.Load():
		hook.Failure, hook.Code = "ct", codeRetrieval
		return hook
	case err != nil:
		hook.Failure, hook.Code = "rt", codeRetrieval
		return hook
	}
	hook.Status, hook.Body, hook.ContentType = response.StatusCode, string(body),
		response.Header.Get("Content-Type")
	hook.judge()
	return hook
}

// judge sets Failure and Code from the response. A receipt only needs a 2xx; a reply needs
// TwiML or an empty body.
func (h *Hook) judge() {
	switch {
	case h.Status >= 400 && h.Status < 500:
		h.Failure = "4xx"
	case h.Status >= 500:
		h.Failure = "5xx"
	}
	media, _, _ := mime.ParseMediaType(h.ContentType)
	switch {
	case h.Status < 200 || h.Status > 299: // a redirect too: we do not follow any
		h.Code = codeRetrieval
	case h.Kind == HookReceipt || strings.TrimSpace(h.Body) == "":
	case media != "text/xml" && media != "application/xml":
		h.Code = codeContentType
	default:
		if _, err := parseTwiML(h.Body); err != nil {
			h.Code = codeParsing
		}
	}
}

// client returns the HTTP client for the time-outs; it keeps connections, as Twilio's proxies do.
func (t *Account) client(timeouts timeLimits) *http.Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	if client := t.clients[timeouts]; client != nil {
		return client
	}
	dialer := &net.Dialer{Timeout: timeouts.connect, Control: loopback.Control}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   timeouts.connect,
			ResponseHeaderTimeout: timeouts.read,
			MaxIdleConnsPerHost:   16,
			IdleConnTimeout:       10 * time.Second,
		},
		CheckRedirect: loopback.NoRedirect,
	}
	t.clients[timeouts] = client
	return client
}

// encode encodes the parameters as a form, in their order.
func encode(params []param) string {
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value)
	}
	return strings.Join(pairs, "&")
}

// sign returns X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the parameters sorted
// by name (https://www.twilio.com/docs/usage/security#validating-requests). The URL has no
// fragment.
func sign(authToken, target string, params []param) string {
	sorted := slices.SortedStableFunc(slices.Values(params), func(a, b param) int {
		return strings.Compare(a.name, b.name)
	})
	mac := hmac.New(sha1.New, []byte(authToken))
	io.WriteString(mac, target)
	for _, p := range sorted {
		io.WriteString(mac, p.name+p.value)
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Sign returns the X-Twilio-Signature of a form that is posted to a URL, as it is configured at
// Twilio and without its fragment.
func Sign(authToken, target string, form url.Values) string {
	var params []param
	for name, values := range form {
		for _, value := range values {
			params = append(params, param{name, value})
		}
	}
	return sign(authToken, target, params)
}

// timeLimits bound the connecting (TCP and TLS) and the wait for a response.
type timeLimits struct{ connect, read time.Duration }

// connectionOverrides are the connection overrides of one URL.
type connectionOverrides struct {
	timeLimits
	total   time.Duration // all attempts together
	retries int
	policy  []string // failure classes that are retried
}

// parseOverrides cuts the fragment off a webhook URL and reads ct, rt, tt, rc and rp from it.
// Values out of range, and other keys, are ignored
// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
func parseOverrides(raw string) (string, connectionOverrides) {
	target, fragment, _ := strings.Cut(raw, "#")
	o := connectionOverrides{
		timeLimits: timeLimits{connect: 5 * time.Second, read: 15 * time.Second},
		total:      15 * time.Second, retries: 1, policy: []string{"ct"},
	}
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return target, o
	}
	number := func(key string, least, most int, set func(int)) {
		if n, err := strconv.Atoi(values.Get(key)); err == nil && n >= least && n <= most {
			set(n)
		}
	}
	number("ct", 100, 10000, func(ms int) { o.connect = time.Duration(ms) * time.Millisecond })
	number("rt", 100, 15000, func(ms int) { o.read = time.Duration(ms) * time.Millisecond })
	number("tt", 100, 15000, func(ms int) { o.total = time.Duration(ms) * time.Millisecond })
	number("rc", 0, 5, func(n int) { o.retries = n })
	if values.Has("rp") {
		o.policy = strings.Split(values.Get("rp"), ",")
	}
	return target, o
}

// retry reports whether a failure of this class is tried again.
func (o connectionOverrides) retry(failure string) bool {
	return failure != "" && (slices.Contains(o.policy, failure) || slices.Contains(o.policy, "all"))
}
