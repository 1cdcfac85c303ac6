package cases

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
)

// Ensure that the question of an app is a case of its own, with its text, its answer and its end.
func TestAppQuestion(t *testing.T) {
	q := db.Challenge{
		ID: "q", Tenant: "acme", Purpose: challenge.App, State: challenge.Confirmed,
		OpenedAt: at(0), ExpiresAt: at(59), AcceptedAt: at(5), EndedAt: at(5),
	}
	r := rows{
		challenges: []db.Challenge{q, {ID: "of a mail", MailID: "m"}},
		texts: []db.Text{
			{ID: "t1", ChallengeID: "q", Purpose: text.Prompt, Segments: 1, State: text.Failed,
				Error: "30003", CreatedAt: at(0), EndedAt: at(2)},
			{ID: "t2", ChallengeID: "of a mail", Purpose: text.Prompt, CreatedAt: at(9)},
		},
		replies: []db.Reply{{ID: "r", ChallengeID: "q", Word: reply.Yes, ReceivedAt: at(5)}},
	}
	c := r.ofQuestion(q)
	require.Equal(t, []any{"q", OfQuestion, "acme"}, []any{c.ID, c.Kind, c.Tenant})
	all := said(c)
	require.Contains(t, all, "a question about what the app asks is opened; it counts until 09:00:59")
	require.Contains(t, all, "the person says yes, and the question is confirmed")
	require.NotEmpty(t, c.NoText)
	require.Len(t, r.ofReply(r.replies[0]).Steps, 1)
	q.State = challenge.Failed
	require.Equal(t, "the question failed: its text did not leave", ended(q))
	q.State = challenge.Denied
	require.Equal(t, "the person says no", ended(q))
}
