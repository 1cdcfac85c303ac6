package callback

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// types are the types of events, by the name that the timeline has for them.
func types() map[string]string {
	all := map[string]string{
		"challenge.open": "question.asked", "verification.pending": "verification.started",
		"limit.budget": "limit.reached", "limit.breaker": "limit.paused",
	}
	for _, s := range []challenge.State{
		challenge.Accepted, challenge.Confirmed, challenge.Denied, challenge.Expired,
		challenge.Failed, challenge.Canceled,
	} {
		all["challenge."+string(s)] = "question." + string(s)
	}
	for _, s := range []verification.State{
		verification.Approved, verification.Failed, verification.Expired, verification.Canceled,
		verification.MaxAttemptsReached,
	} {
		all["verification."+string(s)] = "verification." + string(s)
	}
	for _, s := range []text.State{
		text.Sent, text.Delivered, text.Undelivered, text.Failed, text.Suppressed,
	} {
		all["text."+string(s)] = "text." + string(s)
	}
	return all
}

// message is what an app is told, in the form of Standard Webhooks.
//
// Source:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
type message struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      data   `json:"data"`
	Extra     string `json:"extra,omitempty"` // see isExtra
}

// data is what an event is about. docs/EVENTS.md says which members an event has.
type data struct {
	ID             string `json:"id"`
	Case           string `json:"case,omitempty"`
	Reference      string `json:"reference,omitempty"`
	QuestionID     string `json:"question_id,omitempty"`
	VerificationID string `json:"verification_id,omitempty"`
	Phone          string `json:"phone,omitempty"`
	Purpose        string `json:"purpose,omitempty"`
	Door           string `json:"door,omitempty"`
	Segments       int64  `json:"segments,omitempty"`
	Outcome        string `json:"outcome,omitempty"`
	Reason         string `json:"reason,omitempty"`
	Test           bool   `json:"test,omitempty"`
	Extra          string `json:"extra,omitempty"`
}

// extra is the member that some events have and no document explains: a receiver must pass over
// what it does not know, or a later version breaks it.
const extra = "receivers pass over members that they do not know"

// isExtra reports whether an event has such members: one in eight, always the same.
func isExtra(eventID string) bool { return sha256.Sum256([]byte(eventID))[0]%8 == 0 }

// ErrNothing says that there is nothing to tell: the row is gone, or its person was erased.
var ErrNothing = errors.New("callback: the person was erased")

// Message is the body of a callback. It has no link, no code and no word of a mail or text. It
// returns ErrNothing when there is nothing to tell any more.
func Message(ctx context.Context, view store.View, c Callback) ([]byte, error) {
	about, phone, err := subject(ctx, view, c)
	if err != nil {
		return nil, err
	}
	if phone != (phonemail.Number{}) {
		if phone.Erased() {
			return nil, ErrNothing
		}
		about.Phone = phone.E164()
	}
	about.ID = c.Subject
	m := message{Type: c.Type, Timestamp: c.At.UTC().Format(time.RFC3339Nano), Data: about}
	if isExtra(c.EventID) {
		m.Extra, m.Data.Extra = extra, extra
	}
	return json.Marshal(m)
}

// CaseOf reads in a message which case it is about, and which phone. What it is not about is zero.
func CaseOf(body []byte) (id string, phone phonemail.Number) {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return "", phonemail.Number{}
	}
	phone, _ = phonemail.ParseNumber(m.Data.Phone) // a limit is about no phone
	return m.Data.Case, phone
}

// subject reads what an event is about. A limit is about no phone.
func subject(
	ctx context.Context, view store.View, c Callback,
) (data, phonemail.Number, error) {
	switch kind, event, _ := strings.Cut(c.Type, "."); kind {
	case "question":
		q, err := challenge.Get(ctx, view, c.Subject)
		if errors.Is(err, challenge.ErrUnknown) {
			err = ErrNothing
		}
		about := data{
			Case: q.ID, Reference: q.Reference, Purpose: string(q.Purpose), Test: q.Test,
		}
		switch challenge.State(event) {
		case challenge.Confirmed, challenge.Failed:
			about.Outcome = c.detail
		case challenge.Canceled:
			about.Reason = c.detail
		}
		return about, q.Phone, err
	case "verification":
		v, err := verification.ByID(ctx, view, c.Subject)
		if errors.Is(err, verification.ErrUnknown) {
			err = ErrNothing
		}
		about := data{Case: v.ID, Reference: v.ExternalID, Door: v.Door, Test: v.Test}
		if verification.State(event) == verification.Failed {
			about.Reason = string(v.Reason)
		}
		return about, v.Phone, err
	case "text":
		return ofText(ctx, view, c, text.State(event))
	}
	return data{Reason: c.detail}, phonemail.Number{}, nil
}

func ofText(
	ctx context.Context, view store.View, c Callback, state text.State,
) (data, phonemail.Number, error) {
	t, err := view.GetText(ctx, c.Subject)
	if store.Missing(err) {
		err = ErrNothing
	}
	if err != nil {
		return data{}, phonemail.Number{}, err
	}
	about := data{
		Case: cmp.Or(t.ChallengeID, t.VerificationID), QuestionID: t.ChallengeID,
		VerificationID: t.VerificationID, Purpose: string(t.Purpose),
		Segments: cmp.Or(c.segments, t.Segments),
	}
	if state != text.Sent { // of which the timeline notes the purpose
		// One that was suppressed at once notes the purpose before the reason.
		about.Reason = strings.TrimPrefix(c.detail, string(t.Purpose)+": ")
	}
	return about, t.Phone, nil
}
