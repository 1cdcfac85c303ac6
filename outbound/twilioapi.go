package outbound

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
)

// The three requests for Twilio's Message resource, made with twilio-go's client. Its own package
// for them, rest/api/v2010, has two hundred other resources, and takes longer to compile than all
// that is in this repository.

// twilioHost is where twilio-go sends. twilioWire puts the tenant's API base in its place.
const twilioHost = "https://api.twilio.com"

const (
	// twilioPageSize is how many messages are on a page of the list.
	twilioPageSize = 50
	// twilioListed is how many messages are read at most when a text is looked for.
	twilioListed = 1000
)

// errTwilioList says that a text may be in the list of messages behind those that were read.
var errTwilioList = errors.New("twilio: the list of texts is too long, and may have the text")

// twilioMessage has the fields that the bridge reads of a message
// (https://www.twilio.com/docs/messaging/api/message-resource#message-properties).
type twilioMessage struct {
	SID         *string `json:"sid"`
	Body        *string `json:"body"`
	From        *string `json:"from"`
	ServiceSID  *string `json:"messaging_service_sid"`
	DateCreated *string `json:"date_created"`
	Status      string  `json:"status"`
	Price       *string `json:"price"` // null until it is known
	PriceUnit   string  `json:"price_unit"`
	NumSegments string  `json:"num_segments"`
}

// twilioPage is one page of a list of messages. Next is null on the last one.
type twilioPage struct {
	Messages []twilioMessage `json:"messages"`
	Next     *string         `json:"next_page_uri"`
}

// twilioMessages is the address of the account's messages.
func twilioMessages(h *client.RequestHandler) string {
	return twilioHost + "/2010-04-01/Accounts/" + h.Client.AccountSid() + "/Messages.json"
}

func twilioHeaders() map[string]any {
	return map[string]any{"Content-Type": "application/x-www-form-urlencoded"}
}

// createMessage asks Twilio to send a text.
func createMessage(h *client.RequestHandler, form url.Values) (twilioMessage, error) {
	var message twilioMessage
	res, err := h.Post(twilioMessages(h), form, twilioHeaders(), "")
	if err != nil {
		return message, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(res.Body).Decode(&message)
	return message, err
}

// fetchMessage reads one text.
func fetchMessage(h *client.RequestHandler, sid string) (twilioMessage, error) {
	var message twilioMessage
	at := strings.TrimSuffix(twilioMessages(h), ".json") + "/" + url.PathEscape(sid) + ".json"
	res, err := h.Get(at, nil, twilioHeaders(), "")
	if err != nil {
		return message, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(res.Body).Decode(&message)
	return message, err
}

// listMessages reads the messages to a phone, which Twilio lists newest first, until a whole page
// is older than a time. A page may be short and not be the last. The error is errTwilioList when
// there are too many.
func listMessages(
	h *client.RequestHandler, to string, since time.Time,
) (messages []twilioMessage, err error) {
	at, headers := twilioMessages(h), twilioHeaders()
	query := url.Values{"To": {to}, "PageSize": {strconv.Itoa(twilioPageSize)}}
	for at != "" {
		var page twilioPage
		if page, err = readMessages(h, at, query, headers); err != nil {
			return nil, err
		}
		messages = append(messages, page.Messages...)
		if page.isBefore(since) {
			break
		}
		if len(messages) > twilioListed {
			return nil, errTwilioList
		}
		at, query, headers = page.next(), nil, nil // the next page's address says it all
	}
	return messages, nil
}

func readMessages(
	h *client.RequestHandler, at string, query url.Values, headers map[string]any,
) (page twilioPage, err error) {
	res, err := h.Get(at, query, headers, "")
	if err != nil {
		return page, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(res.Body).Decode(&page)
	return page, err
}

// isBefore reports whether all messages of a page were created before a time. An empty page says
// nothing about the next one.
func (p twilioPage) isBefore(since time.Time) bool {
	return len(p.Messages) > 0 && !slices.ContainsFunc(p.Messages, func(m twilioMessage) bool {
		created, known := m.created()
		return !known || !created.Before(since)
	})
}

// created is when a message was created. It is false when Twilio does not say.
func (m twilioMessage) created() (at time.Time, known bool) {
	if m.DateCreated == nil {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC1123Z, *m.DateCreated)
	return at, err == nil
}

// next is the address of the next page, or empty.
func (p twilioPage) next() string {
	if p.Next == nil || *p.Next == "" {
		return ""
	}
	return twilioHost + "/" + strings.Trim(*p.Next, "/")
}
