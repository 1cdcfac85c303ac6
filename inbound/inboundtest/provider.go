package inboundtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// What the tenant acme has set, and what its providers and its phone send.
const (
	APISecret  = "key-7d2f61c09be84a53f1e6c8b20d94a7e3" // at Mailgun
	SigningKey = "9c4be1f072a8d6350e7b1fc2a95d8e46"
	RetiredKey = "24d7a0e9c83b5f16b0d2e47c915fa683"
	AuthToken  = "0123456789abcdef0123456789abcdef"
	AccountSID = "AC00000000000000000000000000000001"
	PublicURL  = "https://bridge.example.com"
	Phone      = "+4520123456"
	Address    = "acme+4520123456@sms.acme.example"
	SecretLink = "https://login.acme.example/u/email-verification?ticket=SECRETTICKET"
	StoredURL  = "https://storage-us-east4.api.mailgun.net/v3/domains/sms.acme.example/messages/" +
		"AwABSECRET=="
	ContentForm = "application/x-www-form-urlencoded"
	ReplyURL    = PublicURL + "/twilio/acme/reply"
	EmptyTwiML  = `<?xml version="1.0" encoding="UTF-8"?><Response/>`
)

// Start is the time at which every test begins.
var Start = time.Unix(1_700_000_000, 0)

// Token is a Mailgun token that ends in a number.
func Token(n int) string {
	digits := strconv.Itoa(n)
	return strings.Repeat("0", 50-len(digits)) + digits
}

// Sign fills in Mailgun's three fields: timestamp, token and signature.
func Sign(form url.Values, key string, at time.Time, token string) url.Values {
	stamp := strconv.FormatInt(at.Unix(), 10)
	form.Set("timestamp", stamp)
	form.Set("token", token)
	form.Set("signature", MACOf(key, stamp+token))
	return form
}

// MACOf is HMAC-SHA256 as Mailgun writes it.
func MACOf(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, text)
	return hex.EncodeToString(mac.Sum(nil))
}

// MailForm is what a store(notify) route posts, signed with a token that ends in n. Each n is a
// mail of its own.
func MailForm(n int) url.Values {
	from := "ACME <no-reply@acme.example>"
	return Sign(url.Values{
		"recipient": {Address}, "sender": {"bounce@acme.example"}, "from": {from},
		"subject": {"Verify your email"}, "body-plain": {"Open " + SecretLink},
		"body-html": {`<a href="` + SecretLink + `">Confirm</a>`}, "message-url": {StoredURL},
		"Message-Id":      {"<mail-" + strconv.Itoa(n) + "@acme.example>"},
		"message-headers": {`[["Received","by x"]]`}, "stripped-text": {"Open"},
		"Received": {"by a", "by b"}, "From": {from}, "Subject": {"Verify your email"},
		"domain": {"sms.acme.example"}, "attachments": {"[]"}, "X-Mailgun-Incoming": {"Yes"},
	}, SigningKey, Start, Token(n))
}

// SignTwilio computes X-Twilio-Signature for a form post
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security).
func SignTwilio(key, url string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(key))
	_, _ = io.WriteString(mac, url)
	for _, name := range names {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// ReplyForm is what Twilio posts when a phone has replied. Each n has a MessageSid of its own.
func ReplyForm(n int, body string) url.Values {
	sid := fmt.Sprintf("SM%032d", n)
	return url.Values{
		"ToCountry": {"US"}, "SmsMessageSid": {sid}, "NumMedia": {"0"}, "ToCity": {""}, "FromZip": {""},
		"SmsSid": {sid}, "FromState": {""}, "SmsStatus": {"received"}, "FromCity": {""}, "Body": {body},
		"FromCountry": {"DK"}, "To": {"+15005550006"}, "ToZip": {""}, "NumSegments": {"1"},
		"MessageSid": {sid}, "AccountSid": {AccountSID}, "From": {Phone}, "ApiVersion": {"2010-04-01"},
	}
}

// Hook posts a form to a path of Twilio's, with a signature and further headers: name, value,
// name, …
func (b *Bridge) Hook(
	t testing.TB,
	pathAndQuery, body, signature string,
	headers ...string,
) Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.URL+pathAndQuery, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", ContentForm)
	r.Header.Set("X-Twilio-Signature", signature)
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	return b.Send(t, r)
}

// Reply posts a text from a phone, signed.
func (b *Bridge) Reply(t testing.TB, form url.Values) Response {
	t.Helper()
	return b.Hook(t, "/twilio/acme/reply", form.Encode(), SignTwilio(AuthToken, ReplyURL, form))
}

// Silent shows that a reply got a response with nothing to say.
func Silent(t testing.TB, r Response) {
	t.Helper()
	require.Equal(t, 200, r.StatusCode, r.Body)
	require.Equal(t, EmptyTwiML, r.Body)
	require.True(t, strings.HasPrefix(r.Header.Get("Content-Type"), "text/xml"))
}

// Ask puts a question to the phone as the other rooms would, up to its prompt being sent. It must
// be asked on this line. It returns the ids of challenge and text.
func (b *Bridge) Ask(t testing.TB, line phonemail.Line) (challengeID, textID string) {
	t.Helper()
	acme, known := b.Inbound.Settings.Tenants.Tenant("acme")
	require.True(t, known)
	require.Equal(t, line, acme.Line(Number(t, Phone)))
	asker := *acme
	asker.Question.ValidFor = 10 * time.Minute
	question := challenge.Question{
		MailID: store.NewID(), Phone: Number(t, Phone), Purpose: challenge.Registration,
		Link: SecretLink,
	}
	b.Do(t, func(ctx context.Context, tx *store.Tx) (err error) {
		a, err := challenge.Consider(ctx, tx, &asker, question)
		if err != nil {
			return err
		}
		challengeID, err = a.Ask(ctx, tx)
		return err
	})
	textID = b.One(t, "SELECT id FROM text WHERE challenge_id = '"+challengeID+"'")
	b.Do(t, func(ctx context.Context, tx *store.Tx) error {
		_, _, err := text.Begin(ctx, tx, textID)
		return err
	})
	return challengeID, textID
}

// Number is a phone number.
func Number(t testing.TB, e164 string) phonemail.Number {
	t.Helper()
	n, err := phonemail.ParseNumber(e164)
	require.NoError(t, err)
	return n
}

// OtherCode is a code of the same length that is not this one.
func OtherCode(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

// Integer is a code as a client sends it that takes it for a number.
func Integer(t testing.TB, code string) string {
	t.Helper()
	n, err := strconv.Atoi(code)
	require.NoError(t, err)
	return strconv.Itoa(n)
}
