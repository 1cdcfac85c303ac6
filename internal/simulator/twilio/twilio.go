// Package twilio plays a Twilio account that sends and receives texts, and the phones on its
// network. The demo and the tests of the bridge use it, and twilio-go works against it.
//
// An account and its phones are one package because they share one network: a text of the
// account is in a phone's inbox before the API has responded, and a reply is an HTTP request of
// the account.
//
// What the real Twilio does, or may do, is a knob of [Manners]. Requests fail, are slow, or
// lose their response. Texts are refused or not delivered. Receipts are missing, repeated or
// out of order. Replies and form fields are repeated, and the list shows a text late.
// Connection overrides of a webhook's URL work as at Twilio.
//
// Sources: https://www.twilio.com/docs/messaging/api/message-resource,
// https://www.twilio.com/docs/usage/webhooks and https://www.twilio.com/docs/usage/security.
package twilio

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"smsbridge/internal/simulator/loopback"
)

// Config says which pretend account [Open] opens.
type Config struct {
	// Addr is the loopback host:port to listen on; empty means 127.0.0.1:0, a free port.
	Addr string
	// AccountSID and AuthToken are the credentials of the REST API; the token also signs every
	// webhook. Letters and digits only, because twilio-go refuses anything else before it sends a
	// request.
	AccountSID, AuthToken string
	// Numbers are the senders of the account in E.164, Names its alphanumeric ones, to which
	// phones cannot reply (https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id).
	Numbers, Names []string
	// Services maps the SID of a messaging service (MG…) to the numbers it sends from; each must
	// be in Numbers.
	Services map[string][]string
	// ReplyURL is called when a phone replies, see [Account.SetReplyURL]. Empty: the reply is only
	// listed. Like every URL that is called it must lead to loopback; calls elsewhere fail to
	// connect.
	ReplyURL string
	// FallbackURL is called when ReplyURL fails or its response is not TwiML. Empty: no URL is called.
	FallbackURL string
	// Now is the clock of dates and of the list's lag; nil means time.Now.
	Now func() time.Time
}

// Manners are the ways in which the pretend Twilio misbehaves; the zero value is polite.
type Manners struct {
	// FailNext refuses that many sends with FailStatus (0 means 503), before they are looked at.
	// FailCode is the code of the JSON error body, for instance 20429 with status 429; with 0 the
	// body is a plain HTML page.
	FailNext, FailStatus, FailCode int
	// LoseResponse accepts that many texts and then cuts the connection instead of responding.
	LoseResponse int
	// Reject refuses a send to one of these numbers with 400 and the code.
	Reject map[string]int
	// ListRefused has the list show what the REST API refused with 400, as Twilio does since 2024: see
	// "Message Creation API Errors" under https://help.twilio.com/articles/21923437804315.
	ListRefused bool
	// Undelivered ends texts to these numbers as undelivered with the code; the phone never has them.
	Undelivered map[string]int
	// ReceiptsOutOfOrder posts the receipts of a text last first, DuplicateReceipts posts each
	// twice, and DropReceipts posts none.
	ReceiptsOutOfOrder, DuplicateReceipts, DropReceipts bool
	// DuplicateReplies posts every reply twice, with the same SID and idempotency token.
	DuplicateReplies bool
	// RepeatKeys adds a second From, Body and MessageSid with hostile values to every reply. The
	// signature is made from the first ones, as twilio-go checks it, so only counting the values
	// notices.
	RepeatKeys bool
	// ListLag hides a text from the list until it is that old; fetching it by its SID works at once.
	ListLag time.Duration
	// Price is what a segment costs in the currency PriceUnit; empty means 0.00750 in USD. The REST
	// API says so when PriceLag, or a minute if that is 0, has passed since a text was sent.
	Price, PriceUnit string
	PriceLag         time.Duration
	// Segments is how many segments each text is taken to have; 0 means those of its body.
	Segments int
	// Slow delays every response of the REST API.
	Slow time.Duration
	// Trial has the account put words before each text, as a trial account does
	// (https://help.twilio.com/articles/360036052753).
	Trial bool
	// SmartEncoding has the account replace signs that cost more segments, as a Messaging Service can
	// (https://www.twilio.com/docs/messaging/services#smart-encoding).
	SmartEncoding bool
	// Suspended has the account say that it is. Application is the SID of a TwiML app that handles the
	// texts of its numbers. WebhookOnNumber has its services defer to their numbers' webhooks.
	Suspended       bool
	Application     string
	WebhookOnNumber bool
}

// Directions of a [Text], in Twilio's words.
const (
	TextSent     = "outbound-api"   // asked for through the REST API
	TextBack     = "outbound-reply" // sent by TwiML, or by Twilio itself on an opt-out keyword
	TextReceived = "inbound"        // sent by a phone
)

// Text is one SMS as the pretend Twilio knows it.
type Text struct {
	SID            string
	From, To       string // E.164
	ServiceSID     string // the messaging service, or empty
	Body           string
	StatusCallback string // as asked for, or empty
	Direction      string
	Status         string // accepted, queued, sent, delivered, undelivered or received
	ErrorCode      int    // of an undelivered text, else 0
	Time           time.Time
}

// Account is a pretend Twilio account: the Messages resource of the REST API with the webhooks
// it causes. Everything is held in memory until Close. Safe for use by several goroutines.
type Account struct {
	config Config
	server *loopback.Server
	ctx    context.Context // done when Close is called

	mu       sync.Mutex
	closed   bool
	work     sync.WaitGroup // posts of receipts
	manners  Manners
	replyURL string
	texts    []*storedText // both directions, in the order of acceptance
	phones   map[string]*Phone
	changed  chan struct{} // closed and replaced whenever a phone receives a text
	blocked  map[blockKey]bool
	hooks    []Hook
	clients  map[timeLimits]*http.Client
}

// storedText is a Text with what only the REST API needs.
type storedText struct {
	Text
	sent        time.Time // zero until sent
	undelivered int       // the code it will end as undelivered with, else 0
	deleted     bool      // gone from the REST API, still in the history
}

// Accepted forms of numbers and credentials.
var (
	e164        = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)
	credentials = regexp.MustCompile(`^[a-zA-Z0-9]+$`)
)

// Open starts a pretend Twilio. The caller must Close it. It returns an error if the address is
// not on loopback or is taken, or if credentials, numbers or services do not fit their
// description.
func Open(config Config) (*Account, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	server, err := loopback.Open(config.Addr)
	if err != nil {
		return nil, err
	}
	t := &Account{
		config:   config,
		server:   server,
		ctx:      server.Context(),
		replyURL: config.ReplyURL,
		phones:   make(map[string]*Phone),
		changed:  make(chan struct{}),
		blocked:  make(map[blockKey]bool),
		clients:  make(map[timeLimits]*http.Client),
	}
	server.Serve(t.handler())
	return t, nil
}

func (c Config) check() error {
	if !credentials.MatchString(c.AccountSID) || !credentials.MatchString(c.AuthToken) {
		return errors.New("simulator: Twilio account SID and auth token must be letters and digits")
	}
	for i, number := range c.Numbers {
		if !e164.MatchString(number) {
			return fmt.Errorf("simulator: Twilio number %d of %d is not in E.164", i+1, len(c.Numbers))
		}
	}
	for sid, numbers := range c.Services {
		if len(numbers) == 0 {
			return fmt.Errorf("simulator: Twilio messaging service %s has no number", sid)
		}
		for _, number := range numbers {
			if !slices.Contains(c.Numbers, number) {
				return fmt.Errorf(
					"simulator: Twilio messaging service %s has a number that the account has not", sid)
			}
		}
	}
	return nil
}

// URL returns the base URL of the REST API, in place of https://api.twilio.com, without a final
// slash.
func (t *Account) URL() string { return t.server.URL() }

// Close stops the server and waits for webhooks that are being posted; those are cut short.
func (t *Account) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.server.Close()
	t.work.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, client := range t.clients {
		client.CloseIdleConnections()
	}
}

// SetReplyURL sets the URL that is called when a phone replies, as pasted at Twilio: it may end
// in a fragment of connection overrides such as #rc=3&rp=all, which is neither sent nor signed
// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
func (t *Account) SetReplyURL(url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replyURL = url
}

// Set changes the manners. The function runs under a lock: it must not call other methods of t,
// nor keep its argument.
func (t *Account) Set(change func(*Manners)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.manners)
}

// Texts returns all texts sent from the account so far, oldest first, including those the REST
// API has deleted.
func (t *Account) Texts() []Text {
	t.mu.Lock()
	defer t.mu.Unlock()
	var texts []Text
	for _, text := range t.texts {
		if text.Direction != TextReceived {
			texts = append(texts, text.Text)
		}
	}
	return texts
}

// spawn runs work in the background until Close, which waits for it.
func (t *Account) spawn(work func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.work.Go(work)
	}
}

// NewSID returns a new random SID: the prefix and 32 hexadecimal digits.
func NewSID(prefix string) string {
	var random [16]byte
	rand.Read(random[:]) // never fails
	return prefix + hex.EncodeToString(random[:])
}
