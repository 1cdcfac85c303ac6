package text_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Ensure that a row of an opt-out has the number nowhere in the clear, and that it is read back.
func TestOptOutKeepsNoNumber(t *testing.T) {
	each(t, func(b bridge) {
		to := b.Phone()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, line(), to)
		})
		for _, column := range []string{"phone", "number", "id", "recorder"} {
			require.NotContains(b, b.Strings("SELECT " + column + " FROM opt_out")[0], to.E164()[1:])
		}
		require.Equal(b, "#", b.Strings("SELECT substr(phone, 1, 1) FROM opt_out")[0])
		require.Equal(b, []phonemail.Number{to}, b.optOuts())
		b.Exec("UPDATE opt_out SET number = ''")
		require.True(b, b.optOuts()[0].Erased(), "its person was erased")
		require.EqualValues(b, "suppressed", b.row(b.draft(text.Draft{
			Tenant: acme(), Line: line(), Phone: to, Deadline: b.Now().AddDate(0, 0, 1),
		})).State, "and is not texted for that")
	})
}

// Ensure that an opt-out whose number has a forgotten key counts, is listed and can be ended.
func TestOptOutOfForgottenKey(t *testing.T) {
	each(t, func(b bridge) {
		to := b.Phone()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, line(), to)
		})
		b.Exec("UPDATE opt_out SET number = 'v1.00000000.AAAA'")
		require.True(b, b.optOuts()[0].Erased())
		b.Do(func(ctx context.Context, tx *store.Tx) error { return text.OptOut(ctx, tx, line(), to) })
		require.Equal(b, 1, b.Count("opt_out"))
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			ended, err := text.ClearOptOuts(ctx, tx, to, func(text.KnownOptOut) bool { return true })
			require.Equal(b, 1, ended)
			return err
		})
		require.Zero(b, b.Count("opt_out"))
	})
}

// optOuts are the phones of all opt-outs that have an id.
func (b bridge) optOuts() (phones []phonemail.Number) {
	b.Helper()
	require.NoError(b, b.Store.Read(b.Context(), func(ctx context.Context, v store.View) error {
		all, err := text.OptOutsAfter(ctx, v, "", 10)
		for _, o := range all {
			phones = append(phones, o.Phone)
		}
		return err
	}))
	return phones
}

// Ensure that an opt-out of an older version counts at once, is given a digest, and can be ended.
func TestAdoptOptOuts(t *testing.T) {
	each(t, func(b bridge) {
		one, other := phone(b, "+4520123456"), phone(b, "+4520123457")
		for _, to := range []phonemail.Number{one, other} {
			b.Exec("INSERT INTO opt_out (account, sender, phone, since) VALUES ($1, $2, $3, 7)",
				line().Account, line().Sender, to.E164())
		}
		draft := text.Draft{
			Tenant: acme(), Line: line(), Phone: one, Deadline: b.Now().AddDate(0, 0, 1),
		}
		require.EqualValues(b, "suppressed", b.row(b.draft(draft)).State)
		b.optOut(line())
		require.Equal(b, 2, b.Count("opt_out"), "it was known")
		b.optIn(line())
		require.EqualValues(b, "due", b.row(b.draft(draft)).State)

		var found int
		for _, want := range []int{1, 0} {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				found, err = text.AdoptOptOuts(ctx, tx, 10)
				return err
			})
			require.Equal(b, want, found)
		}
		require.Equal(b, []phonemail.Number{other}, b.optOuts())
		require.Equal(b, []string{"7"}, b.Strings("SELECT since FROM opt_out"))
		require.Zero(b, b.Count("opt_out WHERE phone LIKE '+%'"))
		draft.Phone = other
		require.EqualValues(b, "suppressed", b.row(b.draft(draft)).State)
	})
}

// Ensure that what a START ends stays ended when an opt-out of an older version is given its digest
// at that moment. A page for operators does that whenever it is loaded.
func TestAdoptOptOutsBesideStart(t *testing.T) {
	each(t, func(b bridge) {
		one := phone(b, "+4520123456")
		for range 12 {
			b.Exec("INSERT INTO opt_out (account, sender, phone, since) VALUES ($1, $2, $3, 7)",
				line().Account, line().Sender, one.E164())
			adopt := func(ctx context.Context, tx *store.Tx) error {
				_, err := text.AdoptOptOuts(ctx, tx, 10)
				return err
			}
			start := func(ctx context.Context, tx *store.Tx) error {
				_, err := text.ClearOptOuts(ctx, tx, one, func(text.KnownOptOut) bool { return true })
				return err
			}
			require.NoError(b, errors.Join(b.AtOnce(adopt, start)...))
			require.Zero(b, b.Count("opt_out"))
		}
	})
}

// Ensure that the answer to a keyword is sent to a phone that has opted out, and nothing else is.
func TestKeywordIsAnswered(t *testing.T) {
	each(t, func(b bridge) {
		b.optOut(line())
		draft := text.Draft{Tenant: acme(), Line: line(), Phone: phone(b, "+4520123456"), Body: "OK",
			Purpose: text.Keyword, Deadline: b.Now().AddDate(0, 0, 1)}
		id := b.draft(draft)
		require.EqualValues(b, "due", b.row(id).State)
		_, due := b.begin(id)
		require.True(b, due)
		draft.Purpose = text.Outcome
		require.EqualValues(b, "suppressed", b.row(b.draft(draft)).State)
	})
}
