package twilio

import (
	"slices"
	"strings"
)

// Keywords that Twilio acts on by itself when they are the whole text, in any case. The text
// goes to the webhook as well. See "Twilio support for opt-out keywords (SMS STOP filtering)",
// https://help.twilio.com/articles/223134027.
var (
	stopWords = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE",
		"OPTOUT"}
	startWords = []string{"START", "YES", "UNSTOP"}
	helpWords  = []string{"HELP", "INFO"}
)

// blockKey says that a phone wants no texts from a sender: a number, or a service with all its
// numbers.
type blockKey struct{ sender, phone string }

// block returns the key under which texts from the number to the phone are blocked.
func (t *Account) block(number, phone string) blockKey {
	if service := t.serviceOf(number); service != "" {
		return blockKey{service, phone}
	}
	return blockKey{number, phone}
}

// serviceOf returns the SID of the service that the number belongs to, or "".
func (t *Account) serviceOf(number string) string {
	for sid, numbers := range t.config.Services {
		if slices.Contains(numbers, number) {
			return sid
		}
	}
	return ""
}

// obey does what a keyword asks for and texts back in Twilio's name. A YES or START of a phone
// that was not blocked is an ordinary text and gets no text back. The caller holds mu.
func (t *Account) obey(reply Text) {
	word := strings.ToUpper(strings.TrimSpace(reply.Body))
	key := t.block(reply.To, reply.From)
	back := ""
	switch {
	case slices.Contains(stopWords, word):
		t.blocked[key] = true
		back = "You have opted out and get no more texts from us. Reply START to opt in again."
	case slices.Contains(startWords, word) && t.blocked[key]:
		delete(t.blocked, key)
		back = "You have opted in again and get texts from us. Reply STOP to opt out."
	case slices.Contains(helpWords, word):
		back = "Reply STOP to opt out of these texts. Your operator may charge for texts."
	default:
		return
	}
	t.sendBack(reply, reply.From, back)
}

// sendBack sends a text back from the number that was texted, already delivered, since no
// caller asked for receipts. The caller holds mu.
func (t *Account) sendBack(reply Text, to, body string) {
	text := t.send(Text{
		From: reply.To, To: to, ServiceSID: reply.ServiceSID, Body: body, Direction: TextBack,
		Status: "delivered",
	})
	text.sent = text.Time
}
