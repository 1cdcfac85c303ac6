package inbound_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// flowrouteSender is the tenant's number at Flowroute.
const flowrouteSender = "+12065550101"

// atFlowroute are the variables of a tenant that also sends through Flowroute.
func atFlowroute() []string {
	return []string{
		"FLOWROUTE_ACCESS_KEY=access",
		"FLOWROUTE_SECRET_KEY=xk3F8d0a2QmT1e4975bLd8e2Rj6a17Wz",
		"FLOWROUTE_NUMBER=" + flowrouteSender,
	}
}

// flowroute posts a webhook to the tenant's URL.
func (b *bridge) flowroute(t testing.TB, target, body string) inboundtest.Response {
	t.Helper()
	r, err := http.NewRequest(
		http.MethodPost,
		b.URL+strings.TrimPrefix(target, publicURL),
		strings.NewReader(body),
	)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	return b.Send(t, r)
}

func (b *bridge) flowrouteURLs(textID string) (replies, receipts string) {
	acme := b.Inbound.Settings.Tenants.All()[0]
	settings := b.Inbound.Settings
	return settings.FlowrouteReplyURL(acme), settings.FlowrouteReceiptURL(acme, textID, "a-case")
}

// flowrouteText is a text from the phone as version 2.1 posts it.
func flowrouteText(id, from, to, body string) string {
	content, _ := json.Marshal(body)
	return fmt.Sprintf(
		`{"data":{"type":"message","id":%q,"attributes":{"to":%q,"from":%q,"body":%s,`+
			`"direction":"inbound","timestamp":"2026-03-01T12:00:00.39Z",`+
			`"status":"delivered","is_mms":false,"message_encoding":0,"message_type":"longcode",`+
			`"amount_display":"$0.0040","delivery_receipts":[]}},"included":[]}`,
		id,
		to,
		from,
		content,
	)
}

// flowrouteReceipt is a delivery receipt as version 2.1 posts it.
func flowrouteReceipt(id, status, code string) string {
	return fmt.Sprintf(
		`{"data":{"type":"delivery_receipt","id":%q,"attributes":{"body":"Hi","level":2,"status":%q,`+
			`"status_code":%s,"status_code_description":"",`+
			`"timestamp":"2026-03-01T12:00:00+00:00"},"links":{`+
			`"related":"https://api.flowroute.com/v2.1/messages/x"}}}`,
		id,
		status,
		code,
	)
}

// Ensure that a text that comes through Flowroute answers the question that Twilio's number
// asked, once.
func TestFlowrouteWebhookReply(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		replies, _ := b.flowrouteURLs("")
		for range 2 {
			require.Equal(
				t,
				200,
				b.flowroute(t, replies, flowrouteText("mdr2-00000000000000000000000000000001", "4520123456",
					"12065550101", "yes")).StatusCode,
			)
			require.Equal(t, "accepted", b.State(t, "challenge", id))
			require.Equal(t, 1, b.Rows(t)["reply"])
		}
		// The flat shape of version 2, and numbers with their plus.
		require.Equal(
			t,
			200,
			b.flowroute(
				t,
				replies,
				`{"to":"`+flowrouteSender+`","from":"`+phone+
					`","body":"stop","id":"mdr1-00000000000000000000000000000002"}`,
			).StatusCode,
		)
		require.Equal(t, 1, b.Rows(t)["opt_out"])
		require.Equal(t, accountSID, b.One(t, "SELECT account FROM opt_out"))
		require.Equal(t, "acme", b.One(t, "SELECT tenant FROM event"+
			" WHERE name = 'reply.received' AND detail = 'stop'"), "the only tenant on that line")
		b.Lines(t)
	}, atFlowroute()...)
}

// Ensure that receipts move their text forward, and no other text.
func TestFlowrouteWebhookReceipt(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		_, textID := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		require.NoError(
			t,
			b.Store.Do(
				context.Background(),
				func(ctx context.Context, tx *store.Tx) error {
					return text.Accept(ctx, tx, textID, "mdr2-00000000000000000000000000000001")
				},
			),
		)
		_, receipts := b.flowrouteURLs(textID)
		for _, step := range []struct{ id, status, code, want string }{
			{"mdr2-00000000000000000000000000000001", "smsc submit", "null", "sent"},
			{"mdr2-00000000000000000000000000000001", "message buffered", "1003", "sent"},
			{"mdr2-00000000000000000000000000000001", "message buffered", `"1003"`, "sent"},
			{"mdr2-00000000000000000000000000000001", "never heard of", "1", "sent"},
			{"mdr2-00000000000000000000000000000002", "delivered", "0", "sent"},
			{"mdr2-00000000000000000000000000000001", "delivered", "0", "delivered"},
			{"mdr2-00000000000000000000000000000001", "message buffered", "1003", "delivered"},
		} {
			require.Equal(
				t,
				200,
				b.flowroute(t, receipts, flowrouteReceipt(step.id, step.status, step.code)).StatusCode,
			)
			require.Equal(t, step.want, b.State(t, "text", textID), step)
		}
		_, unknown := b.flowrouteURLs(store.NewID())
		require.Equal(
			t,
			200,
			b.flowroute(t, unknown, flowrouteReceipt("mdr2-00000000000000000000000000000001", "delivered",
				"0")).StatusCode,
		)
		b.Lines(t)
	}, atFlowroute()...)
}

// Ensure that only who knows the secret is heard, and what it says is understood or refused,
// and leaves nothing then.
func TestFlowrouteWebhookRefusals(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		replies, receipts := b.flowrouteURLs("x")
		good := flowrouteText("mdr2-00000000000000000000000000000001", "4520123456", "12065550101", "YES")
		bare, _, _ := strings.Cut(replies, "?")
		for name, test := range map[string]struct {
			target, body string
			status       int
		}{
			"no key":                {bare, good, 403},
			"an empty key":          {bare + "?key=", good, 403},
			"another key":           {bare + "?key=" + strings.Repeat("0", 64), good, 403},
			"another tenant":        {strings.Replace(replies, "/acme/", "/beta/", 1), good, 404},
			"no JSON":               {replies, "YES", 400},
			"no text":               {replies, `{}`, 400},
			"another type":          {replies, `{"data":{"type":"call","id":"1"}}`, 400},
			"a wrong kind of field": {replies, `{"data":{"type":"message","id":7}}`, 400},
			"an id in capitals":     {replies, strings.Replace(good, "mdr2", "MDR2", 1), 400},
			"an id cut short":       {replies, strings.Replace(good, "mdr2-0", "mdr2-", 1), 400},
			"an id with more":       {replies, strings.Replace(good, "mdr2-0", "mdr2-00", 1), 400},
			"half an id":            {replies, strings.Replace(good, "mdr2-", "", 1), 400},
			"two ids": {
				replies, strings.Replace(good, `{"data"`,
					`{"id":"mdr2-00000000000000000000000000000001","data"`, 1), 400,
			},
			"an id in two halves": {replies, strings.Replace(strings.Replace(good, "mdr2-", "", 1),
				`"included":[]`, `"id":"mdr2-"`, 1), 400},
			"an id that is none": {
				replies, flowrouteText("mdr2 1", "4520123456", "12065550101", "YES"), 400,
			},
			"a NUL in the id": {
				replies, `{"id":"a\u0000","from":"4520123456","to":"12065550101","body":"YES"}`, 400,
			},
			"too big": {
				replies,
				flowrouteText("mdr2-00000000000000000000000000000001", "4520123456", "12065550101",
					strings.Repeat("x", web.MaxHook)), 400,
			},
			"to another number": {
				replies, flowrouteText("mdr2-00000000000000000000000000000001", "4520123456", "12065550102",
					"YES"), 200,
			},
			"from a short code": {replies, flowrouteText("mdr2-00000000000000000000000000000001", "12345",
				"12065550101", "YES"), 200},
			"one of our own": {replies, strings.Replace(good, "inbound", "outbound", 1), 200},
			"a receipt as a reply": {replies, flowrouteReceipt("mdr2-00000000000000000000000000000001",
				"delivered", "0"), 200},
			"a reply as a receipt": {receipts, good, 200},
			"a NUL in the text's id": {strings.Replace(receipts, "text=x", "text=%00", 1),
				flowrouteReceipt("mdr2-00000000000000000000000000000001", "delivered", "0"), 200},
		} {
			require.Equal(t, test.status, b.flowroute(t, test.target, test.body).StatusCode, name)
			require.Empty(t, b.Rows(t), name)
		}
		b.Lines(t)
	}, atFlowroute()...)
}

// Ensure that a tenant without an account at a provider has no door for it: an empty secret
// would be everybody's.
func TestNoDoorWithoutSecret(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		acme := b.Inbound.Settings.Tenants.All()[0]
		target := "/flowroute/acme/reply?key=" + acme.Sending.Flowroute.HookKey("acme")
		require.Equal(
			t,
			404,
			b.flowroute(t, target, flowrouteText("mdr2-00000000000000000000000000000001", "4520123456", "",
				"YES")).StatusCode,
		)
	})
	b := openBridge(
		t,
		storetest.SQLite(t),
		append(atFlowroute(), "TWILIO_ACCOUNT_SID=", "TWILIO_AUTH_TOKEN=", "TWILIO_FROM=")...)
	form := inboundtest.ReplyForm(1, "YES")
	form.Set("AccountSid", "")
	require.Equal(
		t,
		404,
		b.Hook(
			t,
			"/twilio/acme/reply",
			form.Encode(),
			inboundtest.SignTwilio("", replyURL, form),
		).StatusCode,
	)
	require.Empty(t, b.Rows(t))
}

// Ensure that a reply to the number of links at Flowroute has the line of links.
func TestFlowrouteReplyToTheNumberOfLinks(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), append(atFlowroute(),
		"FLOWROUTE_LINKS_NUMBER=+12065550102", "TWILIO_LINKS_FROM=+15005550007")...)
	replies, _ := b.flowrouteURLs("")
	for i, number := range []string{"12065550102", "12065550101", "12065550103"} {
		text := flowrouteText(fmt.Sprintf("mdr2-%032d", i+1), "4520123456", number, "stop")
		require.Equal(t, 200, b.flowroute(t, replies, text).StatusCode)
	}
	require.Equal(t, 1, b.Count(t, "opt_out", "sender = '+15005550007'"))
	require.Equal(t, 1, b.Count(t, "opt_out", "sender = '+15005550006'"))
	require.Equal(t, 2, b.Rows(t)["reply"], "the third number is not the tenant's")
}
