package text

import (
	"context"

	"smsbridge/internal/store"
)

// Progress is how far a text has come.
type Progress struct {
	State  State
	Case   string // see CaseOf
	Reason string // why it failed: the provider's code or a word of ours; "" while it has not
}

// ProgressOf returns how far the text id has come, or ErrUnknown.
func ProgressOf(ctx context.Context, tx store.View, id string) (Progress, error) {
	row, err := get(ctx, tx, id)
	return Progress{row.State, CaseOf(row), row.Error}, err
}

// Open reports whether it is not known yet what becomes of the text.
func (p Progress) Open() bool {
	return p.State == Due || p.State == Sending || p.State == Unclear
}
