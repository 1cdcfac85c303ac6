package text

import (
	"context"

	"smsbridge/internal/price"
	"smsbridge/internal/segment"
)

// Made is a text as a rule made it, for an operator who tries what the rules do. A row keeps less:
// what a suppressed text says is in none.
type Made struct {
	Draft
	State  State  // Due or Suppressed
	Reason string // why it is suppressed
}

// Size is how the text is billed.
func (m Made) Size() segment.Size { return segment.Measure(m.Body) }

// Price is what the text is taken to cost.
func (m Made) Price() price.Micro { return price.Micro(m.counted().Cost()) }

type hearer struct{}

// Hearing returns a context with which each text that a rule makes is told, beside being recorded.
func Hearing(ctx context.Context, hear func(Made)) context.Context {
	return context.WithValue(ctx, hearer{}, hear)
}
