package verification

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// This file is about verifications that Twilio Verify made for others than the bridge, such as an
// Action of Auth0 that calls Verify itself. The bridge hears that such a code was right, and tells
// Verify. It has no verification of its own then, only a report.

// ReportPhone has Twilio Verify told that the code it texted to a phone was right. Verify finds its
// verification by the phone
// (https://www.twilio.com/docs/verify/api/verification#update-a-verification-status). The result is
// the id of the report.
func ReportPhone(
	ctx context.Context, tx *store.Tx, tenant string, phone phonemail.Number,
) (string, error) {
	id := store.NewID()
	err := tx.AddVerifyReport(ctx, db.AddVerifyReportParams{
		ID: id, Tenant: tenant, Phone: phone, At: tx.Moment(),
	})
	if err != nil {
		return "", err
	}
	tx.Enqueue(ReportVerification{id})
	return id, nil
}

// unreportedReport returns the report id while Twilio Verify has not heard of it.
func unreportedReport(ctx context.Context, tx store.View, id string) (Outcome, bool, error) {
	row, err := tx.GetVerifyReport(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Outcome{}, false, nil
	}
	if err != nil || row.Result != "" {
		return Outcome{}, false, err
	}
	return reportOutcome(row), true, nil
}

// withReports adds to outcomes the reports of a phone of which Twilio Verify has not heard. It
// returns the ten that began first.
func withReports(
	ctx context.Context, tx store.View, v Verification, all []Outcome,
) ([]Outcome, error) {
	rows, err := tx.OpenVerifyReportsOfPhone(ctx, db.OpenVerifyReportsOfPhoneParams{
		Tenant: v.Tenant, Phone: v.Phone, Since: tx.Moment().Add(-verifyLife),
	})
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		all = append(all, reportOutcome(row))
	}
	slices.SortStableFunc(all, func(a, b Outcome) int { return a.began.Compare(b.began) })
	return all[:min(len(all), mostUnreported)], nil
}

func reportOutcome(row db.VerifyReport) Outcome {
	return Outcome{
		ID: row.ID, Tenant: row.Tenant, phone: row.Phone, Approved: true, Ended: row.At.Time,
		began: row.At.Time,
	}
}
