package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/simulator/loopback"
)

// fakes play the providers. They know less than internal/simulator, keep no history, and so cost
// the machine little.
type fakes struct {
	server  *loopback.Server
	dns     *dns.Server
	mailbox *mailbox
	latency time.Duration

	mu      sync.Mutex
	phones  map[int]*phone
	texts   int       // so many in all
	doubled int       // texts that a phone had twice
	last    time.Time // when the last one was asked for
	gate    chan struct{}
	held    atomic.Int64 // requests that wait behind the gate
}

// phone is what one phone has seen.
type phone struct {
	texts []text
	click time.Time
	news  chan struct{} // closed when something happens
}

type text struct {
	body string
	at   time.Time
}

// openFakes opens the providers, which keep the secrets.
func openFakes(s secrets, o options) (*fakes, error) {
	server, err := loopback.Open("")
	if err != nil {
		return nil, err
	}
	f := &fakes{server: server, latency: o.Latency, phones: map[int]*phone{}}
	if f.dns, err = dns.Open(); err == nil {
		err = f.dns.SetTXT(s.dkimRecord())
	}
	if err != nil {
		f.close()
		return nil, err
	}
	f.mailbox = newMailbox(s, o.Sender == "dkim", server.URL(), server.URL())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", f.takeText)
	mux.HandleFunc("GET "+storagePath+"{n}", f.giveMail)
	mux.HandleFunc("DELETE "+storagePath+"{n}", f.dropMail)
	mux.HandleFunc("GET /lo/verify_email", f.verify)
	server.Serve(mux)
	return f, nil
}

func (f *fakes) close() {
	f.open()
	f.server.Close()
	if f.dns != nil {
		_ = f.dns.Close() // it serves this process alone
	}
}

// forget begins anew: no phone has seen anything.
func (f *fakes) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.phones, f.texts, f.doubled = map[int]*phone{}, 0, 0
}

// hold lets no provider respond until open is called.
func (f *fakes) hold() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate = make(chan struct{})
}

func (f *fakes) open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gate != nil {
		close(f.gate)
		f.gate = nil
	}
}

// slow lets a provider's time pass, and says false if the caller has gone meanwhile.
func (f *fakes) slow(ctx context.Context) bool {
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		f.held.Add(1)
		defer f.held.Add(-1)
		select {
		case <-gate:
		case <-ctx.Done():
			return false
		}
	}
	return f.latency == 0 || pause(ctx, f.latency)
}

// seen changes what a phone has seen. The caller does not hold mu.
func (f *fakes) seen(n int, change func(p *phone)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.phone(n)
	change(p)
	close(p.news)
	p.news = make(chan struct{})
}

// phone returns one that may be new. The caller holds mu.
func (f *fakes) phone(n int) *phone {
	p := f.phones[n]
	if p == nil {
		p = &phone{news: make(chan struct{})}
		f.phones[n] = p
	}
	return p
}

// await waits until a phone has seen so many texts, and clicks if it must, and returns a copy.
func (f *fakes) await(ctx context.Context, n, texts int, click bool) (phone, error) {
	for {
		f.mu.Lock()
		p := *f.phone(n)
		f.mu.Unlock()
		if len(p.texts) >= texts && (!click || !p.click.IsZero()) {
			return p, nil
		}
		select {
		case <-p.news:
		case <-ctx.Done():
			return p, fmt.Errorf("flow %d has %d of %d texts: %w", n, len(p.texts), texts,
				context.Cause(ctx))
		}
	}
}

// counted is how many texts were asked for, and when the last.
func (f *fakes) counted() (texts, phones int, last time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.phones {
		if len(p.texts) > 0 {
			phones++
		}
	}
	return f.texts, phones, f.last
}

// repeated is how many texts a phone had twice.
func (f *fakes) repeated() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.doubled
}

// takeText is Twilio's API
// (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource).
func (f *fakes) takeText(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	to, body := r.PostFormValue("To"), r.PostFormValue("Body")
	n, ok := numberOf(to)
	if !ok || body == "" {
		http.Error(w, `{"code":21211,"status":400}`, http.StatusBadRequest)
		return
	}
	f.seen(n, func(p *phone) { f.take(p, text{body, at}) })
	if !f.slow(r.Context()) {
		return
	}
	respond(w, http.StatusCreated, map[string]any{
		"sid": "SM" + randomHex(16), "status": "queued", "to": to, "from": ourNumber, "body": body,
		"account_sid": r.PathValue("account"), "num_segments": "1", "direction": "outbound-api",
		"date_created": at.UTC().Format(time.RFC1123Z), "error_code": nil, "error_message": nil,
	})
}

// take counts a text to a phone. The caller holds mu.
func (f *fakes) take(p *phone, taken text) {
	for _, t := range p.texts {
		if t.body == taken.body {
			f.doubled++
		}
	}
	p.texts = append(p.texts, taken)
	f.texts, f.last = f.texts+1, taken.at
}

// giveMail is Mailgun's storage.
func (f *fakes) giveMail(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if !f.slow(r.Context()) {
		return
	}
	whole := strings.Contains(r.Header.Get("Accept"), "rfc2822")
	body, err := f.mailbox.stored(n, whole, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

func (f *fakes) dropMail(w http.ResponseWriter, r *http.Request) {
	if f.slow(r.Context()) {
		respond(w, http.StatusOK, map[string]any{"message": "Message has been deleted"})
	}
}

// verify is Auth0's Classic page, which one GET of a link confirms.
func (f *fakes) verify(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	n, ok := ticketNumber(r.URL.Query().Get("ticket"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	f.seen(n, func(p *phone) { p.click = at })
	if !f.slow(r.Context()) {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>Email verification</title></head>" +
		"<body><h1>Email verification</h1><p>Your email was verified. " +
		"You can continue using the application.</p></body></html>\n"))
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a reader that has gone away is no fault of ours
}
