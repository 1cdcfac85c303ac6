package twilio

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPhoneRepliesToWhoTextedLast(t *testing.T) {
	twilio, receiver, ctx := openTest(t), newReceiver(t), testContext(t)
	twilio.SetReplyURL(receiver.URL + "/twilio/acme/reply?v=1#rc=2&rp=all")
	phone := twilio.Phone(testPhone)
	_, err := phone.Reply(ctx, "YES")
	require.ErrorIs(t, err, errNoSender)

	sendForm(t, twilio, formOf())
	texts, err := phone.Wait(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, "Reply YES", texts[0].Body)
	hook, err := phone.Reply(ctx, "Yes, it was me æøå")
	require.NoError(t, err)
	require.Equal(t, HookReply, hook.Kind)
	require.Equal(t, receiver.URL+"/twilio/acme/reply?v=1", hook.URL)
	require.Equal(t, 1, hook.Attempt)

	got := receiver.received()
	require.Len(t, got, 1)
	requireSigned(t, receiver.URL, got[0])
	var names []string
	for pair := range strings.SplitSeq(got[0].body, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	require.Equal(t, "ToCountry ToState SmsMessageSid NumMedia ToCity FromZip SmsSid FromState "+
		"SmsStatus FromCity Body "+
		"FromCountry To ToZip NumSegments MessageSid AccountSid From ApiVersion", strings.Join(names,
		" "))
	form := got[0].form
	require.Equal(t, "Yes, it was me æøå", form.Get("Body"))
	require.Equal(t, testPhone, form.Get("From"))
	require.Equal(t, testFrom, form.Get("To"))
	require.Equal(t, "received", form.Get("SmsStatus"))
	require.Equal(t, form.Get("MessageSid"), form.Get("SmsSid"))
	require.Equal(t, form.Get("MessageSid"), hook.SID)
}

func TestPhoneRepliesToService(t *testing.T) {
	twilio, receiver, ctx := openTest(t), newReceiver(t), testContext(t)
	twilio.SetReplyURL(receiver.URL)
	text := sendForm(t, twilio, formOf("From", "", "MessagingServiceSid", testMG))
	require.Equal(t, "accepted", text["status"])
	require.Nil(t, text["from"])
	require.Equal(t, "0", text["num_segments"])
	require.Equal(t, testMG, text["messaging_service_sid"])
	_, err := twilio.Phone(testPhone).Reply(ctx, "ok")
	require.NoError(t, err)
	got := receiver.received()
	require.Len(t, got, 1)
	require.Equal(t, testMG, got[0].form.Get("MessagingServiceSid"))
	require.Equal(t, testPooled, got[0].form.Get("To"))
}

func TestPhoneRefusesWhatCannotBeSent(t *testing.T) {
	twilio, ctx := openTest(t), testContext(t)
	phone := twilio.Phone(testPhone)
	_, err := phone.ReplyTo(ctx, "+4599999999", "YES")
	require.ErrorContains(t, err, "not the account's")
	_, err = phone.ReplyTo(ctx, testFrom, strings.Repeat("x", 1601))
	require.ErrorContains(t, err, "1601")
}

func TestPhoneWaits(t *testing.T) {
	twilio, ctx := openTest(t), testContext(t)
	phone := twilio.Phone(testPhone)
	arrived := make(chan []Text)
	go func() {
		texts, err := phone.Wait(ctx, 2)
		if err == nil {
			arrived <- texts
		}
		close(arrived)
	}()
	sendForm(t, twilio, formOf("Body", "one"))
	sendForm(t, twilio, formOf("Body", "two"))
	texts := <-arrived
	require.Len(t, texts, 2)
	require.Equal(t, "one", texts[0].Body)

	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	texts, err := phone.Wait(short, 3)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Len(t, texts, 2)
	twilio.Close()
	_, err = phone.Wait(ctx, 3)
	require.ErrorContains(t, err, "closed")
}

func TestPhoneOptsOutAndIn(t *testing.T) {
	for name, send := range map[string]url.Values{
		"number":  formOf(),
		"service": formOf("From", "", "MessagingServiceSid", testMG),
	} {
		t.Run(name, func(t *testing.T) {
			twilio, receiver, ctx := openTest(t), newReceiver(t), testContext(t)
			twilio.SetReplyURL(receiver.URL)
			phone := twilio.Phone(testPhone)
			sendForm(t, twilio, send)

			_, err := phone.Reply(ctx, "YES")
			require.NoError(t, err)
			require.Len(t, phone.Inbox(), 1, "Twilio texts nothing back on a YES that changes nothing")
			_, err = phone.Reply(ctx, "Stop")
			require.NoError(t, err)
			require.Len(t, phone.Inbox(), 2, "Twilio texts back on STOP by itself")
			status, body := do(t, twilio, "POST", testMessages+".json", send)
			require.Equal(t, 400, status)
			require.Contains(t, body, "21610")
			other := formOf("To", "+4530303030")
			other.Set("From", send.Get("From"))
			other.Set("MessagingServiceSid", send.Get("MessagingServiceSid"))
			sendForm(t, twilio, other)

			// A TwiML response to a phone that has opted out is not sent either.
			receiver.respondsWith(func(w http.ResponseWriter, _ *http.Request) {
				testTwiML(w, "<Message>Hi</Message>")
			})
			_, err = phone.Reply(ctx, "hello")
			require.NoError(t, err)
			require.Len(t, phone.Inbox(), 2)

			_, err = phone.Reply(ctx, "yes")
			require.NoError(t, err)
			require.Len(t, phone.Inbox(), 4, "Twilio's confirmation and the text of the TwiML")
			sendForm(t, twilio, send)
			require.Len(t, receiver.received(), 4, "every keyword went to the webhook")
		})
	}
}

func TestTwilioTextsBackOnHelp(t *testing.T) {
	twilio := openTest(t)
	phone := twilio.Phone(testPhone)
	_, err := phone.ReplyTo(testContext(t), testFrom, "info")
	require.NoError(t, err)
	require.Len(t, phone.Inbox(), 1)
	require.Equal(t, TextBack, twilio.Texts()[0].Direction)
	sendForm(t, twilio, formOf())
}

func TestPhoneDuplicatesAndRepeatsOnDemand(t *testing.T) {
	twilio, receiver := openTest(t), newReceiver(t)
	twilio.SetReplyURL(receiver.URL + "/reply")
	twilio.Set(func(m *Manners) { m.DuplicateReplies, m.RepeatKeys = true, true })
	_, err := twilio.Phone(testPhone).ReplyTo(testContext(t), testFrom, "YES")
	require.NoError(t, err)
	got := receiver.received()
	require.Len(t, got, 2)
	require.Equal(t, got[0].body, got[1].body)
	require.Equal(t, got[0].header.Get("I-Twilio-Idempotency-Token"),
		got[1].header.Get("I-Twilio-Idempotency-Token"))
	requireSigned(t, receiver.URL, got[0])
	require.Equal(t, "YES", got[0].form.Get("Body"))
	for _, name := range []string{"Body", "From", "MessageSid"} {
		require.Len(t, got[0].form[name], 2, name)
	}
}

// A reply that no webhook was told of is in the list, where the bridge's poller finds it.
func TestPhoneRepliesAreListed(t *testing.T) {
	now := time.Date(2026, 1, 2, 23, 59, 59, 0, time.UTC)
	twilio, err := Open(Config{
		AccountSID: testAccountSID, AuthToken: testToken, Numbers: []string{testFrom, testPooled},
		Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	defer twilio.Close()
	phone, ctx := twilio.Phone(testPhone), testContext(t)
	for _, body := range []string{"one", "two", "three"} {
		hook, err := phone.ReplyTo(ctx, testFrom, body)
		require.NoError(t, err)
		require.Zero(t, hook)
	}
	_, err = phone.ReplyTo(ctx, testPooled, "elsewhere")
	require.NoError(t, err)
	require.Empty(t, twilio.Texts())

	for name, c := range map[string]struct{ query, want string }{
		"all":            {"", "elsewhere three two one"},
		"To":             {"To=%2B4511111111", "three two one"},
		"From":           {"From=%2B4511111111", ""},
		"pages":          {"To=%2B4511111111&PageSize=2", "three two one"},
		"single pages":   {"PageSize=1", "elsewhere three two one"},
		"day":            {"DateSent=2026-01-02", "elsewhere three two one"},
		"next day":       {"DateSent=2026-01-03", ""},
		"since":          {"DateSent%3E=2026-01-02T23:59:59Z", "elsewhere three two one"},
		"since later":    {"DateSent%3E=2026-01-03T00:00:00Z", ""},
		"until":          {"DateSent%3C=2026-01-02", "elsewhere three two one"},
		"until earlier":  {"DateSent%3C=2026-01-02T23:59:58Z", ""},
		"nonsense sizes": {"PageSize=x&Page=-1", "elsewhere three two one"},
	} {
		require.Equal(t, c.want, strings.Join(listed(t, twilio, c.query), " "), name)
	}
	status, _ := do(t, twilio, "GET", testMessages+".json?DateSent=yesterday", nil)
	require.Equal(t, 400, status)
	twilio.Set(func(m *Manners) { m.ListLag = time.Second })
	require.Empty(t, listed(t, twilio, ""), "too young to be listed")
}

// listed pages through the list and returns the bodies.
func listed(t *testing.T, twilio *Account, query string) []string {
	t.Helper()
	var bodies []string
	for next, pages := testMessages+".json?"+query, 0; next != ""; pages++ {
		require.Less(t, pages, 10)
		status, body := do(t, twilio, "GET", next, nil)
		require.Equal(t, 200, status, body)
		var page struct {
			Messages []struct{ Body, Direction, Status string }
			Next     string `json:"next_page_uri"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &page))
		for _, m := range page.Messages {
			require.Equal(t, "inbound received", m.Direction+" "+m.Status)
			bodies = append(bodies, m.Body)
		}
		next = page.Next
	}
	return bodies
}

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		body string
		want int
	}{
		{"", 1}, {strings.Repeat("å", 160), 1}, {strings.Repeat("a", 161), 2}, {strings.Repeat("€", 80),
			1},
		{strings.Repeat("€", 81), 2}, {strings.Repeat("a", 307), 3}, {strings.Repeat("я", 70), 1},
		{strings.Repeat("я", 71), 2}, {strings.Repeat("😀", 35), 1}, {strings.Repeat("😀", 36), 2},
	} {
		require.Equal(t, c.want, segments(c.body), "%d bytes", len(c.body))
	}
}
