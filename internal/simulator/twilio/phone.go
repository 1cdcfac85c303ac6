package twilio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Phone is a pretend phone on the pretend Twilio's network. Safe for use by several goroutines.
type Phone struct {
	twilio *Account
	number string
	inbox  []*storedText // guarded by twilio.mu
}

// errNoSender means that the phone has no sender to reply to.
var errNoSender = errors.New("simulator: the phone has received no text yet")

// Phone returns the phone with the number in E.164, the same one each time. Texts that arrived
// before it was first asked for are in its inbox.
func (t *Account) Phone(number string) *Phone {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phone(number)
}

// phone is Phone for a caller that holds mu.
func (t *Account) phone(number string) *Phone {
	p := t.phones[number]
	if p == nil {
		p = &Phone{twilio: t, number: number}
		t.phones[number] = p
	}
	return p
}

// Bring puts a text of another sender, such as Twilio Verify, into the inbox of the phone that
// it is to.
func (t *Account) Bring(text Text) {
	t.mu.Lock()
	defer t.mu.Unlock()
	phone := t.phone(text.To)
	phone.inbox = append(phone.inbox, &storedText{Text: text})
	close(t.changed)
	t.changed = make(chan struct{})
}

// Inbox returns the texts received so far, oldest first, with their present status.
func (p *Phone) Inbox() []Text {
	p.twilio.mu.Lock()
	defer p.twilio.mu.Unlock()
	return p.texts()
}

// texts is Inbox for a caller that holds mu.
func (p *Phone) texts() []Text {
	texts := make([]Text, len(p.inbox))
	for i, text := range p.inbox {
		texts[i] = text.Text
	}
	return texts
}

// Wait returns the inbox as soon as it holds at least n texts. It returns an error with what it
// has when ctx is done or the pretend Twilio is closed.
func (p *Phone) Wait(ctx context.Context, n int) ([]Text, error) {
	for {
		p.twilio.mu.Lock()
		texts, changed := p.texts(), p.twilio.changed
		p.twilio.mu.Unlock()
		if len(texts) >= n {
			return texts, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return texts, fmt.Errorf("simulator: the phone has %d of %d texts: %w", len(texts), n, ctx.Err())
		case <-p.twilio.ctx.Done():
			return texts, fmt.Errorf("simulator: the phone has %d of %d texts: closed", len(texts), n)
		}
	}
}

// Reply texts the sender of the last text received; see ReplyTo. It returns an error if there
// was none.
func (p *Phone) Reply(ctx context.Context, body string) (Hook, error) {
	p.twilio.mu.Lock()
	sender := ""
	if len(p.inbox) > 0 {
		sender = p.inbox[len(p.inbox)-1].From
	}
	p.twilio.mu.Unlock()
	if sender == "" {
		return Hook{}, errNoSender
	}
	return p.ReplyTo(ctx, sender, body)
}

// ReplyTo texts one of the account's numbers, at most 1600 characters, and returns once the
// webhook has been called and its TwiML carried out: the last attempt, which is the fallback's
// if that was called, or the zero Hook if no reply URL is set. A webhook that fails is no error
// of the phone, which never learns of it: see Hook.Code. It returns an error if the number is
// not the account's, the body is too long, or ctx is done.
func (p *Phone) ReplyTo(ctx context.Context, sender, body string) (Hook, error) {
	t := p.twilio
	t.mu.Lock()
	if !t.owns(sender, "") {
		t.mu.Unlock()
		return Hook{}, errors.New("simulator: reply to a number that is not the account's")
	}
	if n := utf8.RuneCountInString(body); n > maxBody {
		t.mu.Unlock()
		return Hook{}, fmt.Errorf("simulator: reply of %d characters, at most %d", n, maxBody)
	}
	stored := t.record(Text{
		From: p.number, To: sender, ServiceSID: t.serviceOf(sender), Body: body, Direction: TextReceived,
		Status: "received",
	})
	stored.sent = stored.Time
	reply, replyURL, manners := stored.Text, t.replyURL, t.manners
	t.obey(reply)
	t.mu.Unlock()
	if replyURL == "" {
		return Hook{}, nil
	}

	event := hookEvent{kind: HookReply, sid: reply.SID, url: replyURL, params: t.replyParams(reply),
		token: NewSID("")}
	if manners.RepeatKeys {
		event.hostile = []param{{"From", "+15005550009"}, {"Body", "NO"}, {"MessageSid", NewSID("SM")}}
	}
	hook := t.tell(ctx, event, reply)
	if manners.DuplicateReplies {
		t.tell(ctx, event, reply)
	}
	return hook, ctx.Err()
}

// tell calls the reply URL, or then the fallback URL, and carries out the TwiML of the response.
func (t *Account) tell(ctx context.Context, event hookEvent, reply Text) Hook {
	hook := t.call(ctx, event)
	if hook.Code != 0 && t.config.FallbackURL != "" {
		// Any failure to retrieve or to execute TwiML counts
		// (https://www.twilio.com/docs/usage/security/availability-reliability).
		event.params = append(slices.Clone(event.params),
			param{"ErrorCode", strconv.Itoa(hook.Code)}, param{"ErrorUrl", hook.URL})
		event.kind, event.url, event.token = HookFallback, t.config.FallbackURL, NewSID("")
		hook = t.call(ctx, event)
	}
	if hook.Code != 0 {
		return hook
	}
	verbs, _ := parseTwiML(hook.Body) // judged when the response came; empty has no verbs
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, verb := range verbs {
		to := verb.To
		if to == "" {
			to = reply.From
		}
		if !t.blocked[t.block(reply.To, to)] {
			t.sendBack(reply, to, verb.Body)
		}
	}
	return hook
}

// replyParams returns the parameters of the webhook in the order in which Twilio sends them.
// Twilio may leave the places empty, and we do.
func (t *Account) replyParams(reply Text) []param {
	params := []param{
		{"ToCountry", ""}, {"ToState", ""}, {"SmsMessageSid", reply.SID}, {"NumMedia", "0"},
		{"ToCity", ""},
		{"FromZip", ""}, {"SmsSid", reply.SID}, {"FromState", ""}, {"SmsStatus", "received"},
		{"FromCity", ""},
		{"Body", reply.Body}, {"FromCountry", ""}, {"To", reply.To}, {"ToZip", ""},
	}
	if reply.ServiceSID != "" {
		params = append(params, param{"MessagingServiceSid", reply.ServiceSID})
	}
	return append(params,
		param{"NumSegments", strconv.Itoa(segments(reply.Body))}, param{"MessageSid", reply.SID},
		param{"AccountSid", t.config.AccountSID}, param{"From", reply.From},
		param{"ApiVersion", apiVersion})
}
