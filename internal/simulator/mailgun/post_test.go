package mailgun

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailgun/mailgun-go/v4"
	"github.com/stretchr/testify/require"
)

// isSigned lets Mailgun's own library judge the proof.
func isSigned(t *testing.T, m *Account, form url.Values) bool {
	t.Helper()
	client := mailgun.NewMailgun(m.Domain(), m.APIKey())
	client.SetWebhookSigningKey(m.SigningKey())
	ok, err := client.VerifyWebhookSignature(mailgun.Signature{
		TimeStamp: form.Get("timestamp"), Token: form.Get("token"), Signature: form.Get("signature"),
	})
	require.NoError(t, err)
	return ok
}

// store(notify): urlencoded, parsed, with a URL to fetch the mail from.
func TestNotify(t *testing.T) {
	m, receiver := openTest(t, Config{}), newReceiver(t, 200)
	route := Route{
		Expression: `match_recipient("^acme\+[0-9]+@sms\.acme\.example$")`,
		Actions:    []string{`store(notify="` + receiver.URL + `/mailgun/acme")`, `stop()`},
	}
	require.NoError(t, m.AddRoute(route))
	posts := deliverTo(t, m, receiver, testMail())
	require.Len(t, posts, 1)
	require.Equal(t, "application/x-www-form-urlencoded", posts[0].contentType)
	require.Equal(t, "/mailgun/acme", posts[0].path)
	form := posts[0].form
	require.True(t, isSigned(t, m, form))
	require.Len(t, form.Get("token"), 50)
	require.Len(t, form.Get("signature"), 64)

	stored := m.Stored()
	require.Len(t, stored, 1)
	for name, want := range map[string]string{
		"recipient":          testPhone,
		"sender":             testFrom,
		"from":               "Acme <no-reply@acme.example>",
		"From":               "Acme <no-reply@acme.example>",
		"subject":            "Bekræft din konto",
		"Subject":            "Bekræft din konto",
		"Message-Id":         "<20231114.1@acme.example>",
		"Mime-Version":       "1.0",
		"X-Envelope-From":    "<" + testFrom + ">",
		"X-Mailgun-Incoming": "Yes",
		"domain":             "sms.acme.example",
		"message-url":        stored[0].URL,
		"body-plain":         "Bekræft: https://login.acme.example/verify?ticket=abc\r\n-- \r\nAcme",
		"body-html": `<p>Bekræft: <a ` +
			`href="https://login.acme.example/verify?ticket=abc">her</a></p>`,
		"stripped-text":      "Bekræft: https://login.acme.example/verify?ticket=abc",
		"stripped-signature": "Acme",
	} {
		require.Equal(t, []string{want}, form[name], name)
	}
	require.True(t, strings.HasPrefix(stored[0].URL,
		m.StorageURL()+"/v3/domains/sms.acme.example/messages/"))
	require.NotContains(t, form, "attachment-count")

	var headers [][2]string
	require.NoError(t, json.Unmarshal([]byte(form.Get("message-headers")), &headers))
	require.Equal(t, "Received", headers[0][0])
	require.Contains(t, headers, [2]string{"Subject", "Bekræft din konto"})
}

// forward() without attachments has neither a URL of the mail nor its domain, and nothing is
// stored.
func TestForward(t *testing.T) {
	m, receiver := openTest(t, Config{}), newReceiver(t, 200)
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{`forward("` +
		receiver.URL + `", "mail@acme.example")`}}))
	posts := deliverTo(t, m, receiver, testMail())
	require.Len(t, posts, 1)
	require.Equal(t, "application/x-www-form-urlencoded", posts[0].contentType)
	require.NotContains(t, posts[0].form, "message-url")
	require.NotContains(t, posts[0].form, "domain")
	require.Empty(t, m.Stored())
	require.Equal(t, posts[0].form, m.Posts()[0].Form, "the history shows what was posted")
}

// Attachments travel with forward(), and stay behind a URL with store(). HTML without text gets
// a body-plain all the same.
func TestAttachments(t *testing.T) {
	m, receiver := openTest(t, Config{}), newReceiver(t, 200)
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{`forward("` +
		receiver.URL + `/f")`}}))
	post := deliverTo(t, m, receiver, testAttached())[0]
	require.True(t, strings.HasPrefix(post.contentType, "multipart/form-data"))
	require.True(t, isSigned(t, m, post.form))
	require.Equal(t, "2", post.form.Get("attachment-count"))
	require.JSONEq(t, `{"<logo@acme>":"attachment-1"}`, post.form.Get("content-id-map"))
	require.Equal(t, map[string]string{
		"attachment-1": "attachment image/png icon", "attachment-2": "terms.pdf application/pdf pdf",
	}, post.files)
	require.Equal(t, "Hello & welcome Second", post.form.Get("body-plain"))
	require.Len(t, post.form["body-html"], 1)

	m, receiver = openTest(t, Config{}), newReceiver(t, 200)
	m.Set(func(manners *Manners) { manners.RepeatedBodyHTML = true })
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{`store(notify="` +
		receiver.URL + `/s")`}}))
	post = deliverTo(t, m, receiver, testAttached())[0]
	require.Equal(t, "application/x-www-form-urlencoded", post.contentType)
	require.NotContains(t, post.form, "attachment-count")
	var attachments []attachmentInfo
	require.NoError(t, json.Unmarshal([]byte(post.form.Get("attachments")), &attachments))
	require.Equal(t, "terms.pdf", attachments[1].Name)
	require.Equal(t, m.Stored()[0].URL+"/attachments/1", attachments[1].URL)
	require.Len(t, post.form["body-html"], 2)
}

// A URL that ends with mime gets the mail itself, byte for byte as it is stored.
func TestRawMIME(t *testing.T) {
	m, receiver := openTest(t, Config{}), newReceiver(t, 200)
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{`store()`,
		`forward("` + receiver.URL + `/mime")`}}))
	form := deliverTo(t, m, receiver, testAttached())[0].form
	require.True(t, isSigned(t, m, form))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	require.ElementsMatch(t, []string{"recipient", "sender", "from", "subject", "body-mime",
		"timestamp", "token", "signature"}, names)
	require.Equal(t, string(m.Stored()[0].MIME), form.Get("body-mime"))
	ours := strings.ReplaceAll(string(testAttached()), "\n", "\r\n")
	require.True(t, strings.HasSuffix(form.Get("body-mime"), ours),
		"the mail's own bytes stay, or DKIM breaks")
}

// 200 and 406 are final, everything else is repeated on the schedule of three, here without
// waiting.
func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name     string
		statuses []int
		manners  Manners
		received int
		history  []int // statuses; 0 is no response
	}{
		{"accepted", []int{200}, Manners{}, 1, []int{200}},
		{"refused for good", []int{406}, Manners{}, 1, []int{406}},
		{"no content is not 200", []int{204, 200}, Manners{}, 2, []int{204, 200}},
		{"redirects are not followed", []int{302, 200}, Manners{}, 2, []int{302, 200}},
		{"unauthorized, unavailable", []int{401, 503, 200}, Manners{}, 3, []int{401, 503, 200}},
		{"schedule used up", []int{500}, Manners{}, 4, []int{500, 500, 500, 500}},
		{"dropped twice", []int{200}, Manners{DropPosts: 2}, 1, []int{0, 0, 200}},
		{"dropped for good", []int{200}, Manners{DropPosts: 4}, 0, []int{0, 0, 0, 0}},
		{"duplicated", []int{200}, Manners{DuplicatePosts: 2}, 3, []int{200, 200, 200}},
		{"duplicated after a retry", []int{500, 200}, Manners{DuplicatePosts: 1}, 3,
			[]int{500, 200, 200}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, receiver := openTest(t, Config{}), newReceiver(t, test.statuses...)
			m.Set(func(manners *Manners) { *manners = test.manners })
			require.NoError(t, m.AddRoute(Route{ID: "r1", Expression: "catch_all()",
				Actions: []string{`forward("` + receiver.URL + `")`}}))
			require.Len(t, deliverTo(t, m, receiver, testMail()), test.received)
			var history []int
			for i, post := range m.Posts() {
				require.Equal(t, i+1, post.Attempt)
				require.Equal(t, "r1", post.RouteID)
				require.Equal(t, post.Status == 0, post.Error == "dropped")
				history = append(history, post.Status)
			}
			require.Equal(t, test.history, history)
		})
	}
}

// A retry repeats the triple, or is signed anew if the manners say so.
func TestTriple(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		now := time.Unix(1700000000, 0)
		m := openTest(t, Config{Now: func() time.Time { return now }})
		receiver := newReceiver(t, 500, 200)
		m.Set(func(manners *Manners) { manners.FreshTriple = fresh })
		require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{`forward("` +
			receiver.URL + `")`}}))
		posts := deliverTo(t, m, receiver, testMail())
		require.Equal(t, strconv.Itoa(1700000000), posts[0].form.Get("timestamp"))
		require.Equal(t, fresh, posts[0].form.Get("token") != posts[1].form.Get("token"))
		require.True(t, isSigned(t, m, posts[1].form))
	}
}

// A wrong signature heals with the manners: the same token, rightly signed, comes with a retry.
func TestWrongSignature(t *testing.T) {
	m, receiver := openTest(t, Config{}), newReceiver(t, 401, 200)
	receiver.onPost = func() { m.Set(func(manners *Manners) { manners.WrongSignature = false }) }
	m.Set(func(manners *Manners) { manners.WrongSignature = true })
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{`forward("` +
		receiver.URL + `")`}}))
	posts := deliverTo(t, m, receiver, testMail())
	require.Len(t, posts, 2)
	require.False(t, isSigned(t, m, posts[0].form))
	require.True(t, isSigned(t, m, posts[1].form))
	require.Equal(t, posts[0].form.Get("token"), posts[1].form.Get("token"))
}

// A mail whose header fields are named like control keys doubles them if the manners say so,
// and never otherwise.
func TestPassControlHeaders(t *testing.T) {
	hostile := slices.Concat([]byte("token: evil\nrecipient: evil@sms.acme.example\nmessage-url: "+
		"http://evil.example/v3/\nToken: other\n"), testMail())
	for _, pass := range []bool{false, true} {
		m, receiver := openTest(t, Config{}), newReceiver(t, 200)
		m.Set(func(manners *Manners) { manners.PassControlHeaders = pass })
		require.NoError(t, m.AddRoute(Route{Expression: "catch_all()",
			Actions: []string{`store(notify="` + receiver.URL + `")`}}))
		post := deliverTo(t, m, receiver, hostile)[0]
		if !pass {
			require.Len(t, post.form["token"], 1)
			require.Len(t, post.form["recipient"], 1)
			require.Equal(t, []string{"evil", "other"}, post.form["Token"])
			continue
		}
		require.Equal(t, "evil", post.form["token"][0], "the author's token is the first")
		require.Equal(t, []string{testPhone, "evil@sms.acme.example"}, post.form["recipient"],
			"and the recipient the second")
		require.Len(t, post.form["message-url"], 2)
		require.Equal(t, []string{"other"}, post.form["Token"])
	}
}
