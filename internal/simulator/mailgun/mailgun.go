// Package mailgun plays a Mailgun account: routes, stored mails, signed webhooks with retries,
// and the part of the v3 API that the bridge uses. The demo and the tests of the bridge deliver
// mails to it, and mailgun-go works against it.
//
// What the real Mailgun does, or may do because its documentation does not say, is a knob of
// [Manners]. Posts are repeated or lost. Signatures are wrong, or made anew for a retry. One
// post has several recipients. Header fields collide with Mailgun's own fields. Events are
// listed late or out of order. Deletions are refused, and the API fails.
//
// Sources: documentation.mailgun.com (routes, receiving messages by HTTP, securing webhooks,
// events, stored messages), and help.mailgun.com/202236504 for the schedule of retries.
package mailgun

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"smsbridge/internal/simulator/loopback"
)

// keptHistory is how many posts, stored mails and events are kept; older ones are dropped so
// that a long demo or load test does not grow without end.
const keptHistory = 10_000

// ErrClosed is returned by calls on an [Account] after Close.
var ErrClosed = errors.New("simulator: mailgun is closed")

// Config says how to open an [Account]. The zero value is usable.
type Config struct {
	Addr       string // loopback host:port of the API; default "127.0.0.1:0"
	Domain     string // the receiving domain; default "sms.acme.example"
	APIKey     string // password of API requests, user "api"; default random
	SigningKey string // HTTP webhook signing key; default random

	// RetryAfter holds the pauses before each repetition of a refused post; nil means
	// [RetrySchedule], an empty slice means that no post is repeated. Tests give milliseconds.
	RetryAfter []time.Duration

	AnyDomain bool // serve every domain, not only Domain
	// clock of time stamps, events and retention (not of the pauses); default time.Now
	Now func() time.Time
}

// RetrySchedule returns the pauses after which Mailgun repeats a post whose response was
// neither 200 nor 406, about eight hours in all (help.mailgun.com/202236504; newer pages differ
// by one or two steps).
func RetrySchedule() []time.Duration {
	return []time.Duration{
		10 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		4 * time.Hour,
	}
}

// StoredMail is one mail kept by a store() action.
type StoredMail struct {
	Key        string   // last element of URL
	URL        string   // what message-url and the stored event say; on its own host, as at Mailgun
	Domain     string   // receiving domain
	Sender     string   // SMTP MAIL FROM
	Recipients []string // SMTP RCPT TO
	MIME       []byte   // complete mail, CRLF line ends, with the header fields Mailgun prepends
	StoredAt   time.Time
}

// Account is a pretend Mailgun account: mails, routes, webhooks with retries, and the part of
// the v3 API that the bridge uses. Open it with [Open]; all methods may be called from several
// goroutines.
type Account struct {
	config  Config
	api     *loopback.Server
	storage *loopback.Server // of stored mails: Mailgun's storage hosts are not its API host
	client  *http.Client
	ctx     context.Context // ends at Close; posts under way are abandoned
	work    sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	manners   Manners
	routes    []compiledRoute // by priority, then by age
	stored    []keptMail
	events    []eventEntry // by time
	posts     []Post
	postCount int           // attempts since Open, including those dropped from posts
	underWay  int           // deliveries that may still post
	changed   chan struct{} // closed and replaced whenever posts or underWay changes
}

// keptMail is a stored mail with its parsed form, which the API serves.
type keptMail struct {
	StoredMail
	mail *parsedMail
}

// Open starts a pretend Mailgun. It fails if an address is not a loopback address or is taken,
// or if the domain is not a domain name with a dot. The caller must Close it.
func Open(config Config) (*Account, error) {
	config, err := withDefaults(config)
	if err != nil {
		return nil, err
	}
	m := &Account{config: config, client: loopbackClient(), changed: make(chan struct{})}
	if m.api, err = loopback.Open(config.Addr); err != nil {
		return nil, err
	}
	if m.storage, err = loopback.Open(""); err != nil {
		return nil, errors.Join(err, m.api.Close())
	}
	m.ctx = m.api.Context()
	m.api.Serve(m.serveAPI())
	m.storage.Serve(m.serveStorage())
	return m, nil
}

// withDefaults fills in what config leaves out.
func withDefaults(config Config) (Config, error) {
	if config.Domain == "" {
		config.Domain = "sms.acme.example"
	}
	config.Domain = strings.ToLower(config.Domain)
	if !strings.Contains(config.Domain, ".") || strings.ContainsAny(config.Domain, "/@ ") {
		return config, fmt.Errorf("simulator: mailgun domain %q is not a domain name", config.Domain)
	}
	if config.APIKey == "" {
		config.APIKey = "key-" + randomHex(32)
	}
	if config.SigningKey == "" {
		config.SigningKey = randomHex(32)
	}
	if config.RetryAfter == nil {
		config.RetryAfter = RetrySchedule()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return config, nil
}

// URL returns the base URL of the API without a version, such as "http://127.0.0.1:40001".
// mailgun-go wants it with "/v3".
func (m *Account) URL() string { return m.api.URL() }

// StorageURL returns the base URL of stored mails, such as "http://127.0.0.1:40002".
func (m *Account) StorageURL() string { return m.storage.URL() }

// Domain returns the receiving domain.
func (m *Account) Domain() string { return m.config.Domain }

// APIKey returns the password of API requests; the user is "api".
func (m *Account) APIKey() string { return m.config.APIKey }

// SigningKey returns the HTTP webhook signing key.
func (m *Account) SigningKey() string { return m.config.SigningKey }

// Close stops the listeners, abandons posts that still wait for a retry, and returns once
// everything has stopped. Closing twice is harmless.
func (m *Account) Close() error {
	m.mu.Lock()
	wasClosed := m.closed
	m.closed = true
	m.mu.Unlock()
	if wasClosed {
		return nil
	}
	err := errors.Join(m.api.Close(), m.storage.Close())
	m.work.Wait()
	m.client.CloseIdleConnections()
	return err
}

// Set changes the manners. The function is called at once and alone, and must not call the
// Mailgun. Each attempt to post and each API request goes by the manners of its own beginning.
func (m *Account) Set(change func(*Manners)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.manners)
}

// Posts returns the newest 10,000 attempts to post a mail to a webhook, oldest first.
func (m *Account) Posts() []Post {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.posts)
}

// Stored returns the mails that can be retrieved now, oldest first: neither deleted nor past
// [Manners].Retention. At most the newest 10,000 are kept.
func (m *Account) Stored() []StoredMail {
	m.mu.Lock()
	defer m.mu.Unlock()
	var mails []StoredMail
	for _, s := range m.stored {
		if !m.expired(s) {
			mails = append(mails, s.StoredMail)
		}
	}
	return mails
}

// WaitPosts returns the history as soon as at least n posts were attempted since the start, or
// ctx's error, or [ErrClosed].
func (m *Account) WaitPosts(ctx context.Context, n int) ([]Post, error) {
	err := m.wait(ctx, func() bool { return m.postCount >= n })
	return m.Posts(), err
}

// WaitIdle returns nil as soon as no delivery can post any more: each was accepted, refused for
// good, or repeated as often as the schedule says. Otherwise it returns ctx's error or
// [ErrClosed].
func (m *Account) WaitIdle(ctx context.Context) error {
	return m.wait(ctx, func() bool { return m.underWay == 0 })
}

// wait blocks until done, called with the lock held, says true.
func (m *Account) wait(ctx context.Context, done func() bool) error {
	for {
		m.mu.Lock()
		ok, changed := done(), m.changed
		m.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-m.ctx.Done():
			return ErrClosed
		}
	}
}

// announce wakes those who wait. The lock must be held.
func (m *Account) announce() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// expired says whether the mail has outlived its retention. The lock must be held.
func (m *Account) expired(s keptMail) bool {
	return m.manners.Retention > 0 && m.config.Now().Sub(s.StoredAt) >= m.manners.Retention
}

// newest drops the oldest elements beyond the history limit.
func newest[T any](s []T) []T {
	return slices.Delete(s, 0, max(0, len(s)-keptHistory))
}

// randomHex returns n random hexadecimal digits; n must be even.
func randomHex(n int) string {
	b := make([]byte, n/2)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// randomKey returns a storage key in the shape of Mailgun's: URL-safe base64 with padding.
func randomKey() string {
	b := make([]byte, 40)
	rand.Read(b)
	return "AwABB" + base64.URLEncoding.EncodeToString(b)
}
