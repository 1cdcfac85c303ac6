package outbound

import (
	"context"
	"errors"
	"strconv"

	"github.com/riverqueue/river"

	"smsbridge/internal/callback"
	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/text"
	"smsbridge/internal/trace"
	"smsbridge/internal/verification"
	"smsbridge/linkclick"
)

// This file says what workers do, as spans: one for each try of a job that is about a case, and
// below it one for each request to another party.

// traced does one try of a job in a span.
func traced[R any](
	ctx context.Context, w *Worker, kind string, b begun[R],
	do func(ctx context.Context, b begun[R]) error,
) error {
	if w.Traces == nil {
		return do(ctx, b)
	}
	ctx, span := w.Traces.Start(ctx, caseOf(b.row), kind, trace.Job)
	defer span.End()
	err := do(ctx, b)
	var snooze *river.JobSnoozeError
	switch {
	case errors.As(err, &snooze):
		span.Set("smsbridge.result", "again")
	case err != nil:
		span.Fail(errorKind(err), err.Error())
	}
	return err
}

// errorKind is the kind of error at which a job failed.
func errorKind(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	return trace.Other
}

// caseOf is the case that the row of a job is about. The zero Case is none.
func caseOf(row any) trace.Case {
	switch r := row.(type) {
	case sending:
		return trace.Case{Tenant: r.Tenant, ID: r.Case, Phone: r.Phone}
	case text.Attempt:
		return trace.Case{Tenant: r.Tenant, ID: r.Case, Phone: r.Phone}
	case mail.Mail:
		return trace.Case{Tenant: r.Tenant, ID: r.ID, Phone: r.Phone}
	case challenge.Click:
		q := r.Challenge
		return trace.Case{Tenant: q.Tenant, ID: q.ID, Phone: q.Phone}
	case verification.Verification:
		return trace.Case{Tenant: r.Tenant, ID: r.ID, Phone: r.Phone}
	}
	return trace.Case{}
}

// examined says what an examination made of a mail.
func examined(ctx context.Context, m mail.Mail, kind string, v mail.Verdict) {
	span := trace.Of(ctx)
	span.Set("smsbridge.kind", kind)
	span.Set("smsbridge.outcome", string(v.Did))
	span.Set("smsbridge.reason", v.Reason)
	if v.Case != m.ID {
		span.Set("smsbridge.case", v.Case)
	}
}

// endAsked ends the span of a request to send a text.
func endAsked(span *trace.Span, a text.Attempt, r sendResult) {
	span.Set("smsbridge.purpose", string(a.Purpose))
	span.Set("smsbridge.outcome", string(r.result))
	span.Set("smsbridge.code", r.code)
	if r.result != ok {
		span.Fail(string(r.result), "")
	}
	span.End()
}

// endClicked ends the span of a click, with its steps.
func endClicked(span *trace.Span, r linkclick.Result) {
	for _, s := range r.Steps {
		span.Step(s.Method, s.Host, s.Status)
	}
	span.Set("smsbridge.outcome", string(r.Outcome))
	span.Set("smsbridge.reason", r.Reason)
	if !r.Succeeded() {
		span.Fail(string(r.Outcome), "")
	}
	span.End()
}

// toldOf is the case that an app is told of, as its message says.
func toldOf(c callback.Callback, body []byte) trace.Case {
	id, phone := callback.CaseOf(body)
	return trace.Case{Tenant: c.Tenant, ID: id, Phone: phone}
}

// endCallback ends the span of a request to an app.
func endCallback(span *trace.Span, status int, err error) {
	span.Set("http.request.method", "POST")
	span.SetInt("http.response.status_code", status)
	switch {
	case err != nil && status != 0:
		span.Fail(strconv.Itoa(status), "")
	case err != nil:
		span.Fail("no_response", "")
	}
	span.End()
}
