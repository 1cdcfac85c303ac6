package reply_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
)

// reply has a phone text something that may carry the code of any of its questions, or none's.
func (h *history) reply(r *rapid.T, phone int) {
	code := "0000"
	for _, q := range h.questions {
		if q.phone == phone && rapid.IntRange(0, 2).Draw(r, "its code") > 0 {
			code = q.code
		}
	}
	body := rapid.SampledFrom([]string{"YES", "YES", "YES", "YES", "yes.", "Y", "YES CODE",
		"YES CODE", "YES CODE", "YES CODE", "y CODE", "NO", "n", "NO CODE", "CODE", "STOP", "START",
		"HELP", "what?", "YES please stop", "NO YES", "",
	}).Draw(r, "body")
	received := reply.Received{ProviderID: fmt.Sprintf("SM%032d", h.b.Serial()), Line: shared(),
		Phone: h.phones[phone], Body: strings.Replace(body, "CODE", code, 1)}
	if body == "STOP" && rapid.Bool().Draw(r, "keyword") {
		received.Keyword, received.Body = "STOP", "Y"
	}
	if rapid.IntRange(0, 5).Draw(r, "by Twilio") == 0 {
		require.Equal(r, accepted, h.through(h.replied(received)))
	} else {
		require.False(r, h.b.take(received).Duplicate)
	}
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
	now := h.b.Now()
	if len(asked) == 0 || h.recent(phone) >= challenge.MaxGuesses {
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

// guessed has the first phone have texted wrong codes today, before the history begins.
func (h *history) guessed(wrong int) {
	h.guesses[0] = slices.Repeat([]time.Time{h.b.Now()}, wrong)
	if wrong == 0 {
		return
	}
	h.b.Do(func(ctx context.Context, tx *store.Tx) error {
		if _, err := challenge.MayGuess(ctx, tx, h.phones[0]); err != nil {
			return err
		}
		_, err := challenge.CountGuess(ctx, tx, h.phones[0], wrong)
		return err
	})
}

// recent is how many wrong codes of a phone count now.
func (h *history) recent(phone int) (recent int) {
	for _, at := range h.guesses[phone] {
		if h.b.Now().Sub(at) < challenge.GuessMemory {
			recent++
		}
	}
	return recent
}

// repeat posts or delivers a reply again.
func (h *history) repeat(r *rapid.T) {
	if len(h.taken) == 0 {
		return
	}
	received := rapid.SampledFrom(h.taken).Draw(r, "again")
	h.unchanged(r, func() {
		require.True(r, h.b.take(received).Duplicate)
		if rapid.IntRange(0, 3).Draw(r, "by Twilio") == 0 {
			require.Equal(r, accepted, h.through(h.replied(received)))
		}
	})
}

// fold posts a captured reply again under its signature. Its fields are folded, so that it has
// another id, or another phone as its sender.
func (h *history) fold(r *rapid.T) {
	if len(h.taken) == 0 {
		return
	}
	of, signed := h.replied(rapid.SampledFrom(h.taken).Draw(r, "captured"))
	folded, signature := neighborsFolded(r, of.form), signed.Get("X-Twilio-Signature")
	if rapid.IntRange(0, 2).Draw(r, "own text") == 0 {
		// A person texts fields, and has the own signed request say that another phone texted YES.
		victim, own := h.phones[0].E164(), h.b.Phone().E164()
		name, rest := "FromCity", "FromCity" // takes in the true sender, and what follows it
		if rapid.Bool().Draw(r, "unknown field") {
			name, rest = "FromAfar", ""
		}
		of.form.Set("From", own)
		of.form.Set("Body", "YESFrom"+victim+name)
		signature = inboundtest.SignTwilio(inboundtest.AuthToken, inboundtest.PublicURL+of.path, of.form)
		folded = maps.Clone(of.form)
		folded.Set("Body", "YES")
		folded.Set("From", victim)
		folded.Set(name, "From"+own+rest)
	}
	require.Equal(r, signature,
		inboundtest.SignTwilio(inboundtest.AuthToken, inboundtest.PublicURL+of.path, folded))
	h.unchanged(r, func() {
		// What the door refuses needs no store. The rest waits for the group in vain, and is a 503.
		answer := h.serve(posted{of.path, folded}, http.Header{"X-Twilio-Signature": {signature}})
		require.Regexp(r, "^40[03] ", answer, "a folded reply was taken")
	})
}

// neighborsFolded is a form in which a field has taken in those after it in the signed text.
func neighborsFolded(r *rapid.T, form url.Values) url.Values {
	names := slices.Sorted(maps.Keys(form))
	first := slices.Index(names, "MessageSid")
	if rapid.IntRange(0, 2).Draw(r, "any field") == 0 {
		first = rapid.IntRange(0, len(names)-2).Draw(r, "into")
	}
	last := rapid.IntRange(first+1, min(first+6, len(names)-1)).Draw(r, "up to")
	folded := maps.Clone(form)
	for _, name := range names[first+1 : last+1] {
		folded.Set(names[first], folded.Get(names[first])+name+folded.Get(name))
		delete(folded, name)
	}
	return folded
}

// unchanged ensures that a post leaves no reply and no opt-out, and takes none back.
func (h *history) unchanged(r *rapid.T, post func()) {
	rows := func() (found []string) {
		for _, phone := range h.phones {
			found = append(found, fmt.Sprint(h.b.optedOut(phone)))
		}
		return append(found, h.b.Strings("SELECT max(id) FROM reply")...)
	}
	before := rows()
	post()
	require.Equal(r, before, rows())
}

// accepted is how the door of Twilio responds to a reply, whatever it says.
const accepted = "200 " + inboundtest.EmptyTwiML

// replied is what Twilio posts about a reply, and its signature.
func (h *history) replied(received reply.Received) (of posted, signature http.Header) {
	form := inboundtest.ReplyForm(0, received.Body)
	for _, name := range []string{"MessageSid", "SmsSid", "SmsMessageSid"} {
		form.Set(name, received.ProviderID)
	}
	form.Set("From", received.Phone.E164())
	if received.Keyword != "" {
		form.Set("OptOutType", received.Keyword)
	}
	of = posted{"/twilio/acme/reply", form}
	return of, http.Header{"X-Twilio-Signature": {
		inboundtest.SignTwilio(inboundtest.AuthToken, inboundtest.PublicURL+of.path, form),
	}}
}

// hall is all that providers reach of a bridge.
func hall(b bridge) http.Handler {
	server := &inbound.Server{
		Store: b.Store, Settings: configured(b.T), Log: slog.New(slog.DiscardHandler), Now: b.Now,
	}
	return server.Handler()
}

// through posts a form at its door, and returns the status and the body of the response.
func (h *history) through(of posted, headers http.Header) string {
	h.b.settle()
	return h.serve(of, headers)
}

// serve is through for a form that comes to no store.
func (h *history) serve(of posted, headers http.Header) string {
	request := httptest.NewRequest(http.MethodPost, of.path, strings.NewReader(of.form.Encode()))
	maps.Copy(request.Header, headers)
	request.Header.Set("Content-Type", inboundtest.ContentForm)
	response := httptest.NewRecorder()
	h.door.ServeHTTP(response, request)
	return fmt.Sprint(response.Code, " ", response.Body)
}
