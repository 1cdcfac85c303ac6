package cases

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// Ensure that each state of a case is told in words. A text that does not reach its phone counts
// more than an open question.
func TestBriefs(t *testing.T) {
	now := at(30).Time
	for _, tt := range []struct {
		row   db.NewestMailsRow
		state State
		said  string
	}{
		{db.NewestMailsRow{State: "received"}, Running, "the mail is being examined"},
		{db.NewestMailsRow{State: "refused", Reason: "country not allowed"}, Failed,
			"country not allowed"},
		{db.NewestMailsRow{State: "examined"}, Handed,
			"what the mail had is texted, or another mail stands for it"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Open, Over: at(31)}, Running,
			"the person is asked"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Open, Over: at(31), Texted: "due"},
			Running, "the text waits for a provider"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Open, Over: at(30)}, Unwanted,
			"no answer came in time"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Open, Over: at(31),
			Texted: "undelivered", TextError: "30003"}, Failed,
			"no text: 30003 (the phone is off, or out of reach)"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Clicking}, Running,
			"the person agreed; the link is being opened"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Confirmed,
			Outcome: challenge.OutcomeConfirmed}, Confirmed, "the identity provider confirms it"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Failed,
			Outcome: challenge.OutcomeNeedsUser}, Handed,
			"the link leads to a page that only a person can finish"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Failed,
			Outcome: challenge.OutcomeExpired}, Failed,
			"the identity provider says that the link is too old"},
		{db.NewestMailsRow{State: "examined", Question: challenge.Denied}, Unwanted,
			"the person says no"},
	} {
		b := briefOfMail(tt.row, now)
		require.Equal(t, tt.state, b.State, tt.said)
		require.Equal(t, tt.said, b.Said)
	}
	for _, tt := range []struct {
		row   db.NewestVerificationsRow
		state State
		said  string
	}{
		{db.NewestVerificationsRow{State: verification.Pending, ExpiresAt: at(31)}, Running,
			"the code is awaited"},
		{db.NewestVerificationsRow{State: verification.Pending, ExpiresAt: at(30)}, Unwanted,
			"no right code came in time"},
		{db.NewestVerificationsRow{State: verification.Pending, ExpiresAt: at(31), Texted: "failed",
			TextError: "given up"}, Failed, "no text: given up"},
		{db.NewestVerificationsRow{State: verification.Approved, Texted: "failed"}, Confirmed,
			"the right code came"},
		{db.NewestVerificationsRow{State: verification.Canceled}, Unwanted, "it is canceled"},
		{db.NewestVerificationsRow{State: verification.MaxAttemptsReached}, Failed,
			"too many wrong codes came"},
		{db.NewestVerificationsRow{State: verification.Failed, Reason: "no_provider"}, Failed,
			"no_provider"},
	} {
		b := briefOfVerification(tt.row, now)
		require.Equal(t, tt.state, b.State, tt.said)
		require.Equal(t, tt.said, b.Said)
	}
	for _, tt := range []struct {
		row   db.NewestAppQuestionsRow
		state State
		said  string
	}{
		{db.NewestAppQuestionsRow{State: challenge.Open, ExpiresAt: at(31), Texted: "sent"}, Running,
			"the person is asked"},
		{db.NewestAppQuestionsRow{State: challenge.Open, ExpiresAt: at(31), Texted: "due"}, Running,
			"the text waits for a provider"},
		{db.NewestAppQuestionsRow{State: challenge.Open, ExpiresAt: at(30)}, Unwanted,
			"no answer came in time"},
		{db.NewestAppQuestionsRow{State: challenge.Confirmed}, Confirmed,
			"the person says yes, and the question is confirmed"},
		{db.NewestAppQuestionsRow{State: challenge.Denied}, Unwanted, "the person says no"},
		{db.NewestAppQuestionsRow{State: challenge.Failed, Outcome: challenge.Unsent,
			Texted: "failed", TextError: "given up"}, Failed, "no text: given up"},
		{db.NewestAppQuestionsRow{State: challenge.Failed, Outcome: challenge.Unsent}, Failed,
			"the question failed: its text did not leave"},
	} {
		tt.row.ID, tt.row.Purpose = "q", challenge.App
		b := briefOfQuestion(tt.row, now)
		require.Equal(t, []any{"q", OfQuestion, "app"}, []any{b.ID, b.Kind, b.What})
		require.Equal(t, tt.state, b.State, tt.said)
		require.Equal(t, tt.said, b.Said)
	}
}

// Ensure that all cases are found, each once, the newest first, page by page and by what is looked
// for. A page reads a bounded number of rows.
func TestNewest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const mails = 1300
		phone, err := phonemail.ParseNumber("+4520123456")
		require.NoError(t, err)
		ids := make([]string, mails)
		const code = "00000007-5000-7000-8000-000000000000" // between two mails
		const question = "00000005-5000-7000-8000-000000000000"
		const many = 250 // questions behind one mail, more than are read at once
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			for i := range ids {
				ids[i] = fmt.Sprintf("%08d-0000-7000-8000-000000000000", i)
				tenant := "acme"
				if i == 3 {
					tenant = "beta"
				}
				if _, err := tx.AddMail(ctx, db.AddMailParams{ID: ids[i], Tenant: tenant,
					MessageID: ids[i], ReceivedAt: tx.Moment(), Phone: phone}); err != nil {
					return err
				}
			}
			if _, err := tx.AddChallenge(ctx, db.AddChallengeParams{ID: question, Tenant: "acme",
				Phone: phone, Purpose: challenge.App, State: challenge.Denied}); err != nil {
				return err
			}
			if _, err := tx.AddChallenge(ctx, db.AddChallengeParams{Tenant: "acme",
				ID: ids[9][:9] + "5" + ids[9][10:], MailID: ids[9], // as older versions made them
				Phone: phone, Purpose: challenge.Registration, State: challenge.Denied}); err != nil {
				return err
			}
			for i := range many {
				if _, err := tx.AddChallenge(ctx, db.AddChallengeParams{
					ID: fmt.Sprintf("%s-%04d-7000-8000-000000000000", ids[2][:8], i+1), Tenant: "acme",
					Phone: phone, Purpose: challenge.App, State: challenge.Accepted,
					Recipient: strconv.Itoa(i),
				}); err != nil {
					return err
				}
			}
			_, err := tx.AddVerification(ctx, db.AddVerificationParams{ID: code, Tenant: "acme",
				Phone: phone})
			return err
		}))
		look := func(f Filter, before string, most int) (found []Brief, next string) {
			require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) (err error) {
				found, next, err = Newest(ctx, view, f, before, most)
				return err
			}))
			return found, next
		}
		var seen []string
		for before, more := "", true; more; {
			found, next := look(Filter{}, before, 300)
			for _, b := range found {
				seen = append(seen, b.ID)
			}
			before, more = next, next != ""
		}
		require.Len(t, seen, mails+2+many)
		seen = slices.DeleteFunc(seen, func(id string) bool {
			return strings.HasPrefix(id, ids[2][:9]) && id != ids[2]
		})
		require.Len(t, seen, mails+2)
		require.Equal(t, code, seen[mails-8])
		require.Equal(t, question, seen[mails-5])
		seen = slices.Delete(seen, mails-5, mails-4)
		for i, id := range slices.Delete(seen, mails-8, mails-7) {
			require.Equal(t, ids[mails-1-i], id)
		}
		found, next := look(Filter{Tenant: "beta"}, "", 50)
		require.Empty(t, found, "after 1,000 rows a page ends")
		require.Equal(t, ids[mails-readsOfPage*readAtOnce], next)
		found, next = look(Filter{Tenant: "beta"}, next, 50)
		require.Len(t, found, 1)
		require.Empty(t, next)
		_, next = look(Filter{State: Unwanted}, "", 50)
		found, _ = look(Filter{State: Unwanted}, next, 50)
		require.Len(t, found, 2, "a mail's question is no case of its own")
		require.Equal(t, []string{code, question}, []string{found[0].ID, found[1].ID})
	})
}

// Ensure that a case is told with all of its texts, also where a read ends in the middle of them.
func TestNewestWithAllTexts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		phone, err := phonemail.ParseNumber("+4520123456")
		require.NoError(t, err)
		states := []text.State{text.Sent, text.Failed, text.Sent}
		id := func(n int) string { return fmt.Sprintf("%08d-0000-7000-8000-000000000000", n) }
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			for i := range readAtOnce {
				if _, err := tx.AddVerification(ctx, db.AddVerificationParams{ID: id(i),
					Tenant: "acme", Phone: phone}); err != nil {
					return err
				}
			}
			for i, state := range states { // their order is the database's
				for _, n := range []int{0, 1} {
					if err := tx.AddText(ctx, db.AddTextParams{ID: id(1000 + 10*n + i), Tenant: "acme",
						VerificationID: id(n), Phone: phone, State: state}); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		for skipped := range 4 { // by each, the read ends at another text
			var all []Brief
			for before, more := id(readAtOnce-skipped), true; more; {
				require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) error {
					found, next, err := Newest(ctx, view, Filter{}, before, 3*readAtOnce)
					all, before, more = append(all, found...), next, next != ""
					return err
				}))
			}
			require.Len(t, all, readAtOnce-skipped)
			for _, b := range all[len(all)-2:] {
				require.Equal(t, Failed, b.State, skipped)
			}
		}
	})
}

// Ensure that a page which has the last case is the last page, however full it is.
func TestNewestEnds(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	phone, err := phonemail.ParseNumber("+4520123456")
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for i := range 3 {
			id := fmt.Sprintf("%08d-0000-7000-8000-000000000000", i)
			if _, err := tx.AddMail(ctx, db.AddMailParams{ID: id, Tenant: "acme",
				MessageID: id, Phone: phone}); err != nil {
				return err
			}
		}
		return nil
	}))
	for most, ends := range map[int]bool{2: false, 3: true, 4: true} {
		require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) error {
			found, next, err := Newest(ctx, view, Filter{Tenant: "acme"}, "", most)
			require.Len(t, found, min(most, 3))
			require.Equal(t, ends, next == "", most)
			return err
		}))
	}
}

// Ensure that a mail whose link or code was texted is told by what became of that text.
func TestNewestPassedOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		phone, err := phonemail.ParseNumber("+4520123456")
		require.NoError(t, err)
		const whatItHad = "what the mail had is texted, or another mail stands for it"
		passed := []struct {
			text    text.State // "" for none
			why     string
			purpose text.Purpose
			state   State
			said    string
		}{
			{text.Failed, "given up", text.Relay, Failed, "no text: given up"},
			{text.Undelivered, "30003", text.Relay, Failed,
				"no text: 30003 (the phone is off, or out of reach)"},
			{text.Suppressed, "opted out", text.Relay, Failed, "no text: opted out"},
			{text.Due, "", text.Relay, Running, "the text waits for a provider"},
			{text.Sending, "", text.Relay, Handed, whatItHad},
			{text.Delivered, "", text.Relay, Handed, whatItHad},
			{text.Suppressed, text.TestReason, text.Relay, Handed, whatItHad},
			{"", "", "", Handed, whatItHad},
			{text.Failed, "given up", text.Keyword, Handed, whatItHad}, // another's
		}
		id := func(n int) string { return fmt.Sprintf("%08d-0000-7000-8000-000000000000", n) }
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			for i, p := range passed {
				_, err := tx.AddMail(ctx, db.AddMailParams{ID: id(i), Tenant: "acme",
					MessageID: id(i), Phone: phone})
				if err != nil {
					return err
				}
				if _, err := tx.EndMail(ctx, db.EndMailParams{ID: id(i), State: "examined"}); err != nil {
					return err
				}
				if p.text == "" {
					continue
				}
				if err := tx.AddText(ctx, db.AddTextParams{ID: id(100 + i), Tenant: "acme", Phone: phone,
					CaseID: id(i), Purpose: p.purpose, State: p.text, Error: p.why}); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) error {
			found, _, err := Newest(ctx, view, Filter{}, "", 50)
			require.Len(t, found, len(passed))
			for i, p := range passed {
				b := found[len(found)-1-i]
				require.Equal(t, []any{id(i), p.state, p.said}, []any{b.ID, b.State, b.Said})
			}
			return err
		}))
	})
}
