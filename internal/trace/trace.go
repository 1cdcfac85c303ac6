// Package trace tells a collector what the bridge did for each case, as OpenTelemetry (OTLP over
// HTTP), if the operator has one.
//
// It is for the edges, which begin and end spans, and for cmd, which makes a [Tracer]. The id of a
// case is a UUID, and so are 16 bytes: it is the id of the trace. So all that happened for one mail
// or code of one phone is one trace, from the mail to the callback: a day later too, and on another
// replica. No context is passed between them. The first span, which the others are below, is made
// by the commit that opens the case.
//
// It promises that no step waits for the collector or fails because of it. Spans wait in bounded
// memory, and those that find no room are dropped and counted. A span has no link, code, key, word
// of a mail, or full number. A nil Tracer and a nil Span do nothing, and cost nothing.
//
// The spans are those of OTLP's own definition. OpenTelemetry's SDK is not used: its spans live in
// contexts, its queue does not say how many it dropped, and its exporter links gRPC.
package trace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"smsbridge/internal/store/fact"
	"smsbridge/phonemail"
)

// Kind is on which side of a call a span is.
type Kind = tracepb.Span_SpanKind

// The kinds of spans.
const (
	Job     = tracepb.Span_SPAN_KIND_CONSUMER
	Request = tracepb.Span_SPAN_KIND_SERVER // a caller asked the bridge
	Call    = tracepb.Span_SPAN_KIND_CLIENT // the bridge asked another party
)

// Case is whose span it is.
type Case struct {
	Tenant, ID string
	Phone      phonemail.Number // it is masked
}

// Tracer makes spans, and has them sent.
type Tracer struct {
	export *exporter
	share  uint64 // of 100: how many cases are told of
	now    func() time.Time
}

// identity is what follows from the id of a case, alike in all replicas.
type identity struct {
	trace uuid.UUID
	root  [8]byte // the first span
	lot   uint64  // decides whether the case is told of
}

func identify(caseID string) (identity, bool) {
	id, err := uuid.Parse(caseID)
	if err != nil {
		return identity{}, false
	}
	sum := sha256.Sum256(id[:])
	i := identity{trace: id, lot: binary.BigEndian.Uint64(sum[8:16]) % 100}
	copy(i.root[:], sum[:8])
	return i, true
}

// currentKey is where a context has the span that is under way.
type currentKey struct{}

// Start begins a span of a case. [Child] and [Of] find it in the context.
func (t *Tracer) Start(
	ctx context.Context, of Case, name string, kind Kind,
) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	s := t.Begin(of, name, kind, t.now())
	if s == nil {
		return ctx, nil
	}
	return context.WithValue(ctx, currentKey{}, s), s
}

// Begin returns a span of a case that began at a time.
func (t *Tracer) Begin(of Case, name string, kind Kind, began time.Time) *Span {
	if t == nil {
		return nil
	}
	id, is := identify(of.ID)
	if !is || id.lot >= t.share {
		return nil
	}
	s := t.span(id, of, name, kind, began)
	s.data.SpanId, s.data.ParentSpanId = newSpanID(), id.root[:]
	return s
}

// Now is the time of the tracer's clock.
func (t *Tracer) Now() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.now()
}

// Hear makes the first spans of the cases that a transaction opened.
func (t *Tracer) Hear(facts []fact.Fact) {
	if t == nil {
		return
	}
	for _, f := range facts {
		name := opening(f)
		if name == "" {
			continue
		}
		id, is := identify(f.Subject)
		if !is || id.lot >= t.share {
			continue
		}
		s := t.span(id, Case{Tenant: f.Tenant, ID: f.Subject}, name, Job, t.now())
		s.data.SpanId, s.data.Kind = id.root[:], tracepb.Span_SPAN_KIND_INTERNAL
		s.Set("smsbridge.country", f.Country)
		s.End()
	}
}

// opening names the case that a fact opens, or is "".
func opening(f fact.Fact) string {
	switch {
	case f.Name == "mail.received":
		return "mail"
	case f.Name == "verification.pending":
		return "verification"
	case f.Name == "challenge.open" && f.Purpose == "app": // others belong to a mail
		return "question"
	}
	return ""
}

func (t *Tracer) span(
	id identity, of Case, name string, kind Kind, began time.Time,
) *Span {
	s := &Span{t: t, of: of, data: &tracepb.Span{
		TraceId: id.trace[:], Flags: 1, Name: name, Kind: kind,
		StartTimeUnixNano: uint64(began.UnixNano()),
	}}
	s.Set("smsbridge.tenant", of.Tenant)
	if of.Phone != (phonemail.Number{}) {
		s.Set("smsbridge.phone", of.Phone.String())
	}
	return s
}

func newSpanID() []byte {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // it never fails
	return id
}

// Span is one thing that the bridge does for a case. One goroutine uses it at a time.
type Span struct {
	t    *Tracer
	of   Case
	data *tracepb.Span
}

// Of is the span that is under way in a context, or nil.
func Of(ctx context.Context) *Span {
	s, _ := ctx.Value(currentKey{}).(*Span)
	return s
}

// Child begins a span below the one that is under way in a context. It is nil when there is none.
func Child(ctx context.Context, name string, kind Kind) *Span {
	parent := Of(ctx)
	if parent == nil {
		return nil
	}
	id, _ := identify(parent.of.ID)
	s := parent.t.span(id, parent.of, name, kind, parent.t.now())
	s.data.SpanId, s.data.ParentSpanId = newSpanID(), parent.data.SpanId
	return s
}

// mostValue bounds what a span says in one value.
const mostValue = 256

// Set says one thing of a span, unless the value is "". It is one of the bridge's own words, or a
// host, and never a link or a secret.
func (s *Span) Set(key, value string) {
	if s != nil && value != "" {
		s.data.Attributes = append(s.data.Attributes, text(key, value))
	}
}

// SetInt says a number of a span, unless it is 0.
func (s *Span) SetInt(key string, value int) {
	if s != nil && value != 0 {
		s.data.Attributes = append(s.data.Attributes, number(key, value))
	}
}

// Step notes one step of what a span does: what was asked of which host, and the status of the
// response.
func (s *Span) Step(method, host string, status int) {
	if s == nil {
		return
	}
	said := []*commonpb.KeyValue{
		text("http.request.method", method), text("server.address", host),
	}
	if status != 0 {
		said = append(said, number("http.response.status_code", status))
	}
	s.data.Events = append(s.data.Events, &tracepb.Span_Event{
		TimeUnixNano: uint64(s.t.now().UnixNano()), Name: "step", Attributes: said,
	})
}

// Other is the kind of an error that has none of its own
// (https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/).
const Other = "_OTHER"

// Fail says that what a span does did not succeed: of which kind the error is, and in words, unless
// these are "". Collectors count by the kind, so there are few.
func (s *Span) Fail(kind, words string) {
	if s != nil {
		s.Set("error.type", kind)
		s.data.Status = &tracepb.Status{
			Code: tracepb.Status_STATUS_CODE_ERROR, Message: bounded(words),
		}
	}
}

// End ends a span. Nothing may be said of it afterwards.
func (s *Span) End() {
	if s != nil {
		s.data.EndTimeUnixNano = uint64(s.t.now().UnixNano())
		s.t.export.add(s.data)
	}
}

// Parent is the span as the header traceparent names it, "" for none
// (https://www.w3.org/TR/trace-context/).
func (s *Span) Parent() string {
	if s == nil {
		return ""
	}
	return "00-" + hex.EncodeToString(s.data.TraceId) + "-" + hex.EncodeToString(s.data.SpanId) + "-01"
}

func bounded(value string) string {
	return strings.ToValidUTF8(value[:min(len(value), mostValue)], "")
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{
		Value: &commonpb.AnyValue_StringValue{StringValue: bounded(value)},
	}}
}

func number(key string, value int) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{
		Value: &commonpb.AnyValue_IntValue{IntValue: int64(value)},
	}}
}
