package reply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// question is what the model knows of one question. The model says nothing of texts, jobs or
// rows, only of what a question may come to.
type question struct {
	id, tenant   string
	phone        int
	purpose      challenge.Purpose
	code, state  string
	opened, over time.Time // over: its deadline, or when it ended before
	sent         bool      // its prompt
	sendable     bool      // its prompt was made for a phone that had not opted out
	wrong        int
}

// history is a run of random events, on the bridge and in the model.
type history struct {
	b         bridge
	phones    []phonemail.Number
	optedOut  []bool
	questions []*question
	taken     []reply.Received
}

// Ensure that through any history every question is in the state that the model says: above all
// that none is accepted but by a yes that can only mean this one, in time. Two tenants share a
// line and text two phones for both purposes. The phones send late, repeated, coded and senseless
// replies and opt out, and time passes.
func TestHistories(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { histories(t, storetest.SQLite(t), 30) })
	t.Run("postgres", func(t *testing.T) { histories(t, storetest.PostgreSQL(t), 8) })
}

func histories(t *testing.T, url string, longest int) {
	b := bridge{storetest.OpenBench(t, url), tenants(t)}
	rapid.Check(t, func(r *rapid.T) {
		b.Pass(time.Hour)
		h := &history{b: b, phones: []phonemail.Number{b.Phone(), b.Phone()}, optedOut: make([]bool, 2)}
		for range rapid.IntRange(3, longest).Draw(r, "length") {
			h.step(r)
			h.compare(r)
		}
		for _, q := range h.questions {
			clicks := 0
			if q.state == "accepted" || q.state == "confirmed" {
				clicks = 1
			}
			require.Equal(r, clicks, b.Jobs("click_link", q.id))
		}
	})
}

func (h *history) step(r *rapid.T) {
	phone := rapid.IntRange(0, 1).Draw(r, "phone")
	switch rapid.SampledFrom([]string{"ask", "ask", "deliver", "deliver", "reply", "reply", "reply",
		"reply", "pass", "expire", "click", "repeat"}).Draw(r, "step") {
	case "ask":
		h.ask(rapid.SampledFrom([]string{"acme", "beta"}).Draw(r, "tenant"), phone,
			rapid.SampledFrom([]challenge.Purpose{challenge.Registration, challenge.Password}).Draw(r,
				"purpose"))
	case "deliver":
		for _, q := range h.questions {
			due := q.state == "open" && !q.sent && q.sendable && h.b.Now().Before(q.over)
			if rapid.Bool().Draw(r, "this") && due {
				q.sent = !h.optedOut[q.phone]
				q.sendable = q.sent
				require.Equal(r, q.sent, h.b.deliver(q.id))
			}
		}
	case "reply":
		h.reply(r, phone)
	case "pass":
		h.b.Pass(time.Duration(rapid.SampledFrom([]int{1, 20, 59, 60, 200, 599, 600}).Draw(r,
			"seconds")) * time.Second)
	case "expire":
		for _, q := range h.questions {
			h.b.Do(func(ctx context.Context, tx *store.Tx) error {
				return challenge.ExpireDue(ctx, tx, q.id)
			})
			if q.state == "open" && !h.b.Now().Before(q.over) {
				q.end("expired", h.b.Now())
			}
		}
	case "click":
		for _, q := range h.questions {
			if q.state == "accepted" {
				h.b.Do(func(ctx context.Context, tx *store.Tx) error {
					click, _, err := challenge.BeginClick(ctx, tx, q.id)
					if err != nil {
						return err
					}
					return challenge.Finish(ctx, tx, nil, click, challenge.OutcomeConfirmed)
				})
				q.end("confirmed", h.b.Now())
			}
		}
	case "repeat":
		if len(h.taken) > 0 {
			require.True(r, h.b.take(rapid.SampledFrom(h.taken).Draw(r, "again")).Duplicate)
		}
	}
}

func (q *question) end(state string, now time.Time) { q.state, q.over = state, now }

func (h *history) ask(tenant string, phone int, purpose challenge.Purpose) {
	now := h.b.Now()
	id := h.b.ask(tenant, h.phones[phone], purpose)
	for _, q := range h.questions {
		if q.state != "open" || q.tenant != tenant || q.phone != phone || q.purpose != purpose {
			continue
		}
		if now.Sub(q.opened) < time.Minute && now.Before(q.over) {
			require.Equal(h.b, q.id, id, "the mail was sent again")
			return
		}
		q.end("superseded", now)
	}
	h.questions = append(h.questions, &question{
		id: id, tenant: tenant, phone: phone, purpose: purpose, code: h.b.challenge(id).ReplyCode,
		state:  "open",
		opened: now, over: now.Add(10 * time.Minute), sendable: !h.optedOut[phone],
	})
}

// reply has a phone text something that may carry the code of any of its questions, or none's.
func (h *history) reply(r *rapid.T, phone int) {
	code := "0000"
	for _, q := range h.questions {
		if q.phone == phone && rapid.Bool().Draw(r, "its code") {
			code = q.code
		}
	}
	body := rapid.SampledFrom([]string{"YES", "yes.", "Y", "YES CODE", "y CODE", "NO", "n", "NO CODE",
		"CODE", "STOP", "START", "HELP", "what?", "YES please", "NO YES", ""}).Draw(r, "body")
	received := reply.Received{ProviderID: fmt.Sprintf("SM%d", h.b.Serial()), Line: shared(),
		Phone: h.phones[phone], Body: strings.Replace(body, "CODE", code, 1)}
	if body == "STOP" && rapid.Bool().Draw(r, "keyword") {
		received.Keyword, received.Body = "STOP", "Y"
	}
	require.False(r, h.b.take(received).Duplicate)
	h.taken = append(h.taken, received)

	now := h.b.Now()
	var asked []*question
	for _, q := range h.questions {
		if q.phone == phone && q.state == "open" && q.sent && now.Before(q.over) {
			asked = append(asked, q)
		}
	}
	switch body {
	case "YES", "yes.", "Y":
		h.optedOut[phone] = false
		if len(asked) == 1 && !h.mistakable(asked[0]) {
			asked[0].end("accepted", now)
		}
	case "YES CODE", "y CODE":
		h.optedOut[phone] = false
		h.coded(asked, code)
	case "NO", "n", "NO CODE":
		for _, q := range asked {
			if body != "NO CODE" || q.code == code {
				q.end("denied", now)
			}
		}
	case "STOP":
		h.optedOut[phone] = true
		for _, q := range h.questions {
			if q.phone == phone && q.state == "open" {
				q.end("canceled", now)
			}
		}
	case "START":
		h.optedOut[phone] = false
	}
}

func (h *history) coded(asked []*question, code string) {
	for _, q := range asked {
		if q.code == code {
			q.end("accepted", h.b.Now())
			return
		}
	}
	for _, q := range asked {
		if q.wrong++; q.wrong == 3 {
			q.end("canceled", h.b.Now())
		}
	}
}

func (h *history) mistakable(c *question) bool {
	now := h.b.Now()
	for _, q := range h.questions {
		unanswered := q.state == "expired" || q.state == "superseded" || q.state == "open" &&
			!now.Before(q.over)
		if q.phone == c.phone && unanswered && now.Sub(q.over) < 10*time.Minute &&
			(q.tenant != c.tenant || q.purpose != c.purpose) {
			return true
		}
	}
	return false
}

// compare ensures that every question is where the model says, and that no phone got two hints for
// one question.
func (h *history) compare(r *rapid.T) {
	for _, q := range h.questions {
		require.Equal(r, q.state, h.b.state(q.id), "%s %s", q.tenant, q.purpose)
	}
	twice := "(SELECT 1 FROM text WHERE purpose = 'hint' AND phone IN ($1, $2)" +
		" GROUP BY challenge_id HAVING count(*) > 1) AS twice"
	require.Zero(r, h.b.Count(twice, h.phones[0].E164(), h.phones[1].E164()))
}
