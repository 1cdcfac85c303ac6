package outbound

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// BenchmarkFlow plays whole flows, 64 side by side, without the doors: a mail of 10 kB, its prompt,
// the yes, the click, the text about the outcome. Providers respond at once.
func BenchmarkFlow(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchFlow(b, "sqlite:"+b.TempDir()+"/bridge.db") })
}

// texted hears which texts Twilio was asked for, by phone.
type texted struct {
	mu    sync.Mutex
	waits map[string]chan struct{}
}

func (x *texted) next(phone string) chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.waits[phone]
	if c == nil {
		c = make(chan struct{}, 8)
		x.waits[phone] = c
	}
	return c
}

func benchFlow(b *testing.B, url string) {
	heard := &texted{waits: map[string]chan struct{}{}}
	var sids atomic.Int64
	twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(b, r.ParseForm())
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"sid": fmt.Sprintf("SM%032d", sids.Add(1)), "status": "queued",
		})
		heard.next(r.PostForm.Get("To")) <- struct{}{}
	}))
	defer twilio.Close()
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/done?success=true&code=success", http.StatusFound)
	}))
	defer idp.Close()
	host := strings.TrimPrefix(idp.URL, "http://")
	settings, err := tenant.FromEnv([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true",
		"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_SENDER_VERIFY=off", "SMSBRIDGE_IDP_HOSTS=" + host,
		"SMSBRIDGE_UNSAFE_ALLOW=127.0.0.0/8",
		"MAILGUN_API_KEY=key-7d81c4be1f072a8d6350e7b1fc2a95d8",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=" + accountSID, "TWILIO_AUTH_TOKEN=" + authToken, "TWILIO_FROM=" + number,
		"TWILIO_API_BASE=" + twilio.URL,
		// No limit: a flow whose text is refused would wait for it for ever.
		"SMSBRIDGE_LIMIT_WAIT=0s", "SMSBRIDGE_LIMIT_PHONE_HOUR=0", "SMSBRIDGE_LIMIT_PHONE_DAY=0",
		"SMSBRIDGE_LIMIT_PREFIX_HOUR=0", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=0",
		"SMSBRIDGE_LIMIT_ASKER_HOUR=0", "SMSBRIDGE_LIMIT_BREAKER=0", "SMSBRIDGE_DAILY_SEGMENTS=0",
	})
	require.NoError(b, err)
	s, err := store.Open(b.Context(), store.Options{URL: url, Key: storetest.Key})
	require.NoError(b, err)
	w := &Worker{Store: s, Settings: settings, Log: slog.New(slog.DiscardHandler)}
	w.Register()
	require.NoError(b, s.Start(b.Context()))
	defer func() {
		require.NoError(b, s.Stop(context.WithoutCancel(b.Context())))
		require.NoError(b, s.Close())
	}()
	var n atomic.Int64
	flow := func() {
		i := n.Add(1)
		phone, err := phonemail.ParseNumber(fmt.Sprintf("+45%d", 20_000_000+i))
		require.NoError(b, err)
		heard := heard.next(phone.E164())
		body := mail.Body{Subject: "Verify your email", From: "no-reply@acme.example",
			Text: "Welcome. Verify your account: http://" + host +
				fmt.Sprintf("/u/email-verification?ticket=%032d\n", i),
			HTML: strings.Repeat("<p>Welcome to ACME, we are glad</p>\n", 270)}
		d := mail.Delivery{
			Tenant: "acme", Recipients: []mail.Recipient{
				mail.To(phone, "acme"+phone.E164()+"@sms.acme.example"),
			},
			Token: fmt.Sprint("t", i), PostedAt: time.Now(), MessageID: fmt.Sprint("m", i, "@x"),
			Body: body, KeepBody: true,
		}
		packed := mail.Pack(s, d)
		require.NoError(b, s.Do(b.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := mail.Take(ctx, tx, packed)
			return err
		}))
		<-heard
		t := settings.Tenants.All()[0]
		received := reply.Received{
			ProviderID: fmt.Sprint("SM", i), Line: t.Line(phone), Phone: phone, Body: "YES",
			Sharing: settings.Tenants.ByLine(t.Line(phone)),
		}
		require.NoError(b, s.Do(b.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := reply.Take(ctx, tx, settings.Tenants, received)
			return err
		}))
		<-heard
	}
	b.ReportAllocs()
	b.ResetTimer()
	var flows sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	for range 64 {
		flows.Go(func() {
			for left.Add(-1) >= 0 {
				flow()
			}
		})
	}
	flows.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "flows/s")
}
