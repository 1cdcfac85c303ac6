// Package flowroute plays a Flowroute account: the Messaging API in versions 2.1 and 2.2, with
// its receipts and replies. The tests of the bridge use it. No demo shows it.
//
// What the real Flowroute may do is a knob of [Manners]. Requests fail, are slow, or lose their
// response. Texts are refused or not delivered. Receipts and replies are repeated, receipts are
// missing, and replies have the payload of version 2. The list shows a text late.
//
// Source: https://developer.flowroute.com/api/messages/v2.1/.
package flowroute

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"smsbridge/internal/simulator/loopback"
)

// Config says which pretend account [Open] opens.
type Config struct {
	// Addr is the loopback host:port to listen on; empty means 127.0.0.1:0, a free port.
	Addr string
	// AccessKey and SecretKey are the credentials.
	AccessKey, SecretKey string
	// Numbers are the senders of the account in E.164.
	Numbers []string
	// ReplyURL is called when a phone texts one of the numbers. Empty: no URL is called. Like
	// every URL that is called it must lead to loopback; calls elsewhere fail to connect.
	ReplyURL string
	// ResendAfter are the waits before a callback without a 200 is posted again; nil means four of
	// 30 s.
	ResendAfter []time.Duration
	// Now is the clock of dates and of the list's lag; nil means time.Now.
	Now func() time.Time
}

// Manners are the ways in which the pretend Flowroute misbehaves; the zero value is polite.
type Manners struct {
	// FailNext refuses that many requests with FailStatus (0 means 503), before they are looked at.
	FailNext, FailStatus int
	// LoseResponse accepts that many texts and then cuts the connection instead of responding.
	LoseResponse int
	// Reject refuses a send to one of these numbers, in E.164, with the status.
	Reject map[string]int
	// Undelivered has texts to these numbers never arrive.
	Undelivered map[string]bool
	// DuplicateReceipts posts each receipt twice, DropReceipts posts none, DuplicateReplies posts
	// each reply twice.
	DuplicateReceipts, DropReceipts, DuplicateReplies bool
	// Legacy posts replies in the flat shape of version 2.
	Legacy bool
	// ListLag hides a text from the list until it is that old.
	ListLag time.Duration
	// Slow delays every response of the API.
	Slow time.Duration
}

// Text is one SMS as the pretend Flowroute knows it.
type Text struct {
	ID, From, To, Body string // numbers in E.164
	Inbound            bool
	Callback           string // as asked for, or empty
	Version            string // of the API through which it was sent
	Time               time.Time
}

// Hook is one request that the pretend Flowroute made; a resend is another one.
type Hook struct {
	URL    string
	Body   string
	Status int // of the response, 0 if there was none
}

// Account is a pretend Flowroute account: the Messaging API in versions 2.1 and 2.2 with its
// callbacks. Everything is held in memory until Close. Safe for use by several goroutines.
type Account struct {
	config Config
	server *loopback.Server
	client *http.Client
	ctx    context.Context // done when Close is called

	mu      sync.Mutex
	closed  bool
	work    sync.WaitGroup // posts of callbacks
	manners Manners
	texts   []Text // both directions, in the order of acceptance
	hooks   []Hook
}

// Open starts a pretend Flowroute. The caller must Close it. It returns an error if the address
// is not on loopback or not free, or if a number is not in E.164.
func Open(config Config) (*Account, error) {
	for i, number := range config.Numbers {
		if !e164.MatchString(number) {
			return nil, fmt.Errorf("simulator: Flowroute number %d of %d is not in E.164",
				i+1, len(config.Numbers))
		}
	}
	if config.ResendAfter == nil {
		config.ResendAfter = []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second,
			30 * time.Second}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	server, err := loopback.Open(config.Addr)
	if err != nil {
		return nil, err
	}
	f := &Account{config: config, server: server, ctx: server.Context()}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: loopback.Control}
	f.client = &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext,
			ResponseHeaderTimeout: 15 * time.Second},
		CheckRedirect: loopback.NoRedirect,
	}
	server.Serve(f.handler())
	return f, nil
}

// URL returns the base URL, in place of https://api.flowroute.com, without a final slash.
func (f *Account) URL() string { return f.server.URL() }

// Close stops the server and waits for callbacks that are being posted; those are cut short.
func (f *Account) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.server.Close()
	f.work.Wait()
	f.client.CloseIdleConnections()
}

// Set changes the manners. The function runs under a lock: it must not call other methods of f,
// nor keep its argument.
func (f *Account) Set(change func(*Manners)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.manners)
}

// Texts returns all texts so far, both directions, oldest first.
func (f *Account) Texts() []Text {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.texts)
}

// Inbox returns the texts that the phone has received, oldest first.
func (f *Account) Inbox(phone string) []Text {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.texts), func(text Text) bool {
		return text.Inbound || text.To != phone || f.manners.Undelivered[phone]
	})
}

// Hooks returns the requests made so far, oldest first, each once its response is in.
func (f *Account) Hooks() []Hook {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.hooks)
}

// Reply has a phone text one of the account's numbers, and returns once the reply URL has
// responded with 200 or Flowroute has given up: the last attempt, or the zero Hook if no reply
// URL is set. It returns an error if the number is not the account's or ctx is done.
func (f *Account) Reply(ctx context.Context, phone, number, body string) (Hook, error) {
	if !slices.Contains(f.config.Numbers, number) {
		return Hook{}, errors.New("simulator: reply to a number that is not the account's")
	}
	f.mu.Lock()
	manners := f.manners
	text := Text{ID: newID(), From: phone, To: number, Body: body, Inbound: true, Time: f.config.Now()}
	f.texts = append(f.texts, text)
	f.mu.Unlock()
	if f.config.ReplyURL == "" {
		return Hook{}, nil
	}
	var payload any = message{Data: f.describe(text)}
	if manners.Legacy {
		payload = map[string]string{"to": withoutPlus(number), "from": withoutPlus(phone), "body": body,
			"id": text.ID}
	}
	hook := f.call(ctx, f.config.ReplyURL, payload)
	if manners.DuplicateReplies {
		f.call(ctx, f.config.ReplyURL, payload)
	}
	return hook, ctx.Err()
}

// spawn runs work in the background until Close, which waits for it.
func (f *Account) spawn(work func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.work.Go(work)
	}
}

// deliver posts the receipts of a text: that it was handed on, that the carrier has it, and how
// it ended.
func (f *Account) deliver(text Text) {
	f.mu.Lock()
	manners := f.manners
	f.mu.Unlock()
	if text.Callback == "" || manners.DropReceipts {
		return
	}
	buffered, done := 1003, 0
	receipts := []receipt{
		{Level: 1, Status: "smsc submit", Description: "Message has been sent"},
		{Level: 2, Status: "message buffered", Code: &buffered,
			Description: "Message accepted by Carrier"},
		{Level: 2, Status: "delivered", Code: &done, Description: "Message delivered"},
	}
	if manners.Undelivered[text.To] {
		failed := 1004
		receipts[2] = receipt{Level: 2, Status: "undelivered", Code: &failed,
			Description: "Message not delivered"}
	}
	for _, receipt := range receipts {
		receipt.Timestamp, receipt.Body = f.config.Now().UTC(), text.Body
		payload := map[string]any{"data": map[string]any{
			"type": "delivery_receipt", "id": text.ID, "attributes": receipt,
			"links": map[string]string{"related": f.URL() + "/v2.1/messages/" + text.ID},
		}}
		f.call(f.ctx, text.Callback, payload)
		if manners.DuplicateReceipts {
			f.call(f.ctx, text.Callback, payload)
		}
	}
}

func newID() string { return "mdr2-" + randomHex() }

// randomHex returns 32 random hexadecimal digits.
func randomHex() string {
	var random [16]byte
	rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

func withoutPlus(number string) string { return strings.TrimPrefix(number, "+") }
