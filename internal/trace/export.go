package trace

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	collectorpb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Results are what became of spans.
const (
	Sent       = "sent"        // the collector has them
	Refused    = "refused"     // it does not take them
	NoResponse = "no_response" // it did not respond, however often it was asked
	Full       = "full"        // there was no room: they came faster than it takes them
)

const (
	mostWaiting = 4096            // spans that may wait: about 4 MB
	mostSent    = 512             // spans in one request
	sendAfter   = 2 * time.Second // what waits for longer is sent
	sendWithin  = 10 * time.Second
	secondTry   = time.Second // the third waits twice as long
	sendTries   = 3
)

// Options say where spans go.
type Options struct {
	URL    string      // of the collector; /v1/traces is added
	Header http.Header // that it wants, such as a key
	// Share is how many of 100 cases are told of. All replicas tell of the same ones.
	Share int
	// The process, in the words of OpenTelemetry's semantic conventions for resources.
	Version, Node, Host string
	Now                 func() time.Time
	// Told is told what became of so many spans. It must return at once.
	Told func(result string, spans int)

	sendAfter, secondTry time.Duration // instead of the constants, in tests
}

// exporter sends spans in the order in which they ended.
type exporter struct {
	url      string
	header   http.Header
	resource *resourcepb.Resource
	told     func(result string, spans int)
	http     http.RoundTripper
	after    time.Duration // what waits for longer is sent
	wait     time.Duration // before the second try
	waiting  chan *tracepb.Span
	stopping chan struct{}
	once     sync.Once
	ended    chan struct{}
	ctx      context.Context // of the requests
	cut      context.CancelFunc
}

// Open returns a Tracer that sends until it is closed.
func Open(o Options) *Tracer {
	e := &exporter{
		url: o.URL + "/v1/traces", header: o.Header.Clone(), told: o.Told,
		after:   cmp.Or(o.sendAfter, sendAfter),
		wait:    cmp.Or(o.secondTry, secondTry),
		http:    toCollector(),
		waiting: make(chan *tracepb.Span, mostWaiting), stopping: make(chan struct{}),
		ended: make(chan struct{}),
		resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{
			text("service.name", "smsbridge"), text("service.version", o.Version),
			text("service.instance.id", o.Node), text("host.name", o.Host),
		}},
	}
	e.ctx, e.cut = context.WithCancel(context.Background())
	go e.run()
	return &Tracer{export: e, share: uint64(o.Share), now: o.Now}
}

// toCollector makes the requests. They speak HTTP/1.1, where a request that times out closes its
// connection. One of HTTP/2 stays, although a firewall may have forgotten it. Then spans would be
// lost until TCP gives up, after a quarter of an hour.
func toCollector() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	return transport
}

// Close sends what waits, and returns when it is sent or ctx ends.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	t.export.once.Do(func() { close(t.export.stopping) })
	select {
	case <-t.export.ended:
	case <-ctx.Done():
		t.export.cut()
		<-t.export.ended
	}
}

// add has a span wait, or drops it.
func (e *exporter) add(s *tracepb.Span) {
	select {
	case e.waiting <- s:
	default:
		e.told(Full, 1)
	}
}

// run sends what waits until the exporter is stopped and nothing waits any more.
func (e *exporter) run() {
	defer close(e.ended)
	defer e.cut()
	batch := make([]*tracepb.Span, 0, mostSent)
	for goesOn := true; goesOn; {
		batch = batch[:0]
		select {
		case s := <-e.waiting:
			batch, goesOn = e.gather(append(batch, s))
		case <-e.stopping:
			batch, goesOn = e.rest(batch)
		}
		if len(batch) > 0 {
			e.send(batch)
		}
	}
}

// gather adds to a batch what comes soon. It reports false when nothing will come after it.
func (e *exporter) gather(batch []*tracepb.Span) ([]*tracepb.Span, bool) {
	timer := time.NewTimer(e.after)
	defer timer.Stop()
	for len(batch) < mostSent {
		select {
		case s := <-e.waiting:
			batch = append(batch, s)
		case <-timer.C:
			return batch, true
		case <-e.stopping:
			return e.rest(batch)
		}
	}
	return batch, true
}

// rest adds to a batch what waits. It reports false when that was all.
func (e *exporter) rest(batch []*tracepb.Span) ([]*tracepb.Span, bool) {
	for len(batch) < mostSent {
		select {
		case s := <-e.waiting:
			batch = append(batch, s)
		default:
			return batch, false
		}
	}
	return batch, true
}

// errRefused says that the collector will not take the spans, however often they are sent.
var errRefused = errors.New("trace: the collector refuses spans")

// send sends a batch, some times when the collector does not respond. Meanwhile others wait, as
// many as there is room for.
func (e *exporter) send(batch []*tracepb.Span) {
	body, err := proto.Marshal(&collectorpb.ExportTraceServiceRequest{
		ResourceSpans: []*tracepb.ResourceSpans{{
			Resource: e.resource,
			ScopeSpans: []*tracepb.ScopeSpans{{
				Scope: &commonpb.InstrumentationScope{Name: "smsbridge"}, Spans: batch,
			}},
		}},
	})
	if err != nil {
		e.told(Refused, len(batch))
		return
	}
	for try := range sendTries {
		if try > 0 && !e.pause(e.wait<<(try-1)) {
			break
		}
		rejected, err := e.post(body)
		if errors.Is(err, errRefused) {
			rejected = len(batch)
		}
		if err == nil || rejected > 0 {
			if rejected > 0 {
				e.told(Refused, rejected)
			}
			if rejected < len(batch) {
				e.told(Sent, len(batch)-rejected)
			}
			return
		}
	}
	e.told(NoResponse, len(batch))
}

// pause waits, and reports false when the exporter is stopped meanwhile.
func (e *exporter) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-e.stopping:
		return false
	}
}

// mostResponse is how much of a response is read, in bytes.
const mostResponse = 64 << 10

// post makes one request, and returns how many spans the collector rejected. What it refuses for
// now may be sent again (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response).
func (e *exporter) post(body []byte) (rejected int, err error) {
	ctx, cancel := context.WithTimeout(e.ctx, sendWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return 0, errRefused
	}
	for name, values := range e.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "smsbridge")
	// RoundTrip, not Do: the key must not follow a redirect.
	res, err := e.http.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, mostResponse))
	switch {
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusBadGateway,
		res.StatusCode == http.StatusServiceUnavailable, res.StatusCode == http.StatusGatewayTimeout:
		return 0, errors.New("trace: the collector takes nothing now")
	case res.StatusCode/100 != 2:
		return 0, errRefused
	}
	var partly collectorpb.ExportTraceServiceResponse
	if err == nil && proto.Unmarshal(said, &partly) == nil {
		rejected = int(partly.GetPartialSuccess().GetRejectedSpans())
	}
	return rejected, nil
}
