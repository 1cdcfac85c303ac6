package outbound

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"smsbridge/internal/mail"
	"smsbridge/internal/sender"
	"smsbridge/internal/tenant"
	"smsbridge/internal/trace"
)

// maxStored is the most that is read of a response: a stored mail, or a page of events.
const maxStored = 8 << 20

var (
	// errGone says that Mailgun does not have a mail: deleted, too old, or not visible yet.
	errGone = errors.New("the mail is not at Mailgun")
	// errOther says that what Mailgun keeps in a place is not the mail that is said to be there.
	errOther = errors.New("what Mailgun keeps there is another mail")
	// errURL says that the API key must not be sent to where a mail is said to be kept.
	errURL = errors.New("the stored mail's URL is not at an allowed host")
)

// fetchStored reads a stored mail, if it is m: see "Storing and retrieving messages" under
// https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/.
// Fields are taken by their exact names: the JSON also has the mail's own headers, and Go's
// decoder would take "From" for "from". Mailgun writes names of headers with a capital.
func (w *Worker) fetchStored(
	ctx context.Context, t *tenant.Tenant, m mail.Mail, at string,
) (mail.Body, error) {
	raw, err := w.mailgun(ctx, t, http.MethodGet, at)
	if err != nil {
		return mail.Body{}, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return mail.Body{}, errors.New("mailgun: the stored mail is not JSON")
	}
	whole := t.Mails.Sender.Verify != tenant.VerifyOff
	id := strings.Trim(words(fields["Message-Id"]), "<> \t\r\n")
	if whole { // then Mailgun gives no header apart
		id = sender.MessageID(words(fields["body-mime"]))
	}
	if !m.Is(id, recipients(t, strings.Split(words(fields["recipients"]), ","))) {
		return mail.Body{}, errOther
	}
	if whole {
		return mail.Body{MIME: words(fields["body-mime"]), Envelope: words(fields["sender"])}, nil
	}
	return mail.Body{
		Subject: words(fields["subject"]), From: words(fields["from"]), Text: words(
			fields["body-plain"],
		), HTML: words(fields["body-html"]),
	}, nil
}

// words reads a string, or several as Mailgun's newest pages describe body-html.
func words(raw json.RawMessage) string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	var several []string
	_ = json.Unmarshal(raw, &several) // anything else counts as absent
	return strings.Join(several, "\n")
}

// deleteStored deletes a mail where Mailgun keeps it, as far as Mailgun allows, if it is m. It says
// what became of the mail there. The operation is not in Mailgun's reference any more, so a refusal
// is no reason to ask again. A key that Mailgun does not take is: it may be about to be changed.
func (w *Worker) deleteStored(
	ctx context.Context, t *tenant.Tenant, m mail.Mail, at string,
) (mail.Deletion, error) {
	_, err := w.fetchStored(ctx, t, m, at)
	if err == nil {
		_, err = w.mailgun(ctx, t, http.MethodDelete, at)
	}
	var status statusError
	switch {
	case err == nil:
		return mail.Deleted, nil
	case errors.Is(err, errGone):
		return mail.Gone, nil
	case errors.Is(err, errURL), errors.Is(err, errOther):
		return mail.Elsewhere, nil
	case errors.As(err, &status) && status.isRefusal():
		return mail.Left, nil
	}
	return "", err
}

// statusError is a response of Mailgun's that is no success.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("mailgun: status %d", int(e)) }

// isRefusal reports whether the same request would get the same response later.
func (e statusError) isRefusal() bool {
	switch e {
	case http.StatusNotImplemented:
		return true
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooEarly,
		http.StatusTooManyRequests:
		return false
	}
	return e < 500
}

// mailgun asks for a stored mail, or deletes it.
func (w *Worker) mailgun(ctx context.Context, t *tenant.Tenant, method, at string) ([]byte, error) {
	u, err := url.Parse(at)
	if err != nil || !t.Mails.Mailgun.StorageURL(u) {
		return nil, errURL
	}
	accept := ""
	if t.Mails.Sender.Verify != tenant.VerifyOff && method == http.MethodGet {
		accept = "message/rfc2822" // the raw mail, which proves its sender
	}
	raw, err := w.askMailgun(ctx, t, method, u, accept)
	if err == statusError(http.StatusNotFound) {
		return nil, errGone
	}
	return raw, err
}

// askMailgun sends one request with the tenant's key. The caller has judged the address.
func (w *Worker) askMailgun(
	ctx context.Context, t *tenant.Tenant, method string, u *url.URL, accept string,
) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, errURL
	}
	req.SetBasicAuth("api", t.Mails.Mailgun.APIKey.Reveal())
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	span := trace.Child(ctx, "mailgun", trace.Call)
	defer span.End()
	span.Set("http.request.method", method)
	began := w.Meter.Now()
	// RoundTrip, not Do: the key must not follow a redirect.
	res, err := w.http.RoundTrip(req)
	if err != nil {
		w.askedMailgun(t.Slug, 0, began)
		span.Fail("no_response", "")
		return nil, errors.New("mailgun: no answer")
	}
	defer res.Body.Close()
	w.askedMailgun(t.Slug, res.StatusCode, began)
	span.SetInt("http.response.status_code", res.StatusCode)
	if res.StatusCode >= 300 {
		span.Fail(strconv.Itoa(res.StatusCode), "")
		return nil, statusError(res.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxStored+1))
	if err != nil || len(raw) > maxStored {
		return nil, errors.New("mailgun: the answer is cut off or too long")
	}
	return bytes.TrimSpace(raw), nil
}

// recipients are those of some addresses that are phone addresses of the tenant.
func recipients(t *tenant.Tenant, addresses []string) (found []mail.Recipient) {
	for _, address := range addresses {
		address = strings.TrimSpace(address)
		if phone, err := t.Address.Number(address); err == nil {
			found = append(found, mail.To(phone, address))
		}
	}
	return found
}
