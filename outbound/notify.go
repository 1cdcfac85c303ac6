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
	"github.com/riverqueue/river"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
)

const (
	// notifyPatience is how long after the end of a verification an app that does not take the news is told again.
	notifyPatience = 24 * time.Hour
	maxNotifyReply = 64 << 10 // of an answer that nobody reads
)

// notice is the body of a callback. Its fields are part of the API: see callbacks in inbound/openapi.yaml.
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
}

// notify does the job notify: it tells the tenant's app how a verification ended, until the app answers 2xx.
func (w *Worker) notify(ctx context.Context, id string) error {
	var (
		v   verification.Verification
		now time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		v, err = verification.ByID(ctx, tx, id)
		return err
	})
	if errors.Is(err, verification.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	t, ok := w.Settings.Tenants.Tenant(v.Tenant)
	if !ok || t.API.Callback.URL == "" {
		return nil
	}
	if err := w.postNotice(ctx, t, v, now); err != nil {
		w.Log.Warn("the app did not take the news", "tenant", t.Slug, "verification", id, "error", err)
		if now.Sub(v.Ended) > notifyPatience {
			return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
				return tx.Record(ctx, v.Tenant, id, "verification.not_notified", "")
			})
		}
		return river.JobSnooze(min(max(now.Sub(v.Ended), 2*time.Second), time.Hour))
	}
	w.Log.Info("the app was told", "tenant", t.Slug, "verification", id, "status", string(v.State))
	return w.Store.Do(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
		return tx.Record(ctx, v.Tenant, id, "verification.notified", "")
	})
}

// postNotice makes one attempt. Its errors contain neither the address nor the answer.
func (w *Worker) postNotice(ctx context.Context, t *tenant.Tenant, v verification.Verification, now time.Time) error {
	body, err := json.Marshal(notice{
		Type: "verification." + string(v.State), Timestamp: v.Ended.UTC().Format(time.RFC3339Nano),
		Data: noticeData{v.ID, v.Door, v.ExternalID, v.Phone.E164(), string(v.State), v.Attempts, v.Sends},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.API.Callback.URL,
		bytes.NewReader(body))
	if err != nil {
		return errors.New("the callback's address cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "smsbridge")
	sign(request.Header, t.API.Callback.Keys(), v.ID, now, body)
	client := &http.Client{
		Transport:     noticeTransport(t.Links.UnsafeAllow),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		if errors.Is(err, errAddress) {
			return errAddress
		}
		return errors.New("no answer")
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxNotifyReply)
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("answered %d", response.StatusCode)
	}
	return nil
}

// sign adds the three headers of Standard Webhooks: one signature for each key, so that a receiver may change keys at its own time. The id stays the
// same when a notice is sent again, so that the receiver can tell.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func sign(header http.Header, keys [][]byte, id string, now time.Time, body []byte) {
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

var errAddress = errors.New("the address is not public")

// noticeTransport connects to public addresses only, on port 443, and to those that the tenant allows nevertheless. The address is judged when it is
// dialed, after all name resolution.
func noticeTransport(unsafeAllow []netip.Prefix) *http.Transport {
	guardian := ssrf.New(ssrf.WithPorts(443))
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(network, address string, conn syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress
		}
		allowed := slices.ContainsFunc(unsafeAllow, func(p netip.Prefix) bool { return p.Contains(ap.Addr().Unmap()) })
		if !allowed && guardian.Safe(network, address, conn) != nil {
			return errAddress
		}
		return nil
	}}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: providerTimeout,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, DisableKeepAlives: true,
	}
}
