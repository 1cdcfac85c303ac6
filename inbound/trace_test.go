package inbound_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/meter"
	"smsbridge/internal/simulator/collector"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/trace"
)

// Ensure that a request is a span of each case that it is about: of two, for a mail to two phones.
// A request that proves nothing is about none, also when it names a case.
func TestRequestsAreTraced(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	c, err := collector.Open()
	require.NoError(t, err)
	t.Cleanup(c.Close)
	traces := trace.Open(trace.Options{
		URL: c.URL(), Share: 100, Now: func() time.Time { return b.Now }, Told: func(string, int) {},
	})
	b.Change(func(s *inbound.Server) {
		s.Meter, s.Traces = meter.New(func() time.Time { return b.Now }, nil), traces
	})
	form := inboundtest.MailForm(1)
	form.Set("recipient", "acme+4520123456@sms.acme.example,acme+4520123457@sms.acme.example")
	signed := inboundtest.Sign(form, signingKey, b.Now, inboundtest.Token(1))
	require.Equal(t, http.StatusOK, b.PostForm(t, "/mailgun/acme", signed).StatusCode)
	signed.Set("signature", "00")
	b.PostForm(t, "/mailgun/acme", signed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	traces.Close(ctx)
	var phones []string
	for _, s := range c.Spans() {
		require.Equal(t, "POST /mailgun/:tenant", s.Name)
		require.Equal(t, "SERVER", s.Kind)
		require.NotEmpty(t, s.Parent)
		phone := s.Values["smsbridge.phone"]
		delete(s.Values, "smsbridge.phone")
		phones = append(phones, phone)
		require.Equal(t, map[string]string{
			"smsbridge.tenant": "acme", "http.request.method": "POST",
			"http.route": "/mailgun/:tenant", "http.response.status_code": "200",
			"smsbridge.reason": "waits for its examination",
		}, s.Values)
	}
	require.ElementsMatch(t, []string{"+45******56", "+45******57"}, phones)
}
