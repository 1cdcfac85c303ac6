package reply

import (
	"context"
	"slices"

	"smsbridge/internal/verification"
)

// codeTries is how many open verifications of a phone a texted code is tried on, the newest
// first. Each of them counts an attempt.
const codeTries = 3

// code presents a texted code to the open verification of its phone. One that is not its code may
// still have been meant for a question.
func (t *taking) code(ctx context.Context) error {
	open, err := verification.OpenOf(ctx, t.tx, t.Line, t.Phone)
	if err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(v verification.Verification) bool {
		return !v.CheckableByText()
	})
	for _, v := range open[:min(len(open), codeTries)] {
		checked, err := verification.Check(ctx, t.tx, v.Tenant, v.ID, verification.Presented{
			Door: verification.ByText, Code: t.Code,
		})
		if err != nil {
			return err
		}
		if checked.Verdict == verification.Right || checked.Verdict == verification.Asked {
			return t.link(ctx, v.ID)
		}
	}
	return t.hint(ctx)
}
