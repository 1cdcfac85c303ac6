package outbound

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"time"

	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

const maxWebhookAnswer = 64 << 10

// byWebhook asks a sender of the tenant's own: a POST of a webhookText, signed as a Standard Webhook, whose webhook-id is the text's id. The sender
// answers 2xx when it will send the text and 4xx when it will not, then perhaps with {"result": …} to say why. It is asked again with the same id when
// its answer was lost, and must then not send a second time: it keeps no list that could be looked into.
type byWebhook struct{ *Worker }

// webhookText is a text as the sender is told it. deploy/smsbridge.yaml documents it.
type webhookText struct {
	ID        string    `json:"id"`
	To        string    `json:"to"`   // E.164
	From      string    `json:"from"` // where a reply must come from to be understood
	Text      string    `json:"text"`
	ExpiresAt time.Time `json:"expires_at"` // not worth sending later
}

func (w byWebhook) send(ctx context.Context, t *tenant.Tenant, a text.Attempt, now time.Time) outcome {
	body, err := json.Marshal(webhookText{a.ID, a.Phone.E164(), a.Line.Sender, a.Body, a.Deadline.UTC()})
	if err != nil {
		return outcome{result: rejected}
	}
	reached := false
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached = true }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Sending.Webhook.URL,
		bytes.NewReader(body))
	if err != nil {
		return outcome{result: notConfigured}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "smsbridge")
	sign(request.Header, t.Sending.Webhook.Keys(), a.ID, now, body)
	response, err := w.http.RoundTrip(request) // not Do: a text must not follow a redirect
	if err != nil {
		return outcome{result: timeout, reached: reached}
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxWebhookAnswer)) // what is cut off says nothing, and need not
	code := strconv.Itoa(response.StatusCode)
	if response.StatusCode/100 == 2 {
		return outcome{result: ok, id: a.ID}
	}
	o := outcome{result: resultOf(response.StatusCode), code: code, reached: true}
	var said struct {
		Result result `json:"result"`
	}
	if o.verdict() != unsure && json.Unmarshal(answer, &said) == nil && slices.Contains(refusals(), said.Result) {
		o.result = said.Result
	}
	return o
}

// refusals are the results with which a sender may refuse.
func refusals() []result {
	return []result{invalidNumber, unreachable, optedOut, rateLimited, blocked, notConfigured, rejected}
}

func (byWebhook) find(context.Context, *tenant.Tenant, text.Attempt) ([]listed, error) {
	return nil, nil
}
