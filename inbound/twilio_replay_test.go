package inbound_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// replay posts all foldings of a captured form under its signature, and shows that each is refused
// and changes nothing. It posts every n-th one, from the m-th on.
func (b *bridge) replay(t testing.TB, path string, captured url.Values, m, n int) {
	t.Helper()
	signature := inboundtest.SignTwilio(authToken, publicURL+path, captured)
	before, folded := b.Rows(t), inbound.Foldings(captured)
	require.Greater(t, len(folded), 500)
	b.Lines(t)
	for i := m; i < len(folded); i += n {
		form := folded[i]
		require.Equal(t, signature, inboundtest.SignTwilio(authToken, publicURL+path, form))
		answer := b.Hook(t, path, form.Encode(), signature)
		require.Contains(t, []int{400, 403}, answer.StatusCode, "%v: %s", form, answer.Body)
	}
	require.Equal(t, before, b.Rows(t))
	lines := b.Lines(t) // none with anything that came
	require.Equal(t, "WARN", lines[0]["level"])
	require.NotEmpty(t, lines[0]["reason"])
}

// Ensure that a captured YES answers no later question and takes no opt-out back. Twilio's
// signature fits other forms too, in which the id is new.
func TestFoldedRepliesChangeNothing(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	line := phonemail.Line{Account: accountSID, Sender: "+15005550006"}
	first, _ := b.Ask(t, line)
	yes := inboundtest.ReplyForm(1, "YES")
	inboundtest.Silent(t, b.Reply(t, yes))
	require.Equal(t, "accepted", b.State(t, "challenge", first))
	b.Do(t, func(ctx context.Context, tx *store.Tx) error {
		c, _, err := challenge.BeginClick(ctx, tx, first)
		if err != nil {
			return err
		}
		return challenge.Finish(ctx, tx, nil, c, challenge.OutcomeConfirmed)
	})

	second, _ := b.Ask(t, line)
	const path = "/twilio/acme/reply"
	form := inboundtest.ReplyForm(1, "YES")
	signature := inboundtest.SignTwilio(authToken, replyURL, yes)
	for _, name := range []string{"NumMedia", "NumSegments", "SmsMessageSid", "SmsSid", "SmsStatus"} {
		form.Set("MessageSid", form.Get("MessageSid")+name+form.Get(name))
		delete(form, name)
		require.Equal(t, signature, inboundtest.SignTwilio(authToken, replyURL, form))
		require.Equal(t, 400, b.Hook(t, path, form.Encode(), signature).StatusCode)
		require.Equal(t, "open", b.State(t, "challenge", second))
	}
	b.replay(t, path, yes, 0, 7)
	require.Equal(t, "open", b.State(t, "challenge", second))

	inboundtest.Silent(t, b.Reply(t, inboundtest.ReplyForm(2, "STOP")))
	require.Equal(t, 1, b.Rows(t)["opt_out"])
	b.replay(t, path, yes, 1, 7)
	require.Equal(t, 1, b.Rows(t)["opt_out"])
	inboundtest.Silent(t, b.Reply(t, yes)) // as it was, it is known
	require.Equal(t, 1, b.Rows(t)["opt_out"])
	require.Equal(t, "1", b.One(t, "SELECT COUNT(*) FROM river_job WHERE kind = 'click_link'"))
}

// Ensure that a captured receipt says nothing else about its text.
func TestFoldedReceiptsChangeNothing(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	_, id := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
	sid := "SM00000000000000000000000000000001"
	receipt := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "MessageStatus": {"sent"}, "SmsStatus": {"sent"},
		"AccountSid": {accountSID}, "To": {phone}, "From": {"+15005550006"},
		"ApiVersion": {"2010-04-01"},
	}
	path := "/twilio/acme/receipt?text=" + id
	signature := inboundtest.SignTwilio(authToken, publicURL+path, receipt)
	require.Equal(t, 200, b.Hook(t, path, receipt.Encode(), signature).StatusCode)
	b.replay(t, path, receipt, 0, 5)
	require.Equal(t, "sent", b.State(t, "text", id))
}

// Ensure that what only looks like an id is none, signed or not.
func TestInexactHooksLeaveNothing(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	sid := inboundtest.ReplyForm(1, "").Get("MessageSid")
	for name, values := range map[string][]string{
		"MessageSid": {
			"", "SM1", sid[:33], sid + "0", "sm" + sid[2:], "AC" + sid[2:], sid + "\n", " " + sid,
			"SM" + "g" + sid[3:], "SMS" + sid[2:33],
		},
		"SmsSid":              {"", "SM00000000000000000000000000000002", "MM" + sid[2:]},
		"SmsMessageSid":       {"", "SM00000000000000000000000000000002"},
		"MessagingServiceSid": {"MG1", "ACME", sid},
		"NumMedia":            {"x", "-1", "1.5"}, "SmsStatus": {"Received"}, "OptOutType": {"stop"},
		"AddOns": {"x", "[]", `{"a"`},
		"":       {"x"}, "a b": {"x"}, "Körper": {"x"}, "1": {"x"}, "Body ": {"x"}, "From[]": {"x"},
		"MediaUrl-0": {"x"},
	} {
		for _, value := range values {
			form := inboundtest.ReplyForm(1, "YES")
			form.Set(name, value)
			answer := b.Reply(t, form)
			require.Equal(t, 400, answer.StatusCode, "%q: %q", name, value)
			require.Empty(t, b.Rows(t))
			b.Lines(t)
		}
	}
	for _, name := range []string{"MessageSid", "From", "To", "Body"} {
		form := inboundtest.ReplyForm(1, "YES")
		delete(form, name)
		require.Equal(t, 400, b.Reply(t, form).StatusCode, name)
		require.Empty(t, b.Rows(t))
	}
	upper := inboundtest.ReplyForm(1, "YES")
	for _, name := range []string{"MessageSid", "SmsSid", "SmsMessageSid"} {
		upper.Set(name, "MM0123456789ABCDEFabcdef0123456789")
	}
	inboundtest.Silent(t, b.Reply(t, upper))
	require.Equal(t, 1, b.Rows(t)["reply"])
}
