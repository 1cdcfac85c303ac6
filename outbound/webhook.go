package outbound

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

const maxWebhookResponse = 64 << 10

// byWebhook asks a sender of the tenant's own. The request is a POST of a webhookText, signed as
// a Standard Webhook, and its webhook-id is the text's id. The sender responds with 2xx when it
// will send the text. With 4xx it refuses, and may say why with {"result": …}. After a lost
// response it is asked again with the same id, and must not send a second time: it keeps no list
// in which the bridge could look.
type byWebhook struct{ *Worker }

// webhookText is the body of the request to a sender. deploy/smsbridge.yaml documents it.
type webhookText struct {
	ID        string    `json:"id"`
	To        string    `json:"to"`   // E.164
	From      string    `json:"from"` // where a reply must come from to be understood
	Text      string    `json:"text"`
	ExpiresAt time.Time `json:"expires_at"` // not worth sending later
}

func (w byWebhook) send(
	ctx context.Context, t *tenant.Tenant, a text.Attempt, now time.Time,
) sendResult {
	body, err := json.Marshal(
		webhookText{a.ID, a.Phone.E164(), a.Line.Sender, a.Body, a.Deadline.UTC()},
	)
	if err != nil {
		return sendResult{result: rejected}
	}
	reached := false
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		reached = true
	}})
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, t.Sending.Webhook.URL, bytes.NewReader(body),
	)
	if err != nil {
		return sendResult{result: notConfigured}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "smsbridge")
	Sign(request.Header, t.Sending.Webhook.Keys(), a.ID, now, body)
	response, err := w.http.RoundTrip(request) // not Do: a text must not follow a redirect
	if err != nil {
		return sendResult{result: timeout, reached: reached}
	}
	defer response.Body.Close()
	// A response that is cut off says nothing more than its status.
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxWebhookResponse))
	code := strconv.Itoa(response.StatusCode)
	if response.StatusCode/100 == 2 {
		return sendResult{result: ok, id: a.ID, record: recordPrice(t, a, answer)}
	}
	o := sendResult{
		result: resultOf(response.StatusCode), code: code, reached: true,
		after: retryAfter(response.Header),
	}
	var said struct {
		Result result `json:"result"`
	}
	if response.StatusCode/100 == 4 && json.Unmarshal(answer, &said) == nil && slices.Contains(
		refusals(), said.Result,
	) {
		o.result = said.Result
	}
	return o
}

// recordPrice is what is recorded when a sender that took a text said what it costs. It is nil when
// the sender said nothing of it.
func recordPrice(
	t *tenant.Tenant, a text.Attempt, answer []byte,
) func(context.Context, *store.Tx) error {
	var said struct {
		Price    json.Number `json:"price"`
		Currency string      `json:"currency"`
		Segments int         `json:"segments"`
	}
	if json.Unmarshal(answer, &said) != nil || said.Price == "" {
		return nil
	}
	told, err := price.ReadTold(string(said.Price), cmp.Or(said.Currency, price.USD), said.Segments)
	if err != nil {
		return nil
	}
	by := string(tenant.ByWebhook)
	return func(ctx context.Context, tx *store.Tx) error {
		return text.SetPrice(ctx, tx, a.ID, by, told, tablePrice(t, by, a.Phone.Country()))
	}
}

// price says nothing: a sender says it when it takes a text.
func (byWebhook) price(context.Context, *tenant.Tenant, string) (price.Told, error) {
	return price.Told{}, nil
}

// refusals are the results with which a sender may refuse.
func refusals() []result {
	return []result{
		invalidNumber, unreachable, optedOut, rateLimited, blocked, notConfigured, rejected,
	}
}

func (byWebhook) find(context.Context, *tenant.Tenant, text.Attempt) ([]listed, error) {
	return nil, nil
}
