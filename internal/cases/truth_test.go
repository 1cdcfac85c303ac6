package cases

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store/db"
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
