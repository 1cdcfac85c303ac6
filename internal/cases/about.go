package cases

import (
	"cmp"
	"context"
	"fmt"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Row says what a row is about.
type Row struct {
	Tenant, Case string
	Phone        phonemail.Number
}

// About says what the row with an id is about: a mail, question, text, verification, check of a
// code, reply, or report to Twilio Verify. It returns ErrUnknown when there is none.
func About(ctx context.Context, view store.View, id string) (r Row, err error) {
	for _, look := range []func(context.Context, store.View, string) (Row, error){
		ofMailRow, ofTextRow, ofQuestionRow, ofVerificationRow, ofReplyRow, ofCheckRow, ofReportRow,
	} {
		r, err = look(ctx, view, id)
		if !store.Missing(err) {
			break
		}
	}
	if store.Missing(err) {
		return Row{}, ErrUnknown
	}
	if err != nil {
		return Row{}, fmt.Errorf("cases: finding a row: %w", err)
	}
	return r, nil
}

func ofMailRow(ctx context.Context, view store.View, id string) (Row, error) {
	m, err := view.GetMail(ctx, id)
	return Row{m.Tenant, m.ID, m.Phone}, err
}

func ofTextRow(ctx context.Context, view store.View, id string) (Row, error) {
	t, err := view.GetText(ctx, id)
	return Row{t.Tenant, text.CaseOf(t), t.Phone}, err
}

func ofQuestionRow(ctx context.Context, view store.View, id string) (Row, error) {
	c, err := view.GetChallenge(ctx, id)
	return Row{c.Tenant, c.ID, c.Phone}, err
}

func ofVerificationRow(ctx context.Context, view store.View, id string) (Row, error) {
	v, err := view.GetVerification(ctx, id)
	return Row{v.Tenant, v.ID, v.Phone}, err
}

func ofReplyRow(ctx context.Context, view store.View, id string) (Row, error) {
	reply, err := view.GetReply(ctx, id)
	return Row{"", cmp.Or(reply.ChallengeID, reply.ID), reply.Phone}, err
}

func ofCheckRow(ctx context.Context, view store.View, id string) (Row, error) {
	c, err := view.GetCodeCheck(ctx, id)
	if err != nil {
		return Row{}, err
	}
	return ofVerificationRow(ctx, view, c.VerificationID)
}

func ofReportRow(ctx context.Context, view store.View, id string) (Row, error) {
	v, err := view.GetVerifyReport(ctx, id)
	return Row{v.Tenant, v.ID, v.Phone}, err
}
