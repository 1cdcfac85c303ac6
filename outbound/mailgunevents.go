package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"smsbridge/internal/mail"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// One list of Mailgun's, GET /v3/{domain}/events, is all that the bridge asks Mailgun beside the
// mails themselves. Mailgun's own library reads forty kinds of events with a JSON decoder of its
// own, which takes long to compile. It also sends the account's key to whatever address a page
// names as the next one, and after redirects.

const (
	maxEventPages = 40
	eventPage     = 300 // the most that Mailgun gives at once
)

// stored is a mail that Mailgun keeps.
type stored struct {
	url       string
	messageID string
	to        mail.Recipient
	at        time.Time
}

// eventList is one page of Mailgun's events, as far as it is read.
type eventList struct {
	Items []struct {
		Event     string  `json:"event"`
		Timestamp float64 `json:"timestamp"` // seconds since 1970
		Message   struct {
			Headers struct {
				MessageID string `json:"message-id"` // without angle brackets
			} `json:"headers"`
			Recipients []string `json:"recipients"`
		} `json:"message"`
		Storage struct {
			URL string `json:"url"`
		} `json:"storage"`
	} `json:"items"`
	Paging struct {
		Next string `json:"next"` // always there; the page after the last is empty
	} `json:"paging"`
}

// searchStored looks through Mailgun's stored events, not older than since. It returns the newest
// mail to a phone's address among those that match. Events become visible late, so errGone may
// mean "not yet". They come out of order, so all are looked at. Recipients are compared here: how
// Mailgun's own filter compares is not documented.
func (w *Worker) searchStored(
	ctx context.Context, t *tenant.Tenant, phone phonemail.Number, since, now time.Time,
	match func(stored) bool,
) (stored, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*providerTimeout/2)
	defer cancel()
	var newest stored
	at := firstEvents(t, since, now)
	for range maxEventPages {
		page, err := w.events(ctx, t, at)
		if err != nil {
			return stored{}, err
		}
		if len(page.Items) == 0 {
			break
		}
		for _, s := range page.stored(t, since) {
			if s.at.After(newest.at) && s.to.Phone == phone && match(s) {
				newest = s
			}
		}
		at = page.Paging.Next
	}
	if newest.url == "" {
		return stored{}, errGone
	}
	return newest, nil
}

// firstEvents is the address of the newest events. With begin after end, Mailgun lists the newest
// first. Five minutes are for the clocks.
func firstEvents(t *tenant.Tenant, since, now time.Time) string {
	return t.Mails.Mailgun.APIBase + "/v3/" + url.PathEscape(t.Address.Domain) + "/events?" +
		url.Values{
			"event": {"stored"}, "limit": {strconv.Itoa(eventPage)},
			"begin": {now.Add(5 * time.Minute).Format(time.RFC1123Z)}, "end": {since.Format(time.RFC1123Z)},
		}.Encode()
}

// events reads one page. The address of a next page is Mailgun's word, and the key goes there: it
// must be at the tenant's API base.
func (w *Worker) events(ctx context.Context, t *tenant.Tenant, at string) (page eventList,
	err error) {
	u, err := url.Parse(at)
	base, baseErr := url.Parse(t.Mails.Mailgun.APIBase)
	if err != nil || baseErr != nil || u.User != nil || u.Scheme != base.Scheme ||
		!strings.EqualFold(u.Host, base.Host) || !strings.HasPrefix(u.Path, base.Path+"/v3/") {
		return page, errors.New("mailgun: the next page of events is not at the API base")
	}
	raw, err := w.askMailgun(ctx, t, http.MethodGet, u, "")
	var status statusError
	if errors.As(err, &status) {
		return page, fmt.Errorf("mailgun: the events cannot be read, status %d", int(status))
	}
	if err != nil {
		return page, err
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return page, errors.New("mailgun: the events are not a page of events")
	}
	return page, nil
}

// stored returns the stored mails of a page, once for each phone address of the tenant.
func (l eventList) stored(t *tenant.Tenant, since time.Time) (all []stored) {
	for _, e := range l.Items {
		at := time.Unix(0, int64(e.Timestamp*float64(time.Second))).UTC()
		if e.Event != "stored" || at.Before(since) {
			continue
		}
		for _, to := range recipients(t, e.Message.Recipients) {
			all = append(all, stored{
				url: e.Storage.URL, messageID: e.Message.Headers.MessageID, to: to, at: at,
			})
		}
	}
	return all
}
