package cases

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// Ensure that a case of a test number, which is never texted, is told by its question or code. A
// rehearsal that went well is no failure.
func TestBriefsOfTestNumbers(t *testing.T) {
	now := at(30).Time
	m := db.NewestMailsRow{State: "examined", Question: challenge.Confirmed,
		Outcome: challenge.OutcomeConfirmed, Texted: text.Suppressed, TextError: text.TestReason}
	require.Equal(t, Confirmed, briefOfMail(m, now).State)
	q := db.NewestAppQuestionsRow{State: challenge.Confirmed, Texted: text.Suppressed,
		TextError: text.TestReason}
	require.Equal(t, Confirmed, briefOfQuestion(q, now).State)
	v := db.NewestVerificationsRow{State: verification.Pending, ExpiresAt: at(31),
		Texted: text.Suppressed, TextError: text.TestReason}
	require.Equal(t, Running, briefOfVerification(v, now).State)
	m.Question, m.Over, m.TextError = challenge.Open, at(31), "opted out"
	require.Equal(t, Failed, briefOfMail(m, now).State, "another reason")
}

// Ensure that a mail which the bridge found at Mailgun is not told as one that a signed webhook
// brought.
func TestFoundMail(t *testing.T) {
	m := db.Mail{ID: "m", State: mail.Received, ReceivedAt: at(0)}
	r := rows{events: map[string][]db.Event{"m": {{Name: "mail.received", At: at(0)}}}}
	require.Equal(t, []string{"a mail came, and Mailgun's signature was right"}, said(r.ofMail(m)))
	r.events["m"][0].Detail = mail.FoundDetail
	require.Equal(t, []string{"the phone said yes, no question to it was known, and this mail was " +
		"found at Mailgun"}, said(r.ofMail(m)))
}

// Ensure that a deadline of another day says which: a question at midnight, or one of eight hours.
func TestDeadlineAfterMidnight(t *testing.T) {
	late := moment.Of(time.Date(2026, 12, 31, 23, 55, 0, 0, time.UTC))
	q := db.Challenge{OpenedAt: late, ExpiresAt: late.Add(8 * time.Hour)}
	require.Contains(t, opened(q).Said, "it counts until 2027-01-01 07:55:00")
	v := db.Verification{OpenedAt: late, ExpiresAt: late.Add(5 * time.Minute)}
	require.Contains(t, rows{}.verification(v)[0].Said, "it counts until 2027-01-01 00:00:00")
	v.ExpiresAt = late.Add(time.Minute)
	require.Contains(t, rows{}.verification(v)[0].Said, "it counts until 23:56:00")
}

// Ensure that a text which was given up before a provider was asked is told to fail.
func TestTextGivenUpBeforeItLeft(t *testing.T) {
	text := db.Text{ID: "t", Purpose: text.Prompt, Segments: 1, State: text.Failed, Error: "dropped",
		CreatedAt: at(0), EndedAt: at(9)}
	require.Equal(t, []string{"a text (prompt, 1 segment) is due", "the prompt fails: dropped"},
		said(rows{}.ofText(text)))
}

// Ensure that what a country lets through in no form has a remedy of its own. It is not that of a
// mail without the right link.
func TestRemedyOfACountry(t *testing.T) {
	for _, reason := range []string{
		"no question can be asked: phones of SG cannot text back (replies_work); operators of SG " +
			"filter texts with links",
		"cannot be passed on: operators of DK filter texts with links that are not registered " +
			"(links_work)",
	} {
		require.Contains(t, remedy(reason), "smsbridge compliance COUNTRY", reason)
	}
	require.Contains(t, remedy("no link to an allowed host"), "smsbridge link FILE.eml")
}
