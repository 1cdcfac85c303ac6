package trace

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/collector"
	"smsbridge/internal/store/fact"
	"smsbridge/phonemail"
)

// trial is a tracer and its collector.
type trial struct {
	*testing.T
	*Tracer
	to *collector.Server

	mu   sync.Mutex
	told map[string]int
}

func newTrial(t *testing.T, change func(o *Options, c *collector.Manners)) *trial {
	c, err := collector.Open()
	require.NoError(t, err)
	t.Cleanup(c.Close)
	tr := &trial{T: t, to: c, told: map[string]int{}}
	o := Options{
		URL: c.URL(), Share: 100, Version: "1", Node: "n", Host: "h", Now: time.Now,
		sendAfter: 100 * time.Millisecond, secondTry: time.Millisecond,
		Told: func(result string, spans int) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			tr.told[result] += spans
		},
	}
	if change != nil {
		c.Set(func(m *collector.Manners) { change(&o, m) })
	}
	tr.Tracer = Open(o)
	t.Cleanup(tr.close)
	return tr
}

// close closes the tracer, and gives the collector a minute.
func (t *trial) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	t.Close(ctx)
}

func (t *trial) results() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.told)
}

func aCase() Case {
	phone, err := phonemail.ParseNumber("+4520123456")
	if err != nil {
		panic(err)
	}
	return Case{Tenant: "acme", ID: uuid.Must(uuid.NewV7()).String(), Phone: phone}
}

// Ensure that the id of a case is the id of its trace, that the spans hang together, and that no
// number is told. What waits is sent at the end.
func TestOneTrace(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, func(o *Options, _ *collector.Manners) {
		o.Header = http.Header{"X-Key": {"secret"}}
	})
	of := aCase()
	tr.Hear([]fact.Fact{
		{Tenant: "acme", Subject: of.ID, Name: "mail.received"},
		{Tenant: "acme", Subject: of.ID, Name: "challenge.open"}, // it is of the mail
		{Tenant: "acme", Subject: "none", Name: "mail.received"},
	})
	ctx, job := tr.Start(t.Context(), of, "send_text", Job)
	require.Same(t, job, Of(ctx))
	call := Child(ctx, "twilio", Call)
	call.SetInt("http.response.status_code", 503)
	call.Set("empty", "")
	call.Step("GET", "acme.example", 302)
	call.Fail("timeout", "it took too long")
	call.End()
	job.End()
	id, err := uuid.Parse(of.ID)
	require.NoError(t, err)
	trace := id.String()[:8] + id.String()[9:13] + id.String()[14:18] + id.String()[19:23] +
		id.String()[24:]
	require.Regexp(t, "^00-"+trace+"-[0-9a-f]{16}-01$", call.Parent())
	tr.close()
	spans := map[string]collector.Span{}
	for _, s := range tr.to.Spans() {
		require.Equal(t, trace, s.Trace)
		require.Equal(t, "smsbridge", s.Process["service.name"])
		require.Equal(t, "acme", s.Values["smsbridge.tenant"])
		require.False(t, s.Ended.Before(s.Began))
		spans[s.Name] = s
	}
	require.Len(t, spans, 3)
	require.Empty(t, spans["mail"].Parent)
	require.Equal(t, spans["mail"].ID, spans["send_text"].Parent)
	require.Equal(t, spans["send_text"].ID, spans["twilio"].Parent)
	require.Equal(t, "CONSUMER", spans["send_text"].Kind)
	twilio := spans["twilio"]
	require.True(t, twilio.Failed)
	require.Equal(t, "it took too long", twilio.Why)
	require.Equal(t, map[string]string{
		"smsbridge.tenant": "acme", "smsbridge.phone": "+45******56", "error.type": "timeout",
		"http.response.status_code": "503",
	}, twilio.Values)
	require.Equal(t, []map[string]string{{
		"http.request.method": "GET", "server.address": "acme.example",
		"http.response.status_code": "302",
	}}, twilio.Steps)
	require.Equal(t, map[string]int{Sent: 3}, tr.results())
	require.Equal(t, "secret", tr.to.Headers()[0].Get("X-Key"))
	for _, body := range tr.to.Bodies() {
		require.NotContains(t, string(body), "20123456")
	}
}

// Ensure that codes and questions of apps begin traces too, and nothing else does.
func TestOpenings(t *testing.T) {
	for name, want := range map[string]string{
		"mail.received": "mail", "verification.pending": "verification", "mail.examined": "",
		"challenge.open": "", "text.sent": "",
	} {
		require.Equal(t, want, opening(fact.Fact{Name: name}), name)
	}
	asked := fact.Fact{Name: "challenge.open", About: fact.About{Purpose: "app"}}
	require.Equal(t, "question", opening(asked))
}

// Ensure that a share of the cases is told of, and that two replicas tell of the same ones.
func TestShare(t *testing.T) {
	some := func(o *Options, _ *collector.Manners) { o.Share = 20 }
	one, other := newTrial(t, some), newTrial(t, some)
	told := 0
	for range 2000 {
		of := aCase()
		span := one.Begin(of, "x", Job, time.Now())
		require.Equal(t, span == nil, other.Begin(of, "x", Job, time.Now()) == nil)
		if span != nil {
			told++
		}
	}
	require.InDelta(t, 400, told, 120)
}

// Ensure that what the collector does not take now is sent again, and that what it refuses is not.
func TestCollectorRefuses(t *testing.T) {
	t.Parallel()
	type (
		does = collector.Manners
		is   = map[string]int
	)
	for name, test := range map[string]struct {
		manners  collector.Manners
		told     map[string]int
		requests int
	}{
		"well":           {does{}, is{Sent: 2}, 1},
		"busy twice":     {does{FailNext: 2}, is{Sent: 2}, 3},
		"busy":           {does{FailNext: 9, FailStatus: 429}, is{NoResponse: 2}, 3},
		"refuses":        {does{FailNext: 9, FailStatus: 401}, is{Refused: 2}, 1},
		"takes one":      {does{Reject: 1}, is{Sent: 1, Refused: 1}, 1},
		"takes none":     {does{Reject: 2}, is{Refused: 2}, 1},
		"no such server": {does{FailNext: 9, FailStatus: 404}, is{Refused: 2}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrial(t, func(_ *Options, m *collector.Manners) { *m = test.manners })
			for range 2 {
				tr.Begin(aCase(), "x", Job, time.Now()).End()
			}
			require.Eventually(t, func() bool {
				sum := 0
				tr.mu.Lock()
				defer tr.mu.Unlock()
				for _, n := range tr.told {
					sum += n
				}
				return sum == 2
			}, time.Minute, 10*time.Millisecond)
			require.Equal(t, test.told, tr.results())
			require.Len(t, tr.to.Bodies(), test.requests)
		})
	}
}

// Ensure that a collector that hangs holds up no step: what finds no room is dropped and counted.
// The end does not wait for it for longer than it is given.
func TestHangingCollector(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, func(_ *Options, m *collector.Manners) { m.Hang = true })
	for range mostSent { // a request is under way with these
		tr.Begin(aCase(), "x", Job, time.Now()).End()
	}
	require.NoError(t, tr.to.Wait(t.Context(), func() bool { return len(tr.to.Bodies()) > 0 }))
	waiting := len(tr.export.waiting)
	for range mostWaiting - waiting + 10 {
		tr.Begin(aCase(), "x", Job, time.Now()).End()
	}
	require.Equal(t, map[string]int{Full: 10}, tr.results())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr.Close(ctx)
	require.Equal(t, mostSent+mostWaiting-waiting, tr.results()[NoResponse])
	tr.Close(ctx) // harmless
}

// Ensure that a tracer that is not there costs nothing.
func TestOffCostsNothing(t *testing.T) {
	var off *Tracer
	of, ctx := aCase(), t.Context()
	cost := testing.AllocsPerRun(100, func() {
		inside, span := off.Start(ctx, of, "send_text", Job)
		span.Set("a", "b")
		span.SetInt("a", 1)
		span.Step("GET", "acme.example", 200)
		child := Child(inside, "twilio", Call)
		child.Fail("timeout", "it took too long")
		child.End()
		if child.Parent() != "" || off.Begin(of, "x", Job, off.Now()) != nil {
			panic("there is a span")
		}
		off.Hear([]fact.Fact{{Name: "mail.received"}})
		span.End()
	})
	require.Zero(t, cost)
	off.Close(ctx)
}

// Ensure that a collector that speaks HTTP/2 is spoken to in HTTP/1.1, where a request that gets no
// response takes its connection along.
func TestDeadConnectionIsNotKept(t *testing.T) {
	t.Parallel()
	spoken := make(chan string, sendTries)
	server := httptest.NewUnstartedServer(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) { spoken <- r.Proto }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	tr := newTrial(t, func(o *Options, _ *collector.Manners) { o.URL = server.URL })
	transport := tr.export.http.(*http.Transport)
	defer transport.CloseIdleConnections()
	transport.TLSClientConfig = &tls.Config{
		RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
	}
	tr.Begin(aCase(), "GET /x", Request, time.Now()).End()
	require.Equal(t, "HTTP/1.1", <-spoken)
}
