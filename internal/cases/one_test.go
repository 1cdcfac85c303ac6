package cases

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Ensure that a mail for which another's question stands is told in that case. It is a case of its
// own again when the first is held no more.
func TestJoinedMail(t *testing.T) {
	first := db.Mail{ID: "m1", State: "examined", Kind: "verify", ReceivedAt: at(0), EndedAt: at(1)}
	later := db.Mail{ID: "m2", State: "examined", Kind: "verify", ReceivedAt: at(5), EndedAt: at(6)}
	r := rows{
		mails: []db.Mail{first, later},
		// The later mail's link has taken the place of the first's.
		challenges: []db.Challenge{{ID: "m1", MailID: "m2", State: "open", OpenedAt: at(1)}},
		events:     map[string][]db.Event{"m2": {{Name: "mail.joined", Detail: "m1", At: at(6)}}},
	}
	one, joined := r.first(later)
	require.True(t, joined)
	require.Equal(t, "m1", one)
	require.Contains(t, said(r.ofMail(first)),
		"another mail came (m2), and the same question stands for it")
	require.True(t, r.asks(r.challenges[0], first), "by its id, whichever mail's link it has now")
	require.False(t, r.asks(r.challenges[0], later))
	r.mails = []db.Mail{later}
	_, joined = r.first(later)
	require.False(t, joined)
}

// Ensure that what an older version wrote is told as before: its questions have ids of their own,
// and its texts of what a mail carried say nothing of a case.
func TestRowsOfAnOlderVersion(t *testing.T) {
	m := db.Mail{ID: "m", Tenant: "acme", State: "examined", Kind: "verify", ReceivedAt: at(0),
		EndedAt: at(1)}
	r := rows{
		mails: []db.Mail{m},
		challenges: []db.Challenge{{ID: "c", MailID: "m", State: "denied", OpenedAt: at(1),
			EndedAt: at(9)}},
		texts: []db.Text{
			{ID: "t1", ChallengeID: "c", Purpose: text.Prompt, State: text.Delivered, CreatedAt: at(1),
				SendingAt: at(1), EndedAt: at(2), Segments: 1, ProviderID: "SM1", Provider: "twilio"},
			{ID: "t2", Tenant: "acme", Purpose: text.Relay, State: text.Delivered, CreatedAt: at(1),
				SendingAt: at(3), EndedAt: at(4), Segments: 1, ProviderID: "SM2", Provider: "twilio"},
			{ID: "t3", Tenant: "acme", Purpose: text.Relay, CreatedAt: at(8)},
		},
	}
	c := r.ofMail(m)
	require.Nil(t, c.Mail)
	require.Empty(t, c.Clicks)
	require.Contains(t, said(c), "the person says no")
	require.Len(t, c.Texts, 2)
	require.Contains(t, said(c), "a text (prompt, 1 segment) leaves through twilio as SM1")
	require.Contains(t, said(c), "a text (relay, 1 segment) leaves through twilio as SM2")
	require.False(t, r.isAboutAny(r.texts[2]), "a case of its own")
}

// Ensure that a case tells what was found in its mail, how its clicks went, and in which words its
// texts were.
func TestFoundClickedAndWorded(t *testing.T) {
	m := db.Mail{ID: "m", State: "examined", Kind: "verify", ReceivedAt: at(0), EndedAt: at(1),
		Found: `{"provider":"auth0","sender":"no-reply@acme.example","more":2,"links":[` +
			`{"place":"login.acme.example/u/verify","chosen":true,"why":["a rule","another"]},` +
			`{"place":"acme.example/about","why":["host is not in the link rule"]}]}`}
	r := rows{
		mails: []db.Mail{m},
		challenges: []db.Challenge{{ID: "m", MailID: "m", State: "confirmed", Outcome: "confirmed",
			OpenedAt: at(1), EndedAt: at(9), Click: `[{"at":1795770008000,"outcome":"unreachable",` +
				`"reason":"the host could not be reached","steps":[{"method":"GET","host":"a.example"}]},` +
				`{"at":1795770009000,"outcome":"confirmed","reason":"the page said so","steps":[` +
				`{"method":"GET","host":"a.example","status":200},` +
				`{"method":"POST","host":"a.example","status":302}]}]`}},
		texts: []db.Text{{ID: "t", CaseID: "m", Purpose: text.Relay, Wording: "relay_reset",
			Language: "da", Segments: 1, Charged: 59_200, SendingAt: at(2), CreatedAt: at(2),
			State: text.Undelivered, Error: "30003", EndedAt: at(3), Provider: "twilio", ProviderID: "SM1"}},
	}
	c := r.ofMail(m)
	for _, want := range []string{
		"its sender is proved: no-reply@acme.example",
		"it is a sign-up mail (verify) of auth0",
		"the link chosen: login.acme.example/u/verify (a rule; another)",
		"not chosen: acme.example/about (host is not in the link rule)",
		"not chosen: 2 more links",
		"the click ends as unreachable: the host could not be reached; step 1, GET a.example: no " +
			"response",
		"the click ends as confirmed: the page said so; step 1, GET a.example: 200; " +
			"step 2, POST a.example: 302",
		"a text (relay, 1 segment, about 0.0592 USD) leaves through twilio as SM1, " +
			"worded relay_reset in da",
	} {
		require.Contains(t, said(c), want)
	}
	require.Equal(t, []Text{{
		ID: "t", Purpose: "relay", Wording: "relay_reset", Language: "da", Segments: 1, Price: 0.0592,
		Currency: "USD", Estimated: true, Provider: "twilio", ProviderID: "SM1", State: "undelivered",
		Reason: "30003 (the phone is off, or out of reach)",
	}}, c.Texts)
	require.Len(t, c.Clicks, 2)
	require.Equal(t, "auth0", c.Mail.Provider)
}

// Ensure that the log is told what any row is about for which there are jobs.
func TestAbout(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	number, err := phonemail.ParseNumber("+4520123456")
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddText(ctx, db.AddTextParams{
			ID: "t", Tenant: "acme", ChallengeID: "q", Phone: number,
		}); err != nil {
			return err
		}
		_, err := tx.AddReply(ctx, db.AddReplyParams{ID: "r", Phone: number})
		if err != nil {
			return err
		}
		_, err = tx.AddMail(ctx, db.AddMailParams{ID: "m", Tenant: "acme", Phone: number})
		return err
	}))
	require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) error {
		for id, want := range map[string]Row{
			"t": {"acme", "q", number}, "m": {"acme", "m", number}, "r": {"", "r", number},
		} {
			got, err := About(ctx, view, id)
			require.NoError(t, err)
			require.Equal(t, want, got, id)
		}
		_, err := About(ctx, view, "none")
		require.ErrorIs(t, err, ErrUnknown)
		return nil
	}))
}

// Ensure that a text of an app's own words is a case by itself. The answer to a keyword is told
// with its reply.
func TestTextsWithoutAMail(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	number, err := phonemail.ParseNumber("+4520123456")
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for id, about := range map[string]string{"t1": "", "t2": "r"} {
			if err := tx.AddText(ctx, db.AddTextParams{
				ID: id, Tenant: "acme", CaseID: about, Phone: number, Purpose: text.Relay, State: text.Due,
				Segments: 1, CreatedAt: at(2),
			}); err != nil {
				return err
			}
		}
		_, err := tx.AddReply(ctx, db.AddReplyParams{
			ID: "r", Phone: number, Word: "help", ReceivedAt: at(1),
		})
		return err
	}))
	require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) error {
		all, err := Of(ctx, view, number)
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.Equal(t, []string{"the phone replies HELP", "a text (relay, 1 segment) is due"},
			said(all[0]))
		require.Equal(t, "the text waits for a provider", all[0].NoText)
		require.Equal(t, OfText, all[1].Kind)
		require.Equal(t, "t1", all[1].ID)
		require.Equal(t, "the text waits for a provider", all[1].NoText)
		return nil
	}))
}

// Ensure that the texts of a case are told in the order in which they were made, whichever changed
// last. The last one decides whether the phone was reached, also of two that were made at once.
func TestTextsInTheirOrder(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		number := b.Phone()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			for _, id := range []string{"t1", "t2"} {
				if err := tx.AddText(ctx, db.AddTextParams{
					ID: id, VerificationID: "v", Phone: number, Purpose: text.Code, State: text.Failed,
					Error: id, CreatedAt: at(2),
				}); err != nil {
					return err
				}
			}
			_, err := tx.AddVerification(ctx, db.AddVerificationParams{ID: "v", Phone: number})
			return err
		})
		b.Exec("UPDATE text SET segments = 2 WHERE id = 't1'")
		require.NoError(b, b.Store.Read(b.Context(), func(ctx context.Context, view store.View) error {
			all, err := Of(ctx, view, number)
			require.NoError(b, err)
			require.Len(b, all, 1)
			require.Equal(b, []string{"t1", "t2"}, []string{all[0].Texts[0].ID, all[0].Texts[1].ID})
			require.Equal(b, "t2", all[0].NoText)
			return nil
		}))
	})
}
