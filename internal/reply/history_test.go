package reply_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/challenge"
	"smsbridge/internal/longtest"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// question is what the model knows of one question. The model says nothing of texts, jobs or
// rows, only of what a question may come to, and which link its yes may open.
type question struct {
	id, tenant, to string
	phone          int
	purpose        challenge.Purpose
	link, held     string // what a yes opens, and what takes its place when that is used or expired
	author         string // the proved sender of the mail with the link
	code, state    string
	coded          bool      // a bare yes is not for it
	over           time.Time // its deadline, or when it ended before
	sent           bool      // its prompt
	sendable       bool      // its prompt was made for a phone that had not opted out
	wrong, clicks  int       // wrong codes, and clicks that are due or done

	// may is what a yes may open, by what was texted alone: the link when the prompt left, and later
	// ones that were proved to be of its sender.
	may []string
}

// history is a run of random events, on the bridge and in the model.
type history struct {
	b         bridge
	door      http.Handler
	phones    []phonemail.Number
	optedOut  []bool
	guesses   [][]time.Time // of each phone: when it texted a wrong code
	questions []*question
	taken     []reply.Received
	mails     []posted // what an attacker has of Mailgun's posts
	links     int
}

// posted is a form that came through a door with a signature, and the path.
type posted struct {
	path string
	form url.Values
}

// Ensure that through any history every question is in the state that the model says. Above all,
// no link is opened but by a yes that can only mean the question about it, in time. Two tenants
// share a line, a Mailgun key and two phones, which they text for both purposes. Mails are sent
// again. An attacker mails own and senseless links to every spelling of the phones' addresses,
// before and after a prompt, with and without a proved sender. The attacker posts captured replies
// again, as they were and with fields folded into others, and captured mails for another phone or
// tenant. The phones send late, repeated, coded and senseless replies and opt out, and time passes.
//
// This many histories are quick. For 100,000 of them:
//
//	go test ./internal/reply -run TestHistories/sqlite -rapid.checks=100000 -timeout=0
//
//test:unwatched
func TestHistories(t *testing.T) {
	longtest.Skip(t)
	t.Run("sqlite", func(t *testing.T) { histories(t, storetest.SQLite(t), 20) })
	t.Run("postgres", func(t *testing.T) { histories(t, storetest.PostgreSQL(t), 8) })
}

func histories(t *testing.T, url string, longest int) {
	b := open(storetest.OpenBench(t, url))
	b.group = &group{}
	door := hall(b)
	runs, clicks := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		defer b.abandon()
		h := &history{
			b: b, door: door, phones: []phonemail.Number{b.Phone(), b.Phone()},
			optedOut: make([]bool, 2), guesses: make([][]time.Time, 2),
		}
		h.guessed(rapid.SampledFrom([]int{0, 0, 0, 7, 9, 10}).Draw(r, "guessed"))
		for range rapid.IntRange(longest/3, longest).Draw(r, "length") {
			h.step(r)
			h.compare(r, h.askedPhones()...)
		}
		runs++
		clicks += h.ends(r)
	})
	b.settle()
	t.Logf("%d histories with %d clicks: no link was opened that its question was not about", runs,
		clicks)
}

// ends ensures that every yes that is left opens the link that the model says. No question was
// clicked but those that had a yes, and no phone got two hints for one question. It returns how
// many clicks became due. What it asks the database for has an index, so that many histories take
// no longer each than a few.
func (h *history) ends(r *rapid.T) (clicks int) {
	for _, q := range h.questions {
		for q.state == "accepted" {
			h.click(r, q)
		}
		due := 0
		h.b.Do(func(ctx context.Context, tx *store.Tx) error {
			events, err := tx.EventsOf(ctx, q.id)
			for _, e := range events {
				if e.Name == "challenge.accepted" {
					due++
				}
			}
			return err
		})
		require.Equal(r, q.clicks, due)
		clicks += due
	}
	h.compare(r, 0, 1)
	var ids []any
	places := ""
	for i, q := range h.questions {
		ids, places = append(ids, q.id), places+fmt.Sprintf(", $%d", i+1)
	}
	hinted := h.b.Strings(
		"SELECT challenge_id FROM text WHERE challenge_id <> '' AND purpose = 'hint'"+
			" AND challenge_id IN (''"+places+") ORDER BY challenge_id", ids...)
	require.Equal(r, slices.Compact(slices.Clone(hinted)), hinted)
	return clicks
}

func (h *history) step(r *rapid.T) {
	phone := rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(r, "phone")
	switch rapid.SampledFrom([]string{"mail", "deliver", "reply", "attack", "deliver", "reply",
		"click", "resend", "reply", "mail", "deliver", "reply", "pass", "expire", "repeat", "lose",
		"click", "fold", "steal",
	}).Draw(r, "step") {
	case "mail":
		h.mail(r, phone)
	case "resend", "attack":
		h.again(r)
	case "deliver":
		for _, q := range h.questions {
			due := q.state == "open" && !q.sent && q.sendable && h.b.Now().Before(q.over)
			if due && rapid.IntRange(0, 3).Draw(r, "not this") > 0 {
				q.sent = !h.optedOut[q.phone]
				q.sendable = q.sent
				q.may = []string{q.link}
				require.Equal(r, q.sent, h.b.deliver(q.id))
			}
		}
	case "lose":
		h.lose(r)
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
				h.click(r, q)
			}
		}
	case "repeat":
		h.repeat(r)
	case "fold":
		h.fold(r)
	case "steal":
		h.steal(r)
	}
}

// lose has the provider refuse a prompt that was handed to it, for good.
func (h *history) lose(r *rapid.T) {
	for _, q := range h.questions {
		if q.state == "open" && q.sent && rapid.Bool().Draw(r, "this") {
			q.sent, q.sendable = false, false
			h.b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id = $1"+
				" AND challenge_id <> '' AND purpose = 'prompt'", q.id)
		}
	}
}

// click opens the link of an accepted question, which must be the one that the model says.
func (h *history) click(r *rapid.T, q *question) {
	outcome := rapid.SampledFrom([]challenge.Outcome{
		challenge.OutcomeConfirmed, challenge.OutcomeUsed, challenge.OutcomeExpired,
		challenge.OutcomeRefused,
	}).Draw(r, "outcome")
	h.b.Do(func(ctx context.Context, tx *store.Tx) error {
		click, due, err := challenge.BeginClick(ctx, tx, q.id)
		if err != nil {
			return err
		}
		require.True(r, due)
		require.Equal(r, q.link, click.Link, "a yes opened another link")
		require.Contains(r, q.may, click.Link, "a yes opened a link that was not texted")
		return challenge.Finish(ctx, tx, nil, click, outcome)
	})
	dead := outcome == challenge.OutcomeUsed || outcome == challenge.OutcomeExpired
	switch {
	case outcome == challenge.OutcomeConfirmed:
		q.end("confirmed", h.b.Now())
	case dead && q.held != "":
		q.link, q.held = q.held, ""
		q.clicks++
	default:
		q.end("failed", h.b.Now())
	}
}

func (q *question) end(state string, now time.Time) { q.state, q.over, q.held = state, now, "" }

func (q *question) accept() { q.state, q.clicks = "accepted", 1 }

// compare ensures that every question to some phones is where the model says, and that there are
// no others.
func (h *history) compare(r *rapid.T, phones ...int) {
	require.LessOrEqual(r, len(h.questions), 20, "the query returns no more")
	want, is := []string{}, []string{}
	for _, q := range h.questions {
		want = append(want, q.id+" "+q.state)
	}
	for _, phone := range phones {
		for _, row := range h.rows(phone) {
			is = append(is, row.ID+" "+string(row.State))
		}
	}
	slices.Sort(want)
	slices.Sort(is)
	require.Equal(r, want, is)
}

// askedPhones are the phones that a question was put to. The other phone is looked at in the end:
// a question that should not be is a row for good.
func (h *history) askedPhones() (phones []int) {
	for phone := range h.phones {
		if slices.ContainsFunc(h.questions, func(q *question) bool { return q.phone == phone }) {
			phones = append(phones, phone)
		}
	}
	return phones
}

// rows are all questions to a phone.
func (h *history) rows(phone int) (rows []db.Challenge) {
	h.b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		rows, err = tx.LastChallengesOfPhone(ctx, db.LastChallengesOfPhoneParams{
			Account: shared().Account, Sender: shared().Sender, Phone: h.phones[phone],
		})
		return err
	})
	return rows
}
