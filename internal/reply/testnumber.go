package reply

import (
	"context"
	"errors"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// AnswerTest takes what a test number answers to the question with the id, as if its phone had
// replied to the prompt. The reply tells the question's code, so that it means no other one.
// Nothing comes when the question has ended, or when the number is no test number any more.
func AnswerTest(ctx context.Context, tx *store.Tx, tenants tenant.Set, id string) error {
	c, err := challenge.Get(ctx, tx, id)
	if errors.Is(err, challenge.ErrUnknown) {
		return nil
	}
	asker, known := tenants.Tenant(c.Tenant)
	if err != nil || !known || !c.Test || c.State != challenge.Open {
		return err
	}
	number, _ := asker.Test(c.Phone, tx.Now())
	word := ""
	switch number.Answer {
	case tenant.TestYes:
		word = asker.Question.Accept[0]
	case tenant.TestNo:
		word = asker.Question.Deny[0]
	default:
		return nil
	}
	detail := "the test number answers " + string(number.Answer)
	if err := tx.Record(ctx, c.Tenant, c.ID, "challenge.test", detail); err != nil {
		return err
	}
	_, err = Take(ctx, tx, tenants, Received{
		ProviderID: "test " + c.ID, Line: c.Line, Sharing: tenants.ByLine(c.Line), Phone: c.Phone,
		Body: word + " " + c.ReplyCode,
	})
	return err
}
