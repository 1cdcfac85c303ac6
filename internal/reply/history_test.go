package reply_test

import (
	"context"
	"fmt"
	"slices"
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
}

// history is a run of random events, on the bridge and in the model.
type history struct {
	b         bridge
	phones    []phonemail.Number
	optedOut  []bool
	guesses   [][]time.Time // of each phone: when it texted a wrong code
	questions []*question
	taken     []reply.Received
	links     int
}

// Ensure that through any history every question is in the state that the model says. Above all,
// no link is opened but by a yes that can only mean the question about it, in time. Two tenants
// share a line and text two phones for both purposes. Mails are sent again. An attacker mails own
// and senseless links to every spelling of the phones' addresses, before and after a prompt, with
// and without a proved sender. The phones send late, repeated, coded and senseless replies and
// opt out, and time passes.
//
// This many histories are quick. For 100,000 of them:
//
//	go test ./internal/reply -run TestHistories/sqlite -rapid.checks=100000 -timeout=0
func TestHistories(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { histories(t, storetest.SQLite(t), 20) })
	t.Run("postgres", func(t *testing.T) { histories(t, storetest.PostgreSQL(t), 8) })
}

func histories(t *testing.T, url string, longest int) {
	b := bridge{storetest.OpenBench(t, url), tenants(t)}
	runs, clicks := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		b.Pass(time.Hour)
		h := &history{
			b: b, phones: []phonemail.Number{b.Phone(), b.Phone()}, optedOut: make([]bool, 2),
			guesses: make([][]time.Time, 2),
		}
		for range rapid.IntRange(longest/3, longest).Draw(r, "length") {
			h.step(r)
			h.compare(r)
		}
		runs++
		clicks += h.ends(r)
	})
	t.Logf("%d histories with %d clicks: no link was opened that its question was not about", runs,
		clicks)
}

// ends ensures that no question was clicked but those that had a yes, and that no phone got two
// hints for one question. It returns how many clicks became due. What it asks the database for
// has an index, so that many histories take no longer each than a few.
func (h *history) ends(r *rapid.T) (clicks int) {
	for _, q := range h.questions {
		due := 0
		for _, name := range h.b.EventNames(q.id) {
			if name == "challenge.accepted" {
				due++
			}
		}
		require.Equal(r, q.clicks, due)
		clicks += due
		require.LessOrEqual(r, h.b.Count("text WHERE challenge_id = $1 AND challenge_id <> ''"+
			" AND purpose = 'hint'", q.id), 1)
	}
	return clicks
}

func (h *history) step(r *rapid.T) {
	phone := rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(r, "phone")
	switch rapid.SampledFrom([]string{"mail", "deliver", "reply", "attack", "deliver", "reply",
		"click",
		"resend", "reply", "mail", "deliver", "reply", "pass", "expire", "repeat", "lose", "click",
	}).Draw(r, "step") {
	case "mail", "attack":
		h.mail(r, phone)
	case "resend":
		if len(h.questions) > 0 {
			q := rapid.SampledFrom(h.questions).Draw(r, "of")
			h.ask(r, q.tenant, q.to, q.phone, q.purpose, q.author)
		}
	case "deliver":
		for _, q := range h.questions {
			due := q.state == "open" && !q.sent && q.sendable && h.b.Now().Before(q.over)
			if due && !rapid.Bool().Draw(r, "not this") {
				q.sent = !h.optedOut[q.phone]
				q.sendable = q.sent
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
		if len(h.taken) > 0 {
			require.True(r, h.b.take(rapid.SampledFrom(h.taken).Draw(r, "again")).Duplicate)
		}
	}
}

// lose has the provider refuse a prompt that was handed to it, for good.
func (h *history) lose(r *rapid.T) {
	for _, q := range h.questions {
		if q.state == "open" && q.sent && rapid.Bool().Draw(r, "this") {
			q.sent, q.sendable = false, false
			h.b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id = $1 AND purpose = 'prompt'",
				q.id)
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

// mail has any mail arrive: a genuine one or an attacker's, to whatever spelling, proved or not.
func (h *history) mail(r *rapid.T, phone int) {
	slug := rapid.SampledFrom([]string{"acme", "acme", "beta"}).Draw(r, "tenant")
	recipient := to(slug, h.phones[phone])
	if rapid.IntRange(0, 3).Draw(r, "spelling") == 0 {
		recipient = strings.ToUpper(recipient[:1]) + recipient[1:]
	}
	purpose := rapid.SampledFrom([]challenge.Purpose{
		challenge.Registration, challenge.Registration, challenge.Password,
	}).Draw(r, "purpose")
	author := rapid.SampledFrom([]string{"", idp, idp, "other@acme.example"}).Draw(r, "author")
	h.ask(r, slug, recipient, phone, purpose, author)
}

func (h *history) ask(
	r *rapid.T, slug, recipient string, phone int, purpose challenge.Purpose, author string,
) {
	h.links++
	now, link := h.b.Now(), fmt.Sprintf("https://login.acme.example/verify?ticket=%d", h.links)
	asked := challenge.Question{
		MailID: store.NewID(), Phone: h.phones[phone], Recipient: recipient, Purpose: purpose,
		Link: link, Author: author,
	}
	this := &question{
		tenant: slug, to: recipient, phone: phone, purpose: purpose, link: link, author: author,
		state: "open", over: now.Add(10 * time.Minute), sendable: !h.optedOut[phone],
	}
	if same := h.standing(this); same != nil {
		require.Equal(r, same.id, h.b.askAbout(slug, asked), "the mail was sent again")
		left := same.sent || same.state != "open"
		switch {
		case !left && (same.author == "" || same.author == author):
			same.link, same.author = link, author
		case same.author != "" && same.author == author:
			same.held = link
		}
		return
	}
	for _, q := range h.questions {
		this.coded = this.coded || q.phone == phone && !q.same(this) && h.mistakable(q)
	}
	this.id = h.b.askAbout(slug, asked)
	c := h.b.challenge(this.id)
	require.Equal(r, this.coded, c.Coded)
	this.code = c.ReplyCode
	h.questions = append(h.questions, this)
}

func (q *question) same(other *question) bool {
	return q.tenant == other.tenant && q.to == other.to && q.phone == other.phone &&
		q.purpose == other.purpose
}

// standing is the question that asks the same already. One that is over, or whose prompt did not
// leave, ends.
func (h *history) standing(this *question) *question {
	for _, q := range h.questions {
		switch {
		case !q.same(this):
		case q.state == "accepted":
			return q
		case q.state == "open" && !h.b.Now().Before(q.over):
			q.end("expired", h.b.Now())
		case q.state == "open" && !q.sent && !q.sendable:
			q.end("canceled", h.b.Now())
		case q.state == "open":
			return q
		}
	}
	return nil
}

// mistakable reports whether a yes might be meant for a question.
func (h *history) mistakable(q *question) bool {
	now := h.b.Now()
	return q.state == "accepted" || q.state == "open" && now.Before(q.over) ||
		(q.state == "open" || q.state == "expired") && now.Sub(q.over) < 10*time.Minute
}

// reply has a phone text something that may carry the code of any of its questions, or none's.
func (h *history) reply(r *rapid.T, phone int) {
	code := "0000"
	for _, q := range h.questions {
		if q.phone == phone && rapid.IntRange(0, 2).Draw(r, "its code") > 0 {
			code = q.code
		}
	}
	body := rapid.SampledFrom([]string{"YES", "YES", "yes.", "Y", "YES CODE", "y CODE", "YES CODE",
		"NO", "n", "NO CODE", "CODE", "STOP", "START", "HELP", "what?", "YES please", "NO YES", "",
	}).Draw(r, "body")
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
		if q := bareOne(asked); q != nil {
			q.accept()
		}
	case "YES CODE", "y CODE":
		h.optedOut[phone] = false
		h.coded(phone, asked, code)
	case "NO", "n", "NO CODE":
		for _, q := range denied(asked, body == "NO CODE", code) {
			q.end("denied", now)
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

// bareOne is the one question that a bare yes means, or nil. There cannot be two.
func bareOne(asked []*question) *question {
	for _, q := range asked {
		if !q.coded {
			return q
		}
	}
	return nil
}

// denied are the questions that a no ends: the one with its code, or the one that takes a bare no,
// or all when each of them told a code.
func denied(asked []*question, withCode bool, code string) (ended []*question) {
	for _, q := range asked {
		if withCode && q.code == code {
			ended = append(ended, q)
		}
	}
	if withCode {
		return ended
	}
	if one := bareOne(asked); one != nil {
		return []*question{one}
	}
	return asked
}

func (h *history) coded(phone int, asked []*question, code string) {
	now, recent := h.b.Now(), 0
	for _, at := range h.guesses[phone] {
		if now.Sub(at) < challenge.GuessMemory {
			recent++
		}
	}
	if len(asked) == 0 || recent >= challenge.MaxGuesses {
		return
	}
	for _, q := range asked {
		if q.code == code {
			q.accept()
			return
		}
	}
	for _, q := range asked {
		h.guesses[phone] = append(h.guesses[phone], now) // one for each comparison
		if q.wrong++; q.wrong == 3 {
			q.end("canceled", now)
		}
	}
}

// compare ensures that every question is where the model says, and that there are no others.
func (h *history) compare(r *rapid.T) {
	var want []string
	for _, q := range h.questions {
		want = append(want, q.id+" "+q.state)
	}
	slices.Sort(want)
	is := h.b.Strings("SELECT id || ' ' || state FROM challenge"+
		" WHERE account = $1 AND sender = $2 AND phone IN ($3, $4) ORDER BY id",
		shared().Account, shared().Sender, h.phones[0].E164(), h.phones[1].E164())
	require.Equal(r, want, is)
}
