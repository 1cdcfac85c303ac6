package outbound

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/simulator/collector"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/trace"
)

// traces gives the worker a collector, and returns the spans that have ended by then.
func (w *world) traces() (spans func() []collector.Span) {
	c, err := collector.Open()
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	w.Traces = trace.Open(trace.Options{
		URL: c.URL(), Share: 100, Now: w.clock, Told: func(string, int) {},
	})
	return func() []collector.Span {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		w.Traces.Close(ctx)
		return c.Spans()
	}
}

// called are the spans of a name.
func called(spans []collector.Span, name string) (found []collector.Span) {
	for _, s := range spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// Ensure that each try of a job is a span, with a span for what the provider made of it: one that
// is tried again, and one that is refused for good.
func TestTextsAreTraced(t *testing.T) {
	w := quick(t)
	spans := w.traces()
	id := w.make(phone, "hello")
	w.twilio.Set(func(m *twilio.Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, 429, 20429 })
	require.NoError(t, w.sendText(t.Context(), id))
	w.wait(10 * time.Second)
	w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21211} })
	require.NoError(t, w.sendText(t.Context(), id))
	all := spans()
	jobs, calls := called(all, "send_text"), called(all, "twilio")
	require.Len(t, jobs, 2)
	require.Len(t, calls, 2)
	for i, code := range []string{"20429", "21211"} {
		require.Equal(t, jobs[i].ID, calls[i].Parent)
		require.Equal(t, jobs[0].Trace, calls[i].Trace)
		require.Equal(t, "CLIENT", calls[i].Kind)
		require.True(t, calls[i].Failed)
		require.Equal(t, code, calls[i].Values["smsbridge.code"])
		require.Equal(t, "outcome", calls[i].Values["smsbridge.purpose"])
		require.Equal(t, "+45******56", calls[i].Values["smsbridge.phone"])
	}
}

// Ensure that a click is a span with its steps, and that one which must wait says so. No link is in
// either.
func TestClicksAreTraced(t *testing.T) {
	w := quick(t)
	spans := w.traces()
	link, _ := w.provider(page(http.StatusNotFound, "<p>There is nothing here.</p>"))
	require.NoError(t, w.clickLink(t.Context(), w.accepted(link, challenge.Registration)))
	w.wait(7 * time.Second)
	down := "http://127.0.0.1:1/lo/verify_email?ticket=abcdefghijklmnop12345678"
	w.trust("http://127.0.0.1:1")
	w.snoozed(w.clickLink(t.Context(), w.accepted(down, challenge.Registration)))
	all := spans()
	jobs, clicks := called(all, "click_link"), called(all, "click")
	require.Len(t, jobs, 2)
	require.Len(t, clicks, 2)
	require.True(t, clicks[0].Failed)
	require.Equal(t, "GET", clicks[0].Steps[0]["http.request.method"])
	require.Equal(t, "404", clicks[0].Steps[0]["http.response.status_code"])
	require.Equal(t, "again", jobs[1].Values["smsbridge.result"])
	require.False(t, jobs[1].Failed)
	require.Equal(t, "unreachable", clicks[1].Values["smsbridge.outcome"])
	for _, s := range all {
		for _, value := range s.Values {
			require.NotContains(t, value, "ticket")
		}
	}
}

// Ensure that a job which fails has one of few kinds of errors, by which a collector counts. The
// words of the error are beside it.
func TestFailuresAreTraced(t *testing.T) {
	w := quick(t)
	spans := w.traces()
	job := begun[text.Attempt]{row: text.Attempt{Tenant: "acme", Case: store.NewID()}}
	late := fmt.Errorf("store: reading: %w", context.DeadlineExceeded)
	for _, failure := range []error{errors.New("store: row 4711 is gone"), late} {
		require.Equal(t, failure, traced(t.Context(), w.Worker, "send_text", job,
			func(context.Context, begun[text.Attempt]) error { return failure }))
	}
	found := spans()
	require.Len(t, found, 2)
	require.Equal(t, "_OTHER", found[0].Values["error.type"])
	require.Equal(t, "store: row 4711 is gone", found[0].Why)
	require.Equal(t, "timeout", found[1].Values["error.type"])
}

// Ensure that an app which is told of an event can go on with the trace, in both kinds of
// callbacks. Without a collector it is told of no trace.
func TestCallbacksAreTraced(t *testing.T) {
	w := quick(t)
	app := listen(t, w)
	require.NoError(t, w.notify(t.Context(), w.verified().ID))
	require.NotContains(t, app.headers[0], "Traceparent")
	app = subscribe(w, "verification.approved")
	spans := w.traces()
	v := w.verified()
	w.tellApp()
	news := listen(t, w)
	news.answer(http.StatusServiceUnavailable)
	w.snoozed(w.notify(t.Context(), v.ID))
	found := called(spans(), "callback")
	require.Len(t, found, 2)
	for i, header := range []http.Header{app.headers[0], news.headers[0]} {
		require.Equal(t, "00-"+found[i].Trace+"-"+found[i].ID+"-01", header.Get("Traceparent"))
		require.Equal(t, "+45******56", found[i].Values["smsbridge.phone"])
	}
	require.Equal(t, "verification.approved", found[0].Values["smsbridge.event"])
	require.Equal(t, "204", found[0].Values["http.response.status_code"])
	require.True(t, found[1].Failed)
}
