package twilio

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// refusal is a refusal of the REST API: an HTTP status with a code of
// https://www.twilio.com/docs/api/errors, or code 0 for a response that is not even JSON.
type refusal struct{ status, code int }

// Numbers that Twilio refuses on purpose, so that each error can be had without a phone
// (https://www.twilio.com/docs/iam/test-credentials). The account also owns magicSender.
var (
	magicTo = map[string]int{
		"+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408, "+15005550004": 21610,
		"+15005550009": 21614,
	}
	magicFrom = map[string]int{"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
)

const magicSender = "+15005550006"

// maxBody is the longest body of a text in characters; a longer one is error 21617.
const maxBody = 1600

// accept decides about one send and records the text it asks for. A fault with status 0 means
// accepted; lost means that the connection must be cut instead of responding. The caller holds
// mu.
func (t *Account) accept(form url.Values) (text *storedText, fault refusal, lost bool) {
	m := &t.manners
	if m.FailNext > 0 {
		m.FailNext--
		fault = refusal{m.FailStatus, m.FailCode}
		if fault.status == 0 {
			fault.status = 503
		}
		return nil, fault, false
	}
	code := t.judge(form)
	to, from := form.Get("To"), t.sender(form)
	if code == 0 {
		code = m.Reject[to]
	}
	if code == 0 && t.blocked[t.block(from, to)] {
		code = 21610
	}
	if code != 0 {
		if m.ListRefused {
			t.record(Text{
				From: from, To: to, ServiceSID: form.Get("MessagingServiceSid"), Body: form.Get("Body"),
				Direction: TextSent, Status: "failed", ErrorCode: code,
			})
		}
		return nil, refusal{400, code}, false
	}
	status := "queued"
	if form.Get("MessagingServiceSid") != "" {
		status = "accepted"
	}
	body := form.Get("Body")
	if m.Trial {
		body = "Sent from your Twilio trial account - " + body
	}
	if m.SmartEncoding {
		body = strings.NewReplacer("’", "'", "“", `"`, "”", `"`, "–", "-", "…", "...",
			"\u00a0", " ").Replace(body)
	}
	text = t.send(Text{
		From: from, To: to, ServiceSID: form.Get("MessagingServiceSid"), Body: body,
		StatusCallback: form.Get("StatusCallback"), Direction: TextSent, Status: status,
	})
	if m.LoseResponse > 0 {
		m.LoseResponse--
		lost = true
	}
	return text, fault, lost
}

// judge returns the code that refuses the form, or 0.
func (t *Account) judge(form url.Values) int {
	to, from, service := form.Get("To"), form.Get("From"), form.Get("MessagingServiceSid")
	switch {
	case to == "":
		return 21604
	case magicTo[to] != 0:
		return magicTo[to]
	case !e164.MatchString(to):
		return 21211
	case from == "" && service == "":
		return 21603
	case service != "" && t.config.Services[service] == nil:
		return 21701
	case magicFrom[from] != 0:
		return magicFrom[from]
	case from != "" && !e164.MatchString(from) && !slices.Contains(t.config.Names, from):
		return 21212
	case from != "" && !t.owns(from, service):
		return 21606
	case form.Get("Body") == "":
		return 21602
	case utf8.RuneCountInString(form.Get("Body")) > maxBody:
		return 21617
	case form.Get("StatusCallback") != "" && !isCallable(form.Get("StatusCallback")):
		return 21609
	}
	return 0
}

// owns reports whether the account, or its service if one is named, sends from the number.
func (t *Account) owns(number, service string) bool {
	if service != "" {
		return slices.Contains(t.config.Services[service], number)
	}
	return number == magicSender || slices.Contains(t.config.Numbers, number) ||
		slices.Contains(t.config.Names, number)
}

// sender returns the number that the text leaves from: the one asked for, or the first of the
// service.
func (t *Account) sender(form url.Values) string {
	numbers := t.config.Services[form.Get("MessagingServiceSid")]
	if form.Get("From") == "" && len(numbers) > 0 {
		return numbers[0]
	}
	return form.Get("From")
}

// isCallable reports whether Twilio takes a URL for callbacks: absolute, and no underscore in
// its host (https://www.twilio.com/docs/api/errors/21609). Unlike Twilio we call loopback.
func isCallable(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		!strings.Contains(u.Host, "_")
}

// send records an outgoing text and hands it to its phone at once, before the caller is told: a
// person can be quicker than the response of the API, and callers must bear that. The caller
// holds mu.
func (t *Account) send(text Text) *storedText {
	sent := t.record(text)
	sent.undelivered = t.manners.Undelivered[text.To]
	if sent.undelivered == 0 {
		phone := t.phone(text.To)
		phone.inbox = append(phone.inbox, sent)
		close(t.changed)
		t.changed = make(chan struct{})
	}
	return sent
}

// record stores a text under a new SID. The caller holds mu.
func (t *Account) record(text Text) *storedText {
	text.SID, text.Time = NewSID("SM"), t.config.Now()
	stored := &storedText{Text: text}
	t.texts = append(t.texts, stored)
	return stored
}

// deliver moves a text through its states and posts a receipt for each one but the first, which
// the response told. The receipts follow the resource, as at Twilio: who asks the API may know
// before who waits for the receipt.
func (t *Account) deliver(text *storedText) {
	t.mu.Lock()
	m := t.manners
	states := []string{"sent", "delivered"}
	if text.Status == "accepted" {
		states = []string{"queued", "sent", "delivered"}
	}
	if text.undelivered != 0 {
		states[len(states)-1] = "undelivered"
	}
	var receipts [][]param
	for _, state := range states {
		text.Status = state
		if state == "sent" {
			text.sent = t.config.Now()
		}
		if state == "undelivered" {
			text.ErrorCode = text.undelivered
		}
		receipts = append(receipts, t.receipt(text.Text))
	}
	callback, sid := text.StatusCallback, text.SID
	t.mu.Unlock()

	if callback == "" || m.DropReceipts {
		return
	}
	if m.ReceiptsOutOfOrder {
		slices.Reverse(receipts)
	}
	for _, receipt := range receipts {
		event := hookEvent{kind: HookReceipt, sid: sid, url: callback, params: receipt}
		event.token = NewSID("")
		t.call(t.ctx, event)
		if m.DuplicateReceipts {
			t.call(t.ctx, event)
		}
	}
}

// receipt returns the parameters of a status callback. It leaves the sender out as long as a
// service may still choose it, as Twilio may do. See
// https://www.twilio.com/docs/messaging/guides/track-outbound-message-status.
func (t *Account) receipt(text Text) []param {
	params := []param{
		{"SmsSid", text.SID}, {"SmsStatus", text.Status}, {"MessageStatus", text.Status}, {"To", text.To},
		{"MessageSid", text.SID}, {"AccountSid", t.config.AccountSID},
	}
	if text.Status != "queued" {
		params = append(params, param{"From", text.From})
	}
	params = append(params, param{"ApiVersion", apiVersion})
	if text.ServiceSID != "" {
		params = append(params, param{"MessagingServiceSid", text.ServiceSID})
	}
	if text.ErrorCode != 0 {
		params = append(params, param{"ErrorCode", strconv.Itoa(text.ErrorCode)})
	}
	if text.Status == "delivered" || text.Status == "undelivered" {
		params = append(params, param{"RawDlrDoneDate", t.config.Now().UTC().Format("0601021504")})
	}
	return params
}

// formatDate returns a date of the 2010 API: RFC 2822 in UTC.
func formatDate(at time.Time) string { return at.UTC().Format(time.RFC1123Z) }
