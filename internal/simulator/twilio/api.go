package twilio

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const apiVersion = "2010-04-01"

// maxForm bounds a request to the REST API, far above any text.
const maxForm = 1 << 20

// Page sizes of the list (https://www.twilio.com/docs/usage/twilios-response#pagination).
const (
	defaultPage = 50
	maxPage     = 1000
)

// handler serves the Messages resource
// (https://www.twilio.com/docs/messaging/api/message-resource).
func (t *Account) handler() http.Handler {
	const messages = "/" + apiVersion + "/Accounts/{account}/Messages"
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+messages+".json", t.createText)
	mux.HandleFunc("GET "+messages+".json", t.listTexts)
	mux.HandleFunc("GET "+messages+"/{file}", t.fetchText)
	mux.HandleFunc("DELETE "+messages+"/{file}", t.deleteText)
	mux.HandleFunc("GET /"+apiVersion+"/Accounts/{account}/IncomingPhoneNumbers.json", t.listNumbers)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { Refuse(w, 404, 20404) })
	account := "/" + apiVersion + "/Accounts/" + t.config.AccountSID + "/"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		slow := t.manners.Slow
		t.mu.Unlock()
		if !t.server.Pause(r.Context(), slow) {
			return
		}
		user, password, _ := r.BasicAuth()
		switch {
		case user != t.config.AccountSID || password != t.config.AuthToken:
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			Refuse(w, 401, 20003)
		case r.Method == http.MethodGet && r.URL.Path == strings.TrimSuffix(account, "/")+".json":
			t.showAccount(w)
		case strings.HasPrefix(r.URL.Path, "/v1/Services/"):
			t.showService(w, strings.TrimPrefix(r.URL.Path, "/v1/Services/"))
		case !strings.HasPrefix(r.URL.Path, account):
			Refuse(w, 404, 20404)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// createText serves POST Messages.json: 201 with the text as it was accepted.
func (t *Account) createText(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		Refuse(w, 400, 21604) // without a readable form there is no To
		return
	}
	t.mu.Lock()
	text, fault, lost := t.accept(r.PostForm)
	var created messageResource
	if text != nil {
		created = t.message(text)
	}
	t.mu.Unlock()
	if text == nil {
		Refuse(w, fault.status, fault.code)
		return
	}
	if lost {
		t.spawn(func() { t.deliver(text) })
		panic(http.ErrAbortHandler)
	}
	Respond(w, http.StatusCreated, created)
	http.NewResponseController(w).Flush() // the receipts leave after the response
	t.spawn(func() { t.deliver(text) })
}

// fetchText serves GET Messages/{sid}.json.
func (t *Account) fetchText(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.find(r.PathValue("file"))
	if text == nil {
		Refuse(w, 404, 20404)
		return
	}
	Respond(w, http.StatusOK, t.message(text))
}

// deleteText serves DELETE Messages/{sid}.json. The history keeps the text.
func (t *Account) deleteText(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.find(r.PathValue("file"))
	if text == nil {
		Refuse(w, 404, 20404)
		return
	}
	text.deleted = true
	w.WriteHeader(http.StatusNoContent)
}

// find returns the text of a file name such as SM….json, or nil. The caller holds mu.
func (t *Account) find(file string) *storedText {
	sid, ok := strings.CutSuffix(file, ".json")
	for _, text := range t.texts {
		if ok && text.SID == sid && !text.deleted {
			return text
		}
	}
	return nil
}

// listPage is one page of the list.
type listPage struct {
	Messages        []messageResource `json:"messages"`
	FirstPageURI    string            `json:"first_page_uri"`
	NextPageURI     *string           `json:"next_page_uri"`
	PreviousPageURI *string           `json:"previous_page_uri"` // always null: no client pages back
	Page            int               `json:"page"`
	PageSize        int               `json:"page_size"`
	Start           int               `json:"start"`
	End             int               `json:"end"`
	URI             string            `json:"uri"`
}

// listTexts serves GET Messages.json: both directions, newest first. The token of the next page
// names the last text of this one. So a text that arrives while a client pages repeats and hides
// no other.
func (t *Account) listTexts(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	filter, ok := parseFilter(query)
	if !ok {
		Refuse(w, 400, 20001)
		return
	}
	size, page := readPaging(query)
	result := listPage{Messages: []messageResource{}, Page: page, PageSize: size, Start: page * size,
		URI: r.URL.RequestURI()}
	result.FirstPageURI = pageURI(r.URL, size, 0, "")

	t.mu.Lock()
	defer t.mu.Unlock()
	visible := t.config.Now().Add(-t.manners.ListLag)
	after := strings.TrimPrefix(query.Get("PageToken"), "PA")
	started := after == ""
	for i := len(t.texts) - 1; i >= 0; i-- {
		text := t.texts[i]
		switch {
		case !started:
			started = text.SID == after
			continue
		case text.deleted || text.Time.After(visible) || !filter.match(text):
			continue
		}
		if len(result.Messages) == size {
			last := result.Messages[size-1].SID
			next := pageURI(r.URL, size, page+1, "PA"+last)
			result.NextPageURI = &next
			break
		}
		result.Messages = append(result.Messages, t.message(text))
	}
	result.End = result.Start + max(len(result.Messages)-1, 0)
	Respond(w, http.StatusOK, result)
}

// readPaging reads the size and the number of the page asked for; nonsense counts as not given.
func readPaging(query url.Values) (size, page int) {
	size, err := strconv.Atoi(query.Get("PageSize"))
	if err != nil || size < 1 {
		size = defaultPage
	}
	page, err = strconv.Atoi(query.Get("Page"))
	if err != nil || page < 0 || page > 1_000_000 {
		page = 0
	}
	return min(size, maxPage), page
}

// pageURI returns the path of another page of the same list; clients put the host in front.
func pageURI(list *url.URL, size, page int, token string) string {
	query := list.Query()
	query.Del("PageToken")
	query.Set("PageSize", strconv.Itoa(size))
	query.Set("Page", strconv.Itoa(page))
	if token != "" {
		query.Set("PageToken", token)
	}
	return list.Path + "?" + query.Encode()
}

// messageResource is a text in the words of the REST API.
type messageResource struct {
	Body            string            `json:"body"`
	NumSegments     string            `json:"num_segments"`
	Direction       string            `json:"direction"`
	From            *string           `json:"from"` // null until a service has chosen it
	DateUpdated     string            `json:"date_updated"`
	Price           *string           `json:"price"`
	ErrorMessage    *string           `json:"error_message"`
	URI             string            `json:"uri"`
	AccountSID      string            `json:"account_sid"`
	NumMedia        string            `json:"num_media"`
	To              string            `json:"to"`
	DateCreated     string            `json:"date_created"`
	Status          string            `json:"status"`
	SID             string            `json:"sid"`
	DateSent        *string           `json:"date_sent"`
	ServiceSID      *string           `json:"messaging_service_sid"`
	ErrorCode       *int              `json:"error_code"`
	PriceUnit       string            `json:"price_unit"`
	APIVersion      string            `json:"api_version"`
	SubresourceURIs map[string]string `json:"subresource_uris"`
}

// message describes a text as the REST API does. The caller holds mu.
func (t *Account) message(text *storedText) messageResource {
	uri := "/" + apiVersion + "/Accounts/" + t.config.AccountSID + "/Messages/" + text.SID
	m := messageResource{
		Body: text.Body, NumSegments: strconv.Itoa(segments(text.Body)), Direction: text.Direction,
		DateUpdated: formatDate(text.Time), URI: uri + ".json", AccountSID: t.config.AccountSID,
		NumMedia: "0",
		To:       text.To, DateCreated: formatDate(text.Time), Status: text.Status, SID: text.SID,
		APIVersion: apiVersion, SubresourceURIs: map[string]string{"media": uri + "/Media.json"},
	}
	if t.manners.Segments != 0 {
		m.NumSegments = strconv.Itoa(t.manners.Segments)
	}
	m.Price, m.PriceUnit = t.price(text, m.NumSegments)
	if text.Status == "accepted" {
		m.NumSegments = "0"
	} else {
		from := text.From
		m.From = &from
	}
	if text.ServiceSID != "" {
		service := text.ServiceSID
		m.ServiceSID = &service
	}
	if !text.sent.IsZero() {
		sent := formatDate(text.sent)
		m.DateSent, m.DateUpdated = &sent, sent
	}
	if text.ErrorCode != 0 {
		code := text.ErrorCode
		m.ErrorCode = &code
	}
	return m
}

// price is what a text cost, a negative amount, or null while that is not known, and its currency.
// The caller holds mu.
func (t *Account) price(text *storedText, segments string) (*string, string) {
	lag, unit := cmp.Or(t.manners.PriceLag, time.Minute), cmp.Or(t.manners.PriceUnit, "USD")
	if text.sent.IsZero() || t.config.Now().Sub(text.sent) < lag {
		return nil, unit
	}
	one, _ := strconv.ParseFloat(cmp.Or(t.manners.Price, "0.00750"), 64) // 0 for nonsense
	n, _ := strconv.Atoi(segments)                                       // of a number
	total := fmt.Sprintf("-%.5f", one*float64(n))
	return &total, unit
}

// errorMessages says in our words what the codes mean that a send can be refused with.
var errorMessages = map[int]string{
	20001: "A parameter is not valid", 20003: "Authenticate",
	20404: "The requested resource was not found",
	20429: "Too many requests", 21211: "'To' is not a phone number",
	21212: "'From' is not a phone number",
	21408: "The region of 'To' is not enabled", 21602: "A body is required",
	21603: "'From' or a service is required",
	21604: "'To' is required", 21606: "'From' does not belong to the account",
	21609: "'StatusCallback' is not a URL",
	21610: "The recipient has unsubscribed", 21611: "The queue of 'From' is full",
	21612: "'To' cannot be reached from 'From'",
	21614: "'To' is not a mobile number", 21617: "The body is longer than 1600 characters",
	21701: "The service does not exist",
}

// Refuse writes an error as Twilio's REST APIs do: JSON with the code, or an HTML page if the
// code is 0.
func Refuse(w http.ResponseWriter, status, code int) {
	if code == 0 {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>", status, http.StatusText(status))
		return
	}
	message := errorMessages[code]
	if message == "" {
		message = "Refused"
	}
	Respond(w, status, map[string]any{
		"code": code, "message": message, "status": status,
		"more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code),
	})
}

// Respond writes a response as Twilio's REST APIs do: a status and JSON.
func Respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a caller that has gone away is no fault of ours
}
