package outbound

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

const (
	maxFlowrouteResponse = 4 << 20 // a page of the list, with bodies and receipts
	flowroutePage        = 250     // texts asked for at once
	flowroutePages       = 10      // it takes five texts a second, so that eight minutes' are there
)

// byFlowroute sends through Flowroute's Messaging API, version 2.1 or 2.2
// (https://developer.flowroute.com/api/messages/v2.1/).
type byFlowroute struct{ *Worker }

func (w byFlowroute) send(
	ctx context.Context, t *tenant.Tenant, a text.Attempt, _ time.Time,
) sendResult {
	body, err := json.Marshal(map[string]string{
		"to": flowrouteNumber(t, a.Phone.E164()), "from": flowrouteNumber(
			t, t.FlowrouteNumber(a.Line),
		), "body": plainQuotes(a.Body),
		"dlr_callback": w.settings().FlowrouteReceiptURL(t, a.ID, a.Case),
	})
	if err != nil {
		return sendResult{result: rejected}
	}
	var sent struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	answer, err := w.call(ctx, t, http.MethodPost, "messages", body, &sent)
	if err == nil && answer.status/100 == 2 && sent.Data.ID != "" {
		return sendResult{result: ok, id: sent.Data.ID}
	}
	return sendResult{
		result: resultOf(answer.status), code: strconv.Itoa(answer.status), reached: answer.reached,
		after: answer.after,
	}
}

// flowroutePageOf is a page of Flowroute's list.
type flowroutePageOf struct {
	Data []struct {
		ID         string `json:"id"`
		Attributes struct {
			To        string    `json:"to"`
			From      string    `json:"from"`
			Body      string    `json:"body"`
			Direction string    `json:"direction"`
			Timestamp time.Time `json:"timestamp"`
		} `json:"attributes"`
	} `json:"data"`
}

func (w byFlowroute) find(ctx context.Context, t *tenant.Tenant, a text.Attempt) ([]listed, error) {
	var texts []listed
	from, to := digits(t.FlowrouteNumber(a.Line)), digits(a.Phone.E164())
	for page := range flowroutePages {
		query := url.Values{
			"start_date": {a.Began.Add(-clocks).UTC().Format(time.RFC3339)},
			"limit":      {strconv.Itoa(flowroutePage)}, "offset": {strconv.Itoa(page * flowroutePage)},
		}
		var found flowroutePageOf
		answer, err := w.call(ctx, t, http.MethodGet, "messages?"+query.Encode(), nil, &found)
		if err != nil || answer.status != http.StatusOK {
			return nil, errors.New(
				"flowroute: the list of texts cannot be read, status " + strconv.Itoa(answer.status),
			)
		}
		for _, m := range found.Data {
			at := m.Attributes
			if at.Direction == "outbound" && digits(at.To) == to && digits(at.From) == from &&
				at.Body == plainQuotes(a.Body) {
				texts = append(texts, listed{id: m.ID, body: a.Body, created: at.Timestamp})
			}
		}
		if len(found.Data) < flowroutePage {
			return texts, nil
		}
	}
	return nil, errors.New("flowroute: the list of texts is too long, and may have the text")
}

// price reads the amount of a message detail record. Flowroute bills in US dollars. An amount of
// nothing says that it has not billed the text yet.
func (w byFlowroute) price(
	ctx context.Context, t *tenant.Tenant, providerID string,
) (price.Told, error) {
	var found struct {
		Data struct {
			Attributes struct {
				Nanodollars int64 `json:"amount_nanodollars"`
			} `json:"attributes"`
		} `json:"data"`
	}
	path := "messages/" + url.PathEscape(providerID)
	answer, err := w.call(ctx, t, http.MethodGet, path, nil, &found)
	nano := found.Data.Attributes.Nanodollars
	switch {
	case answer.status == http.StatusNotFound:
		return price.Told{}, nil
	case err != nil || answer.status != http.StatusOK:
		return price.Told{}, errors.New("flowroute: a text cannot be read, status " +
			strconv.Itoa(answer.status))
	case nano == 0:
		return price.Told{}, nil
	}
	return price.ReadTold(strconv.FormatFloat(float64(nano)/1e9, 'f', -1, 64), price.USD, 0)
}

// flowrouteAnswer is what came of a request, beside what was asked for.
type flowrouteAnswer struct {
	status  int           // 0 without a response
	reached bool          // Flowroute may have got the request
	after   time.Duration // how long the response asks to wait
}

// call makes one request and reads the JSON of its response. Errors contain neither the address nor
// the response.
func (w byFlowroute) call(
	ctx context.Context, t *tenant.Tenant, method, path string, body []byte, into any,
) (answer flowrouteAnswer, err error) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		answer.reached = true
	}})
	request, err := http.NewRequestWithContext(
		ctx, method, t.Sending.Flowroute.APIBase+"/"+t.Sending.Flowroute.Version+"/"+path,
		bytes.NewReader(body),
	)
	if err != nil {
		return answer, errors.New("flowroute: the API's address cannot be used")
	}
	request.SetBasicAuth(t.Sending.Flowroute.AccessKey, t.Sending.Flowroute.SecretKey.Reveal())
	request.Header.Set("Accept", "application/vnd.api+json")
	if body != nil {
		request.Header.Set("Content-Type", "application/vnd.api+json")
	}
	// RoundTrip, not Do: the keys must not follow a redirect.
	response, err := w.http.RoundTrip(request)
	if err != nil {
		return answer, errors.New("flowroute: no answer")
	}
	defer response.Body.Close()
	answer = flowrouteAnswer{response.StatusCode, true, retryAfter(response.Header)}
	if err := json.NewDecoder(
		io.LimitReader(response.Body, maxFlowrouteResponse),
	).Decode(into); err != nil {
		return answer, errors.New(
			"flowroute: the answer is not the JSON that was expected",
		)
	}
	return answer, nil
}

// flowrouteNumber is a number as the version of the API takes it: 2.1 digits only, 2.2 E.164.
func flowrouteNumber(t *tenant.Tenant, e164 string) string {
	if t.Sending.Flowroute.Version == "v2.1" {
		return digits(e164)
	}
	return e164
}

func digits(number string) string { return strings.TrimPrefix(number, "+") }

// plainQuotes replaces the quotes that word processors write. Flowroute refuses those.
func plainQuotes(body string) string {
	return strings.NewReplacer("‘", "'", "’", "'", "“", `"`, "”", `"`).Replace(body)
}
