package mailgun

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsbridge/internal/simulator/loopback"
)

// Post is one attempt to post a mail to a webhook.
type Post struct {
	At        time.Time
	URL       string
	RouteID   string
	Attempt   int        // 1 for the first; duplicates count on
	Status    int        // of the receiver's response; 0 if there was none
	Error     string     // why there was no response: the network's words, or "dropped"
	Form      url.Values // the fields as posted, without attached files
	MediaType string     // application/x-www-form-urlencoded or multipart/form-data
}

// delivery is a mail on its way to one webhook.
type delivery struct {
	effect routeEffect
	sender string
	mail   *parsedMail
	stored *StoredMail // nil for forward()
}

// signedTriple is what proves a post: signature = hex(HMAC-SHA256(signing key, timestamp || token))
// (documentation.mailgun.com, securing webhooks). The body is not covered.
type signedTriple struct{ timestamp, token, signature string }

// formField is one form field; fields keep their order, since which of two values a receiver
// takes depends on it.
type formField struct{ name, value string }

// controlKeys are the fields that are Mailgun's own word, not the mail author's.
func controlKeys() []string {
	return []string{
		"recipient", "sender", "from", "subject", "domain", "message-url", "message-headers", "timestamp",
		"token", "signature",
		"body-plain", "body-html", "body-mime", "stripped-text", "stripped-signature", "stripped-html",
		"attachments", "attachment-count", "content-id-map",
	}
}

// Sign returns the signature of a webhook in lower-case hex.
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
func Sign(key, timestamp, token string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(timestamp + token))
	return hex.EncodeToString(mac.Sum(nil))
}

// triple makes a new proof, not yet signed.
func (m *Account) triple() signedTriple {
	return signedTriple{timestamp: strconv.FormatInt(m.config.Now().Unix(), 10), token: randomHex(50)}
}

// post sends one mail to its webhook until the response is 200 or 406, the only final ones
// (help.mailgun.com/202236504), or the schedule is used up.
func (m *Account) post(job delivery) {
	defer func() {
		m.mu.Lock()
		m.underWay--
		m.announce()
		m.mu.Unlock()
	}()
	triple := m.triple()
	final, duplicates := false, 0
	for attempt := 1; ; attempt++ {
		manners := m.currentManners()
		if attempt > 1 && manners.FreshTriple {
			triple = m.triple()
		}
		status := m.attempt(job, triple, attempt, manners)
		final = final || status == http.StatusOK || status == http.StatusNotAcceptable
		switch {
		case final && duplicates < manners.DuplicatePosts:
			duplicates++
		case final || attempt > len(m.config.RetryAfter) || !m.pause(m.config.RetryAfter[attempt-1]):
			return
		}
	}
}

func (m *Account) currentManners() Manners {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.manners
}

// pause waits, and says false if the simulator was closed meanwhile.
func (m *Account) pause(d time.Duration) bool { return m.api.Pause(m.ctx, d) }

// attempt posts once, records it, and returns the response's status, 0 without one.
func (m *Account) attempt(job delivery, triple signedTriple, number int, manners Manners) int {
	key := m.config.SigningKey
	if manners.WrongSignature {
		key = "not-" + key
	}
	triple.signature = Sign(key, triple.timestamp, triple.token)
	fields := job.fields(triple, manners)
	contentType, body := job.encode(fields)
	post := Post{URL: job.effect.url, RouteID: job.effect.routeID, Attempt: number, Form: url.Values{}}
	post.MediaType, _, _ = mime.ParseMediaType(contentType)
	for _, f := range fields {
		post.Form.Add(f.name, f.value)
	}
	var err error
	if m.takeDrop() {
		err = errors.New("dropped")
	} else if manners.Slow == 0 || m.pause(manners.Slow) {
		post.Status, err = m.send(post.URL, contentType, body)
	} else {
		err = ErrClosed
	}
	if err != nil {
		post.Error = err.Error()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	post.At = m.config.Now()
	m.posts = newest(append(m.posts, post))
	m.postCount++
	m.announce()
	return post.Status
}

// takeDrop uses up one of the attempts to drop.
func (m *Account) takeDrop() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.manners.DropPosts <= 0 {
		return false
	}
	m.manners.DropPosts--
	return true
}

// send makes the HTTP request. A redirect is a response like any other; whether Mailgun follows
// them is not documented.
func (m *Account) send(to, contentType string, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(m.ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("not a URL")
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "mailgun/simulator")
	response, err := m.client.Do(request)
	if err != nil {
		var wrapped *url.Error // says the URL again
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return 0, err
	}
	defer response.Body.Close()
	// The body is read so that the connection can be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	return response.StatusCode, nil
}

// fields returns the form in Mailgun's order (documentation.mailgun.com, receiving messages by
// HTTP).
func (job delivery) fields(triple signedTriple, manners Manners) []formField {
	mail := job.mail
	fields := []formField{
		{"recipient", strings.Join(job.effect.recipients, ",")},
		{"sender", job.sender},
		{"subject", mail.header("Subject")},
		{"from", mail.header("From")},
	}
	if strings.HasSuffix(job.effect.url, "mime") {
		fields = append(fields, formField{"body-mime", string(mail.mime)})
		return append(fields, triple.fields()...)
	}
	if job.stored != nil {
		fields = append(fields,
			formField{"domain", job.stored.Domain}, formField{"message-url", job.stored.URL})
	}
	control := controlKeys()
	for _, h := range mail.headers {
		name := h.name
		if manners.PassControlHeaders && slices.Contains(control, h.written) {
			name = h.written
		}
		fields = append(fields, formField{name, h.value})
	}
	fields = append(fields, formField{"body-plain", mail.plain})
	switch {
	case manners.RepeatedBodyHTML:
		for _, part := range mail.htmls {
			fields = append(fields, formField{"body-html", part})
		}
	case len(mail.htmls) > 0:
		fields = append(fields, formField{"body-html", mail.html()})
	}
	stripped := mail.stripped()
	for _, f := range []formField{
		{"stripped-text", stripped.text}, {"stripped-signature", stripped.signature},
		{"stripped-html", stripped.html},
	} {
		if f.value != "" {
			fields = append(fields, f)
		}
	}
	fields = append(fields, job.attachmentFields()...)
	fields = append(fields, formField{"message-headers", jsonText(mail.headerPairs())})
	return append(fields, triple.fields()...)
}

func (t signedTriple) fields() []formField {
	return []formField{{"timestamp", t.timestamp}, {"token", t.token}, {"signature", t.signature}}
}

// attachmentFields describes the attachments: by number for forward(), whose post carries them,
// by URL for store().
func (job delivery) attachmentFields() []formField {
	mail := job.mail
	if len(mail.attachments) == 0 {
		return nil
	}
	if job.stored != nil {
		return []formField{
			{"attachments", jsonText(mail.attachmentList(job.stored.URL))},
			{"content-id-map", jsonText(mail.contentIDMap(job.stored.URL))},
		}
	}
	byID := map[string]string{}
	for i, a := range mail.attachments {
		if a.contentID != "" {
			byID[a.contentID] = fmt.Sprintf("attachment-%d", i+1)
		}
	}
	return []formField{{"attachment-count", strconv.Itoa(len(mail.attachments))},
		{"content-id-map", jsonText(byID)}}
}

// encode writes the form: multipart if attachments go along, which is for forward() only,
// urlencoded otherwise.
func (job delivery) encode(fields []formField) (contentType string, body []byte) {
	var b bytes.Buffer
	if job.stored != nil || len(job.mail.attachments) == 0 ||
		strings.HasSuffix(job.effect.url, "mime") {
		for i, f := range fields {
			if i > 0 {
				b.WriteByte('&')
			}
			b.WriteString(url.QueryEscape(f.name) + "=" + url.QueryEscape(f.value))
		}
		return "application/x-www-form-urlencoded", b.Bytes()
	}
	w := multipart.NewWriter(&b) // writing to a buffer does not fail
	for _, f := range fields {
		_ = w.WriteField(f.name, f.value)
	}
	for i, a := range job.mail.attachments {
		header := textproto.MIMEHeader{}
		field := fmt.Sprintf("attachment-%d", i+1)
		header.Set("Content-Disposition", multipart.FileContentDisposition(field, a.name))
		header.Set("Content-Type", a.contentType)
		part, _ := w.CreatePart(header)
		_, _ = part.Write(a.data)
	}
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}

// jsonText encodes what cannot fail: strings, numbers, slices and maps of them.
func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// loopbackClient returns the client that posts. It connects to loopback only, whatever a route
// says, knows no proxy, and waits 30 seconds for a response.
func loopbackClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: loopback.Control}
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{DialContext: dialer.DialContext, MaxConnsPerHost: 64,
			MaxIdleConnsPerHost: 64},
		CheckRedirect: loopback.NoRedirect,
	}
}
