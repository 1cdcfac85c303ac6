package cases

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/limit"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// at is some seconds after the beginning of a test's day.
func at(seconds int) moment.Moment {
	return moment.Of(time.Date(2026, 11, 27, 9, 0, seconds, 0, time.UTC))
}

func said(c Case) (all []string) {
	for _, s := range c.Steps {
		all = append(all, s.Said)
	}
	return all
}

// Ensure that a verification is told with its texts and wrong codes, and its end.
func TestVerification(t *testing.T) {
	r := rows{
		texts: []db.Text{
			{ID: "t1", VerificationID: "v", Purpose: text.Code, Segments: 1, State: text.Undelivered,
				Error: "30003", Provider: "twilio", ProviderID: "SM1", CreatedAt: at(0), SendingAt: at(1),
				EndedAt: at(2)},
			{ID: "t2", VerificationID: "other", Purpose: text.Code, CreatedAt: at(9)},
		},
		events: map[string][]db.Event{"v": {
			{Name: "verification.pending", At: at(0)},
			{Name: "verification.wrong", Detail: "1 of 5", At: at(3)},
		}},
	}
	c := r.ofVerification(db.Verification{ID: "v", Tenant: "acme", Door: "api", Locale: "da",
		State: verification.Expired, OpenedAt: at(0), ExpiresAt: at(59), EndedAt: at(59)})
	require.Equal(t, []string{
		"a code is asked for through the door api, in the language da; it counts until 09:00:59",
		"a wrong code comes: 1 of 5",
		"no right code came in time",
		"a text (code, 1 segment) leaves through twilio as SM1",
		"the code is not delivered: 30003 (the phone is off, or out of reach)",
	}, said(c))
	require.Equal(t, "30003 (the phone is off, or out of reach)", c.NoText)
}

// Ensure that a reply belongs to the question that it answered, or to the newest that was open.
func TestQuestionOf(t *testing.T) {
	line := func(id string, opened, ended int) db.Challenge {
		return db.Challenge{ID: id, Account: "a", Sender: "s", OpenedAt: at(opened), EndedAt: at(ended)}
	}
	r := rows{challenges: []db.Challenge{line("1", 0, 10), line("2", 5, 20), line("3", 30, 40)}}
	for seconds, want := range map[int]string{0: "1", 4: "1", 5: "2", 15: "2", 25: "", 35: "3",
		50: ""} {
		got, ok := r.questionOf(db.Reply{Account: "a", Sender: "s", ReceivedAt: at(seconds)})
		require.Equal(t, want, got.ID, seconds)
		require.Equal(t, want != "", ok)
	}
	got, ok := r.questionOf(db.Reply{Account: "b", Sender: "s", ChallengeID: "1", ReceivedAt: at(50)})
	require.True(t, ok)
	require.Equal(t, "1", got.ID)
	_, ok = r.questionOf(db.Reply{Account: "b", Sender: "s", ReceivedAt: at(5)})
	require.False(t, ok, "another line")
}

// Ensure that every end of a question is told in words, and every limit has a remedy.
func TestNothingIsLeftUnsaid(t *testing.T) {
	for _, o := range []challenge.Outcome{
		challenge.OutcomeConfirmed, challenge.OutcomeUnapproved, challenge.OutcomeAlready,
		challenge.OutcomeUsed, challenge.OutcomeExpired, challenge.OutcomeNeedsUser,
		challenge.OutcomeRefused,
		challenge.OutcomeUnreachable, challenge.OutcomeUnknown,
	} {
		require.NotContains(t, ended(db.Challenge{State: challenge.Failed, Outcome: o}), "it ended", o)
	}
	for _, s := range []challenge.State{
		challenge.Denied, challenge.Expired, challenge.Superseded, challenge.Canceled,
	} {
		require.NotEmpty(t, ended(db.Challenge{State: s}), s)
	}
	for _, reason := range []limit.Reason{
		limit.Held, limit.Unanswered, limit.NoSegments, limit.NoMoney, limit.InCountry, limit.OfMail,
		limit.OfAsker, limit.InRange, limit.ToPhoneInDay, limit.ToPhone, limit.TooSoon,
	} {
		require.NotEmpty(t, remedy(string(reason)), reason)
	}
	for _, state := range []text.State{
		text.Due, text.Sending, text.Unclear, text.Suppressed, text.Undelivered, text.Failed,
	} {
		why, _ := unreached(db.Text{State: state, Error: "21610"})
		require.NotEmpty(t, why, state)
	}
	for _, state := range []text.State{text.Sent, text.Delivered} {
		why, _ := unreached(db.Text{State: state})
		require.Empty(t, why, state)
	}
}

// Ensure that an operator reads what to do where Twilio's code says that something can be done.
func TestRemedyAtTwilio(t *testing.T) {
	for code, part := range map[string]string{
		"10001": "funds", "20005": "funds", "30002": "funds", "21606": "TWILIO_FROM",
		"21705": "TWILIO_FROM", "21703": "Messaging Service", "21704": "Messaging Service",
		"21608": "upgrade", "30454": "upgrade", "30001": "more senders", "30036": "more senders",
		"30450": "ends by itself", "60410": "ends by itself", "30453": "Safe List",
		"60605": "Verify", "60223": "Verify",
		"30018": "compliance", "30024": "compliance", "30032": "verified",
	} {
		require.Contains(t, remedy(code), part, code)
		require.NotEmpty(t, text.Meaning(code), code)
	}
	for _, code := range []string{"", "400", "30003", "30005", "99999"} {
		require.Empty(t, remedy(code), code)
	}
}

// Ensure that a mail that another question stands for says so, and one that waits, too.
func TestMailWithoutText(t *testing.T) {
	m := db.Mail{ID: "m", State: "examined", Kind: "verify", ReceivedAt: at(0), EndedAt: at(1)}
	require.True(t, strings.HasPrefix(rows{}.ofMail(m).NoText, "the phone was being asked"))
	m.State, m.EndedAt = "received", moment.Moment{}
	require.Equal(t, "the mail has not been examined yet", rows{}.ofMail(m).NoText)
	m.State, m.Reason = "refused", "country not allowed"
	c := rows{}.ofMail(m)
	require.Equal(t, "country not allowed", c.NoText)
	require.Contains(t, c.Remedy, "SMSBRIDGE_COUNTRIES")
}
