package cases

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
)

// shaft is a bench on which mails came how far.
type shaft struct {
	storetest.Bench
	provider string
	refused  string // why the mail is refused, "" when it is not
	ago      time.Duration
	test     int64
}

// came adds a mail, and its question unless the state is "". The prompts have states, too; without
// a question it is the text that passes the mail on.
func (b shaft) came(tenant string, s challenge.State, o challenge.Outcome, prompts ...text.State) {
	b.Helper()
	now := b.Now().Add(-b.ago)
	id := fmt.Sprintf("%s%05d", store.FirstID(now)[:31], b.Serial())
	phone := b.Phone()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.AddMail(ctx, db.AddMailParams{ID: id, Tenant: tenant, MessageID: id,
			ReceivedAt: moment.Of(now), Phone: phone, Country: phone.Country()})
		require.NoError(b, err)
		end := db.EndMailParams{ID: id, State: mail.Examined, Provider: b.provider}
		if b.refused != "" {
			end.State, end.Reason = mail.Refused, b.refused
		}
		if b.refused != "not yet" {
			_, err = tx.EndMail(ctx, end)
			require.NoError(b, err)
		}
		if s != "" {
			_, err = tx.AddChallenge(ctx, db.AddChallengeParams{ID: id, MailID: id, Tenant: tenant,
				Phone: phone, Recipient: id, State: s, OpenedAt: moment.Of(now), Test: b.test,
				ExpiresAt: moment.Of(now.Add(10 * time.Minute))})
			require.NoError(b, err)
		}
		for i, state := range prompts {
			row := db.AddTextParams{ID: fmt.Sprintf("%s-%d", id, i),
				ChallengeID: id, Tenant: tenant, Phone: phone, Purpose: text.Prompt, State: state,
				CreatedAt: moment.Of(now)}
			if s == "" {
				row.ChallengeID, row.CaseID, row.Purpose = "", id, text.Relay
			}
			if b.test == 1 {
				row.Error = text.TestReason
			}
			require.NoError(b, tx.AddText(ctx, row))
		}
		return nil
	})
	switch s {
	case challenge.Accepted, challenge.Confirmed, challenge.Failed:
		b.Exec("UPDATE challenge SET accepted_at = 7, outcome = $2 WHERE id = $1", id, string(o))
	}
}

func (b shaft) funnels(since time.Duration, tenant string, by By) (all []Funnel, sum Funnel) {
	b.Helper()
	require.NoError(b,
		b.Store.Read(b.Context(), func(ctx context.Context, view store.View) (err error) {
			all, sum, err = Funnels(ctx, view, b.Now().Add(-since), tenant, by)
			return err
		}))
	return all, sum
}

// Ensure that each mail of the time counts once, at each step it came to, with those of its tenant,
// country and identity provider. Mails of another time, and those to test numbers, do not.
func TestFunnels(t *testing.T) {
	storetest.EachBench(t, func(bench storetest.Bench) {
		b := shaft{Bench: bench, provider: "auth0"}
		b.came("acme", challenge.Confirmed, challenge.OutcomeConfirmed, text.Delivered)
		b.came("acme", challenge.Confirmed, challenge.OutcomeAlready, text.Sent)
		b.came("acme", challenge.Failed, challenge.OutcomeExpired, text.Sent)
		b.came("acme", challenge.Failed, challenge.OutcomeNeedsUser, text.Unclear)
		b.came("acme", challenge.Accepted, "", text.Delivered)
		b.came("acme", challenge.Denied, "", text.Sent)
		b.came("acme", challenge.Canceled, "", text.Sent)
		b.came("acme", challenge.Open, "", text.Sent)
		b.came("acme", challenge.Open, "", text.Due)
		b.came("acme", challenge.Expired, "", text.Suppressed)
		b.came("acme", "", "", text.Suppressed)
		long := b
		long.ago = 90 * time.Minute
		long.came("acme", challenge.Open, "", text.Sent)
		long.came("acme", challenge.Expired, "", text.Delivered)
		old, test, cognito, refused, fresh := b, b, b, b, b
		old.ago, test.test, cognito.provider = 3*time.Hour, 1, "cognito"
		refused.provider, refused.refused, fresh.refused = "", "no link", "not yet"
		old.came("acme", challenge.Denied, "", text.Sent)
		test.came("acme", challenge.Open, "", text.Suppressed)
		test.came("acme", "", "", text.Suppressed)
		cognito.came("beta", challenge.Denied, "", text.Delivered)
		refused.came("acme", "", "")
		fresh.came("acme", "", "")

		auth0 := Funnel{
			Tenant: "acme", Country: "DK", Provider: "auth0", Seen: 13, Asked: 10, Delivered: 3, Yes: 5,
			No: 1, Expired: 2, Confirmed: 2, Failed: 1, Unasked: 1, Unsent: 2, Waiting: 1, Canceled: 1,
			Clicking: 1, Handed: 1,
		}
		none := Funnel{Tenant: "acme", Country: "DK", Seen: 2, Refused: 1, Unread: 1}
		beta := Funnel{Tenant: "beta", Country: "DK", Provider: "cognito", Seen: 1, Asked: 1,
			Delivered: 1, No: 1}
		all, sum := b.funnels(2*time.Hour, "", ByEach)
		require.Equal(b, []Funnel{none, auth0, beta}, all)
		inAll := none
		inAll.add(auth0)
		inAll.add(beta)
		inAll.Tenant, inAll.Country = "", ""
		require.Equal(b, inAll, sum)

		all, _ = b.funnels(2*time.Hour, "acme", ByEach)
		require.Equal(b, []Funnel{none, auth0}, all)
		all, _ = b.funnels(2*time.Hour, "", ByCountry)
		inAll.Country = "DK"
		require.Equal(b, []Funnel{inAll}, all)
		all, _ = b.funnels(2*time.Hour, "", ByProvider)
		require.Len(b, all, 3)
		require.Equal(b, Funnel{Seen: 2, Refused: 1, Unread: 1}, all[0])
		all, _ = b.funnels(2*time.Hour, "", ByTenant)
		require.Equal(b, []string{"acme", "beta"}, []string{all[0].Tenant, all[1].Tenant})
		require.EqualValues(b, 15, all[0].Seen)
		_, sum = b.funnels(time.Hour, "acme", ByEach)
		require.EqualValues(b, []int64{13, 0}, []int64{sum.Seen, sum.Expired})
		all, _ = b.funnels(2*time.Hour, "other", ByEach)
		require.Empty(b, all)
	})
}

// Ensure that a share is rounded, that some is never told as nothing or as all, and that there is
// none of nothing.
func TestShare(t *testing.T) {
	for _, tt := range []struct {
		part, of int64
		share    string
	}{{0, 0, ""}, {1, 0, ""}, {0, 9, "0 %"}, {1, 201, "<1 %"}, {1, 200, "1 %"},
		{2, 3, "67 %"}, {999, 1000, ">99 %"}, {7, 7, "100 %"}} {
		require.Equal(t, tt.share, Share(tt.part, tt.of))
	}
}
