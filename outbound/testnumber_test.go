package outbound

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// testNumbers sets the phone of the tests as a test number with a code and an answer, until the end
// of tomorrow. The tenant's one sender is seen through a front.
func testNumbers(w *world, answer string) (requests func() []string) {
	base, requests := w.front(w.twilio.URL(), func(*http.Response) {})
	last := w.clock().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	settings, err := tenant.FromEnv(w.environ("TWILIO_API_BASE="+base,
		"SMSBRIDGE_DAILY_SEGMENTS=1", "SMSBRIDGE_TEST_NUMBERS="+phone+" code 424242 answer "+answer+
			" until "+last+" this real number is ours"))
	require.NoError(w.t, err)
	w.Settings = settings
	return requests
}

// prove starts a verification of the phone.
func (w *world) prove() (v verification.Verification, err error) {
	w.t.Helper()
	err = w.Store.Do(w.t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		v, _, err = verification.Start(ctx, tx, verification.For(w.tenant(), "api", w.phone(phone)))
		return err
	})
	return v, err
}

func (w *world) present(id, code string) (c verification.Checked) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = verification.Check(ctx, tx, "acme", id, verification.Presented{Door: "api", Code: code})
		return err
	})
	return c
}

// counted is what was counted of texts and answers.
func (w *world) counted() string {
	return w.one("SELECT COALESCE(SUM(texts + segments + answered + unanswered), 0) FROM tally")
}

// Ensure that a test number goes through the whole loop of a sign-up without a request to a
// provider. No budget and no limit counts it. Each text is recorded with the reason.
func TestTestNumberAnswers(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{"yes": "confirmed", "no": "denied"} {
		t.Run(answer, func(t *testing.T) {
			each(t, func(w *world) { w.rehearse(answer, want) })
		})
	}
}

func (w *world) rehearse(answer, want string) {
	w.t.Helper()
	requests := testNumbers(w, answer)
	stored := w.signUp(address)
	require.NoError(w.t, w.examineMail(w.t.Context(), w.take(stored, stored.URL)))
	id := w.one("SELECT id FROM challenge WHERE state = 'open'")
	require.Equal(w.t, "1", w.jobs("answer_test"))
	for range 2 { // a job may be done twice
		require.NoError(w.t, w.work(w.t.Context(), "answer_test", id))
	}
	if answer == "yes" {
		require.NoError(w.t, w.clickLink(w.t.Context(), id))
	}
	require.Equal(w.t, want, w.one("SELECT state FROM challenge"))
	require.Equal(w.t, "test "+id, w.one("SELECT provider_id FROM reply"))
	require.Equal(w.t, "the test number answers "+answer,
		w.one("SELECT detail FROM event WHERE name = 'challenge.test' AND subject = '"+id+"'"))
	require.Equal(w.t, []string{"suppressed test number"},
		w.all("SELECT DISTINCT state || ' ' || error FROM text"))
	require.Equal(w.t, []string{"outcome", "prompt"},
		w.all("SELECT purpose FROM text ORDER BY purpose"))
	require.Contains(w.t, w.all("SELECT detail FROM event WHERE name = 'text.suppressed'"),
		"prompt: test number")
	require.Empty(w.t, requests())
	require.Equal(w.t, "0", w.counted())
}

// Ensure that the fixed code approves, that attempts are counted, and that another tenant gets
// nothing of it: its codes are drawn, and are texted.
func TestTestNumberCode(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		requests := testNumbers(w, "yes")
		v, err := w.prove()
		require.NoError(w.t, err)
		require.True(w.t, v.Test)
		require.Equal(w.t, "api: test number",
			w.one("SELECT detail FROM event WHERE name = 'verification.pending'"))
		c := w.present(v.ID, "424243")
		require.Equal(w.t, verification.Wrong, c.Verdict)
		require.Equal(w.t, 1, c.Verification.Attempts)
		require.Equal(w.t, "1", w.one("SELECT COUNT(*) FROM guess"))
		w.wait(time.Minute)
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Resend(ctx, tx, w.tenant(), v.ID,
				func(code, _ string) string { return code }, "")
			return err
		})
		require.Equal(w.t, verification.Right, w.present(v.ID, "424242").Verdict)
		require.Equal(w.t, []string{"suppressed test number"},
			w.all("SELECT DISTINCT state || ' ' || error FROM text"))
		require.Empty(w.t, requests())
		require.Equal(w.t, "0", w.counted())

		other := *w.tenant()
		other.Slug, other.Tests, other.Limits = "beta", nil, tenant.Limits{}
		w.do(func(ctx context.Context, tx *store.Tx) (err error) {
			v, _, err = verification.Start(ctx, tx, verification.For(&other, "api", w.phone(phone)))
			if err != nil {
				return err
			}
			c, err = verification.Check(ctx, tx, "beta", v.ID,
				verification.Presented{Door: "api", Code: "424242"})
			return err
		})
		require.False(w.t, v.Test)
		require.Equal(w.t, verification.Wrong, c.Verdict)
		require.Equal(w.t, "due", w.one("SELECT state FROM text WHERE tenant = 'beta'"))
	})
}

// Ensure that a fixed code counts no longer than its number is a test number, and is not texted
// once the setting is gone. What goes unanswered is no silence of a country.
func TestTestNumberEnds(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		requests := testNumbers(w, "yes")
		end := w.tenant().Tests[0].End
		w.wait(end.Sub(w.clock()) - time.Minute)
		v, err := w.prove()
		require.NoError(w.t, err)
		require.Equal(w.t, end, v.Expires.UTC())
		own := w.Settings
		bare := *w.tenant()
		bare.Tests = nil
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Resend(ctx, tx, &bare, v.ID, nil, "")
			require.ErrorIs(w.t, err, verification.ErrGone)
			return nil
		})
		w.Settings = own
		w.wait(time.Minute)
		require.Equal(w.t, verification.Over, w.present(v.ID, "424242").Verdict)
		require.Equal(w.t, "0", w.counted())
		v, err = w.prove()
		require.NoError(w.t, err)
		require.False(w.t, v.Test)
		require.Equal(w.t, verification.Wrong, w.present(v.ID, "424242").Verdict)
		require.Equal(w.t, "due", w.one("SELECT state FROM text WHERE verification_id = '"+v.ID+"'"))
		require.NotEqual(w.t, "0", w.counted())
		require.Empty(w.t, requests())
	})
}

// Ensure that an automatic answer means its own question beside another one of the same number.
func TestTestNumberBesideAnother(t *testing.T) {
	t.Parallel()
	w := quick(t)
	testNumbers(w, "yes")
	var ids []string
	for _, recipient := range []string{"one", "two"} {
		w.do(func(ctx context.Context, tx *store.Tx) error {
			a, err := challenge.Consider(ctx, tx, w.tenant(), challenge.Question{
				MailID: store.NewID(), Phone: w.phone(phone), Recipient: recipient,
				Purpose: challenge.Registration, Link: "https://login.acme.example/" + recipient,
			})
			if err != nil {
				return err
			}
			id, err := a.Ask(ctx, tx)
			ids = append(ids, id)
			return err
		})
	}
	require.NoError(t, w.work(t.Context(), "answer_test", ids[1]))
	require.Equal(t, challenge.Open, w.challenge(ids[0]).State)
	require.Equal(t, challenge.Accepted, w.challenge(ids[1]).State)
}

// Ensure that questions to test numbers that go unanswered are counted nowhere, and that they can
// be asked again.
func TestTestNumberWithoutAnswer(t *testing.T) {
	t.Parallel()
	w := quick(t)
	testNumbers(w, "yes")
	stored := w.signUp(address)
	require.NoError(t, w.examineMail(t.Context(), w.take(stored, stored.URL)))
	w.wait(time.Hour)
	require.NoError(t, w.work(t.Context(), "answer_test", w.one("SELECT id FROM challenge")))
	require.NoError(t, w.work(t.Context(), "sweep", ""))
	require.Equal(t, "expired", w.one("SELECT state FROM challenge"))
	require.Equal(t, "0", w.counted())
	require.Equal(t, "0", w.one("SELECT COUNT(*) FROM reply"))
}

// Ensure that a text does not leave that was due before its phone became a test number. An opt-out
// of a test number holds.
func TestTestNumberIsNeverTexted(t *testing.T) {
	t.Parallel()
	w := quick(t)
	v, err := w.prove()
	require.NoError(t, err)
	id := w.one("SELECT id FROM text")
	requests := testNumbers(w, "yes")
	require.NoError(t, w.sendText(t.Context(), id))
	require.Empty(t, requests())
	require.Equal(t, "failed test number", w.one("SELECT state || ' ' || error FROM text"))
	require.Equal(t, "failed", w.one("SELECT state FROM verification WHERE id = '"+v.ID+"'"))
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := optout.Record(ctx, tx, w.Settings.Tenants, text.Said{
			Phone: w.phone(phone), Reach: text.Reach{Tenant: "acme"}, Via: text.ByMail,
		})
		return err
	})
	_, err = w.prove()
	require.ErrorIs(t, err, verification.ErrOptedOut)
}
