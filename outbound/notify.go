package outbound

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/trace"
	"smsbridge/internal/verification"
)

// maxNoticeResponse is how much of a response is read before its connection is closed, in bytes.
const maxNoticeResponse = 64 << 10

// notice is the body of a callback. Its fields are part of the API: see callbacks in
// inbound/api/openapi.yaml.
type notice struct {
	Type      string     `json:"type"` // verification.approved, verification.expired, …
	Timestamp string     `json:"timestamp"`
	Data      noticeData `json:"data"`
}

type noticeData struct {
	ID         string `json:"id"`
	Door       string `json:"door"`
	ExternalID string `json:"external_id,omitempty"`
	Phone      string `json:"phone"`
	Status     string `json:"status"`
	Attempts   int    `json:"attempts"`
	Sends      int    `json:"sends"`
	Reason     string `json:"reason,omitempty"` // why it failed
	Test       bool   `json:"test,omitempty"`   // its phone is a test number
}

// findEnded begins the job notify.
func findEnded(
	ctx context.Context, tx store.View, id string,
) (verification.Verification, bool, error) {
	v, err := verification.ByID(ctx, tx, id)
	if errors.Is(err, verification.ErrUnknown) {
		return v, false, nil
	}
	return v, err == nil, err
}

// notify does the job notify: it tells the tenant's app how a verification ended, until the app
// responds with 2xx or the job's patience ends.
func (w *Worker) notify(ctx context.Context, b begun[verification.Verification]) error {
	v := b.row
	t, known := w.settings().Tenants.Tenant(v.Tenant)
	if !known || t.API.Callback.URL == "" {
		return nil
	}
	event := "verification.notified"
	began := w.Meter.Now()
	status, err := w.postNotice(ctx, t, v, b.now)
	w.calledBack(t.Slug, status, err, began)
	if err != nil {
		w.ofVerification(v).Warn("the app did not take the news", "error", err)
		if b.patient(v.Ended) {
			return b.again(v.Ended)
		}
		event = "verification.not_notified"
	} else {
		w.ofVerification(v).Info("the app was told", "status", string(v.State))
	}
	return w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Record(ctx, v.Tenant, v.ID, event, "")
	})
}

// postNotice makes one attempt, and returns the status of the response, 0 for none. Its errors
// contain neither the address nor the response.
func (w *Worker) postNotice(
	ctx context.Context, t *tenant.Tenant, v verification.Verification, now time.Time,
) (status int, err error) {
	body, err := json.Marshal(notice{
		Type: "verification." + string(v.State), Timestamp: v.Ended.UTC().Format(time.RFC3339Nano),
		Data: noticeData{
			v.ID, v.Door, v.ExternalID, v.Phone.E164(), string(v.State), v.Attempts, v.Sends,
			string(v.Reason), v.Test,
		},
	})
	if err != nil {
		return 0, err
	}
	span := trace.Child(ctx, "callback", trace.Call)
	status, err = postSigned(ctx, signed{
		t.API.Callback.URL, t.API.Callback.Keys(), v.ID, body, span.Parent(),
	}, t.Links.UnsafeAllow, now)
	endCallback(span, status, err)
	return status, err
}

// signed is a request that tells a tenant's app something.
type signed struct {
	url    string
	keys   [][]byte
	id     string // by which the app knows it
	body   []byte
	parent string // the header traceparent, "" for none
}

// postSigned posts once, and returns the status of the response, 0 for none. Its errors contain
// neither the address nor the response.
func postSigned(
	ctx context.Context, s signed, unsafeAllow []netip.Prefix, now time.Time,
) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(s.body))
	if err != nil {
		return 0, errors.New("the callback's address cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "smsbridge")
	if s.parent != "" {
		request.Header.Set("traceparent", s.parent)
	}
	Sign(request.Header, s.keys, s.id, now, s.body)
	client := &http.Client{
		Transport:     noticeTransport(unsafeAllow),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		if errors.Is(err, errAddress) {
			return 0, errAddress
		}
		return 0, errNoAnswer
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxNoticeResponse)
	if response.StatusCode/100 != 2 {
		return response.StatusCode, fmt.Errorf("answered %d", response.StatusCode)
	}
	return response.StatusCode, nil
}

// Sign adds the three headers of Standard Webhooks. There is one signature for each key, so that
// a receiver may change keys when it likes. A retry has the same id, by which the receiver knows
// it.
//
// Source:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func Sign(header http.Header, keys [][]byte, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	signatures := ""
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
		if i > 0 {
			signatures += " "
		}
		signatures += "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", timestamp)
	header.Set("webhook-signature", signatures)
}

var (
	errAddress  = errors.New("the address is not public")
	errNoAnswer = errors.New("no answer")
)

// noticeTransport connects to public addresses only, on port 443, and to those that the tenant
// allows nevertheless. The address is judged when it is dialed, after all name resolution.
func noticeTransport(unsafeAllow []netip.Prefix) *http.Transport {
	guardian := ssrf.New(ssrf.WithPorts(443))
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(
		network, address string, conn syscall.RawConn,
	) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress
		}
		allowed := slices.ContainsFunc(unsafeAllow, func(p netip.Prefix) bool {
			return p.Contains(ap.Addr().Unmap())
		})
		if !allowed && guardian.Safe(network, address, conn) != nil {
			return errAddress
		}
		return nil
	}}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second,
		ResponseHeaderTimeout:  providerTimeout,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, DisableKeepAlives: true,
	}
}
