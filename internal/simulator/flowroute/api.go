package flowroute

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	maxPage     = 250      // texts on a page of the list
	maxForm     = 1 << 20  // bytes of a request that are read, far above any that is genuine
	maxResponse = 64 << 10 // bytes of a callback's response that are read
)

// Forms of a number: version 2.1 takes it without a plus, 2.2 takes E.164.
var (
	bareNumber = regexp.MustCompile(`^[1-9]\d{6,14}$`)
	e164       = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)
)

// handler serves https://developer.flowroute.com/api/messages/v2.1/.
func (f *Account) handler() http.Handler {
	mux := http.NewServeMux()
	for _, version := range []string{"v2.1", "v2.2"} {
		mux.HandleFunc("POST /"+version+"/messages", func(w http.ResponseWriter, r *http.Request) {
			f.send(w, r, version)
		})
		mux.HandleFunc("GET /"+version+"/messages", f.list)
		mux.HandleFunc("GET /"+version+"/messages/{id}", f.show)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		slow, status := f.manners.Slow, 0
		if f.manners.FailNext > 0 {
			f.manners.FailNext--
			if status = f.manners.FailStatus; status == 0 {
				status = http.StatusServiceUnavailable
			}
		}
		f.mu.Unlock()
		if !f.server.Pause(r.Context(), slow) {
			return
		}
		user, password, _ := r.BasicAuth()
		switch {
		case status != 0:
			refuse(w, status)
		case user != f.config.AccessKey || password != f.config.SecretKey:
			refuse(w, http.StatusUnauthorized)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// send serves POST messages: 202 with the id.
func (f *Account) send(w http.ResponseWriter, r *http.Request, version string) {
	var asked struct {
		To       string `json:"to"`
		From     string `json:"from"`
		Body     string `json:"body"`
		Callback string `json:"dlr_callback"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	form := bareNumber
	if version == "v2.2" {
		form = e164
	}
	text := Text{
		ID: newID(), From: "+" + withoutPlus(asked.From), To: "+" + withoutPlus(asked.To),
		Body: asked.Body, Callback: asked.Callback,
		Version: version,
	}
	f.mu.Lock()
	status := f.manners.Reject[text.To]
	if !form.MatchString(asked.To) || !form.MatchString(asked.From) || asked.Body == "" ||
		!slices.Contains(f.config.Numbers, text.From) {
		status = http.StatusUnprocessableEntity
	}
	lost := false
	if status == 0 {
		text.Time = f.config.Now()
		f.texts = append(f.texts, text)
		if lost = f.manners.LoseResponse > 0; lost {
			f.manners.LoseResponse--
		}
	}
	f.mu.Unlock()
	switch {
	case status != 0:
		refuse(w, status)
		return
	case lost:
		f.spawn(func() { f.deliver(text) })
		panic(http.ErrAbortHandler)
	}
	respond(w, http.StatusAccepted, map[string]any{"data": map[string]any{
		"id": text.ID, "type": "message",
		"links": map[string]string{"self": f.URL() + "/" + version + "/messages/" + text.ID},
	}})
	http.NewResponseController(w).Flush() // the receipts leave after the response
	f.spawn(func() { f.deliver(text) })
}

// list serves GET messages: both directions, newest first.
func (f *Account) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	start, err := time.Parse(time.RFC3339, query.Get("start_date"))
	limit, badLimit := strconv.Atoi(query.Get("limit"))
	offset, _ := strconv.Atoi(query.Get("offset"))
	if err != nil || badLimit != nil || limit < 1 || limit > maxPage || offset < 0 {
		refuse(w, http.StatusUnprocessableEntity)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	visible := f.config.Now().Add(-f.manners.ListLag)
	all := []resource{}
	for _, text := range slices.Backward(f.texts) {
		if !text.Time.Before(start) && !text.Time.After(visible) {
			all = append(all, f.describe(text))
		}
	}
	links := map[string]string{}
	page := all[min(offset, len(all)):]
	if len(page) > limit {
		page = page[:limit]
		next := url.Values{"start_date": {query.Get("start_date")}, "limit": {query.Get("limit")},
			"offset": {strconv.Itoa(offset + limit)}}
		links["next"] = f.URL() + r.URL.Path + "?" + next.Encode()
	}
	respond(w, http.StatusOK, map[string]any{"data": page, "links": links})
}

// show serves GET messages/{id}.
func (f *Account) show(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range f.texts {
		if text.ID == r.PathValue("id") {
			respond(w, http.StatusOK, message{Data: f.describe(text)})
			return
		}
	}
	refuse(w, http.StatusNotFound)
}

// message is a text as callbacks and the API carry it.
type message struct {
	Data resource `json:"data"`
}

type resource struct {
	Type       string     `json:"type"`
	ID         string     `json:"id"`
	Attributes attributes `json:"attributes"`
}

type attributes struct {
	Body            string    `json:"body"`
	Direction       string    `json:"direction"`
	From            string    `json:"from"`
	To              string    `json:"to"`
	Timestamp       time.Time `json:"timestamp"`
	Status          string    `json:"status"`
	IsMMS           bool      `json:"is_mms"`
	MessageEncoding int       `json:"message_encoding"`
	MessageType     string    `json:"message_type"`
	AmountDisplay   string    `json:"amount_display"`
	AmountNano      int       `json:"amount_nanodollars"`
	Receipts        []any     `json:"delivery_receipts"`
}

// receipt is the attributes of a delivery receipt.
type receipt struct {
	Body        string    `json:"body"`
	Level       int       `json:"level"`
	Status      string    `json:"status"`
	Code        *int      `json:"status_code"`
	Description string    `json:"status_code_description"`
	Timestamp   time.Time `json:"timestamp"`
}

func (f *Account) describe(text Text) resource {
	direction := "outbound"
	if text.Inbound {
		direction = "inbound"
	}
	return resource{"message", text.ID, attributes{
		Body: text.Body, Direction: direction, From: withoutPlus(text.From), To: withoutPlus(text.To),
		Timestamp: text.Time.UTC(), Status: "delivered",
		MessageType: "longcode", AmountDisplay: "$0.0040", AmountNano: 4_000_000, Receipts: []any{},
	}}
}

// call posts a callback, again after each of the waits until the response is 200, and returns
// the last attempt.
func (f *Account) call(ctx context.Context, target string, payload any) Hook {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.ctx, cancel)()
	body, _ := json.Marshal(payload) // shapes of our own
	for attempt := 0; ; attempt++ {
		hook := Hook{URL: target, Body: string(body), Status: f.post(ctx, target, body)}
		f.mu.Lock()
		f.hooks = append(f.hooks, hook)
		f.mu.Unlock()
		if hook.Status == http.StatusOK || attempt == len(f.config.ResendAfter) {
			return hook
		}
		if !f.server.Pause(ctx, f.config.ResendAfter[attempt]) {
			return hook
		}
	}
}

func (f *Account) post(ctx context.Context, target string, body []byte) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := f.client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, maxResponse))
	return response.StatusCode
}

// refuse responds with an error in Flowroute's form.
func refuse(w http.ResponseWriter, status int) {
	respond(w, status, map[string]any{"errors": []map[string]any{
		{"id": randomHex(), "status": status, "title": http.StatusText(status),
			"detail": "The request was refused"},
	}})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/vnd.api+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a caller that has gone away is no fault of ours
}
