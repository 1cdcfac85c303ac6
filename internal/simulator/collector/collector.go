// Package collector plays a collector of OpenTelemetry: it takes traces by OTLP over HTTP, in
// protobuf, and shows the spans that it has
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
package collector

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	collectorpb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"smsbridge/internal/simulator/loopback"
)

// Manners are how the collector behaves. The zero value takes all.
type Manners struct {
	// FailNext refuses that many requests with FailStatus; 0 means 503.
	FailNext, FailStatus int
	// Reject says in the next response that it rejected so many of the spans.
	Reject int
	// Hang keeps the caller waiting until it gives up, or the collector is closed.
	Hang bool
}

// Span is one span, in words.
type Span struct {
	Trace, ID, Parent string // in hex; Parent is "" for the first of a trace
	Name, Kind        string // of the kinds SERVER, CLIENT, CONSUMER, INTERNAL
	Failed            bool
	Why               string // it failed, in words
	Began, Ended      time.Time
	Values            map[string]string
	Steps             []map[string]string
	Process           map[string]string // the resource
}

// Server is the collector. Everything is held in memory until Close. Safe for use by several
// goroutines.
type Server struct {
	server *loopback.Server

	mu      sync.Mutex
	manners Manners
	spans   []Span
	bodies  [][]byte
	headers []http.Header
	changed chan struct{} // closed, and made anew, when something has come
}

// Open opens a collector on a free loopback port.
func Open() (*Server, error) {
	server, err := loopback.Open("")
	if err != nil {
		return nil, err
	}
	s := &Server{server: server, changed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", s.take)
	server.Serve(mux)
	return s, nil
}

// URL is the address to which /v1/traces is added.
func (s *Server) URL() string { return s.server.URL() }

// Close ends it.
func (s *Server) Close() { _ = s.server.Close() }

// Set changes the manners.
func (s *Server) Set(change func(m *Manners)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.manners)
}

// Spans are those that came, in the order in which they began.
func (s *Server) Spans() []Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.spans)
	slices.SortStableFunc(all, func(a, b Span) int { return a.Began.Compare(b.Began) })
	return all
}

// Bodies are the requests that came, also those that were refused.
func (s *Server) Bodies() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bodies)
}

// Headers are those of the requests that came.
func (s *Server) Headers() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.headers)
}

// Wait waits until what came is enough.
func (s *Server) Wait(ctx context.Context, enough func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if enough() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	m := s.manners
	s.manners.FailNext, s.manners.Reject = max(0, m.FailNext-1), 0
	s.bodies, s.headers = append(s.bodies, body), append(s.headers, r.Header.Clone())
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	switch {
	case m.Hang:
		select {
		case <-r.Context().Done():
		case <-s.server.Context().Done():
		}
		return
	case m.FailNext > 0 && m.FailStatus != 0:
		w.WriteHeader(m.FailStatus)
		return
	case m.FailNext > 0:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case r.Header.Get("Content-Type") != "application/x-protobuf":
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	var asked collectorpb.ExportTraceServiceRequest
	if proto.Unmarshal(body, &asked) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.keep(&asked)
	response := &collectorpb.ExportTraceServiceResponse{}
	if m.Reject > 0 {
		response.PartialSuccess = &collectorpb.ExportTracePartialSuccess{
			RejectedSpans: int64(m.Reject),
		}
	}
	said, err := proto.Marshal(response)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(said)
}

func (s *Server) keep(asked *collectorpb.ExportTraceServiceRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range asked.ResourceSpans {
		process := values(of.Resource.GetAttributes())
		for _, in := range of.ScopeSpans {
			for _, span := range in.Spans {
				s.spans = append(s.spans, read(span, process))
			}
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func read(span *tracepb.Span, process map[string]string) Span {
	const prefix = len("SPAN_KIND_")
	read := Span{
		Trace: hex.EncodeToString(span.TraceId), ID: hex.EncodeToString(span.SpanId),
		Parent: hex.EncodeToString(span.ParentSpanId),
		Name:   span.Name, Kind: span.Kind.String()[prefix:],
		Failed: span.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR,
		Why:    span.Status.GetMessage(),
		Began:  time.Unix(0, int64(span.StartTimeUnixNano)),
		Ended:  time.Unix(0, int64(span.EndTimeUnixNano)),
		Values: values(span.Attributes), Process: process,
	}
	for _, e := range span.Events {
		read.Steps = append(read.Steps, values(e.Attributes))
	}
	return read
}

func values(all []*commonpb.KeyValue) map[string]string {
	said := map[string]string{}
	for _, kv := range all {
		switch v := kv.Value.GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			said[kv.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			said[kv.Key] = strconv.FormatInt(v.IntValue, 10)
		}
	}
	return said
}
