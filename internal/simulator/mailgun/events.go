package mailgun

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eventEntry is one entry of the events API: "accepted" for each recipient of a mail, "stored"
// for each stored mail.
type eventEntry struct {
	id, kind, domain string
	at, visible      time.Time
	recipients       []string
	from, to         string // header fields
	subject          string
	messageID        string // without angle brackets
	size             int    // bytes
	attachments      []attachmentInfo
	stored           *StoredMail // nil unless stored
}

// eventQuery is what a page of events is asked for; it is also, encoded, the page's address.
type eventQuery struct {
	Begin, End int64 // Unix microseconds, inclusive; Begin is the earlier; 0 is open
	Descending bool
	Limit      int
	Filters    map[string]string
	Skip       int // events before the page; as far below 0 as the page begins before the first event
}

// page returns the query as the last element of a paging URL.
func (q eventQuery) page() string {
	return base64.RawURLEncoding.EncodeToString([]byte(jsonText(q)))
}

// record adds an event. The lock must be held.
func (m *Account) record(
	kind, domain string, now time.Time, recipients []string, mail *parsedMail, stored *StoredMail,
) {
	event := eventEntry{
		id: base64.RawURLEncoding.EncodeToString([]byte(randomHex(16))), kind: kind, domain: domain,
		at: now, visible: now.Add(m.manners.EventLag), recipients: recipients,
		from: mail.header("From"), to: mail.header("To"), subject: mail.header("Subject"),
		messageID: strings.Trim(mail.header("Message-Id"), "<> "), size: len(mail.mime), stored: stored,
	}
	if stored != nil {
		event.attachments = mail.attachmentList(stored.URL)
	}
	m.events = newest(append(m.events, event))
}

// document is the event as the API shows it.
func (e eventEntry) document() object {
	attachments := []object{}
	for _, a := range e.attachments {
		attachments = append(attachments, object{{"filename", a.Name}, {"content-type", a.ContentType},
			{"size", a.Size}})
	}
	about := object{
		{"headers", object{{"to", e.to}, {"message-id", e.messageID}, {"from", e.from},
			{"subject", e.subject}}},
		{"attachments", attachments},
		{"recipients", e.recipients},
		{"size", e.size},
	}
	doc := object{
		{"event", e.kind},
		{"id", e.id},
		{"timestamp", float64(e.at.UnixMicro()) / 1e6},
		{"log-level", "info"},
		{"flags", map[string]bool{"is-test-mode": false}},
		{"message", about},
		{"campaigns", []string{}},
		{"tags", []string{}},
		{"user-variables", map[string]string{}},
	}
	if e.stored == nil {
		return append(doc, member{"recipient", e.recipients[0]})
	}
	return append(doc, member{"storage", object{{"url", e.stored.URL}, {"key", e.stored.Key}}})
}

// listEvents serves the first page: GET
// /v3/{domain}/events?begin=&end=&ascending=&limit=&(filters).
func (m *Account) listEvents(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("list") != "events" {
		notFound(w, r)
		return
	}
	query, err := parseEventQuery(r.URL.Query(), m.config.Now())
	if err != nil {
		respond(w, http.StatusBadRequest, err.Error())
		return
	}
	m.respondEvents(w, r, query)
}

// showEventPage serves the page that an earlier response pointed to.
func (m *Account) showEventPage(w http.ResponseWriter, r *http.Request) {
	query, err := parseEventPage(r.PathValue("page"))
	if err != nil {
		respond(w, http.StatusBadRequest, err.Error())
		return
	}
	m.respondEvents(w, r, query)
}

// respondEvents writes one page. All paging URLs are always there; the page after the last and
// the one before the first are empty.
func (m *Account) respondEvents(w http.ResponseWriter, r *http.Request, query eventQuery) {
	domain := strings.ToLower(r.PathValue("domain"))
	if !m.serves(domain) {
		respond(w, http.StatusNotFound, "Domain not found: "+domain)
		return
	}
	events := m.matching(domain, query)
	from := min(max(query.Skip, 0), len(events))
	to := min(max(query.Skip+query.Limit, 0), len(events))
	items := []object{}
	for _, e := range events[from:to] {
		items = append(items, e.document())
	}
	page := func(skip int) string {
		query.Skip = skip
		return m.api.URL() + "/v3/" + domain + "/events/" + query.page()
	}
	respondJSON(w, object{{"items", items}, {"paging", map[string]string{
		"next":     page(to),
		"previous": page(max(from-query.Limit, -query.Limit)),
		"first":    page(0),
		"last":     page(max(0, len(events)-1) / query.Limit * query.Limit),
	}}})
}

// matching returns the events of a query, all pages of them, in its order.
func (m *Account) matching(domain string, query eventQuery) []eventEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.config.Now()
	var events []eventEntry
	for _, e := range m.events {
		at := e.at.UnixMicro()
		inTime := at >= query.Begin && (query.End == 0 || at <= query.End) && !e.visible.After(now)
		if inTime && e.domain == domain && e.passes(query.Filters) {
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b eventEntry) int { return a.at.Compare(b.at) })
	if query.Descending {
		slices.Reverse(events)
	}
	if m.manners.EventsOutOfOrder {
		for i := 1; i < len(events); i += 2 {
			events[i-1], events[i] = events[i], events[i-1]
		}
	}
	return events
}

// parseEventQuery reads the parameters of a first page. From begin to an earlier end runs
// newest first, as does a query without begin. An unknown parameter is refused, so that a
// misspelled filter can not match everything.
func parseEventQuery(values url.Values, now time.Time) (eventQuery, error) {
	query := eventQuery{Limit: 100, Filters: map[string]string{}}
	begin, err1 := parseTime(values.Get("begin"))
	end, err2 := parseTime(values.Get("end"))
	if err1 != nil || err2 != nil {
		return query, errors.New("'begin' or 'end' is neither an RFC 2822 date nor Unix seconds")
	}
	for name := range values {
		switch {
		case slices.Contains([]string{"begin", "end", "ascending", "limit", "pretty"}, name):
		case slices.Contains(eventFilters(), name):
			query.Filters[name] = values.Get(name)
		default:
			return query, fmt.Errorf("unknown parameter %q", name)
		}
	}
	if s := values.Get("limit"); s != "" {
		limit, err := strconv.Atoi(s)
		if err != nil || limit < 1 || limit > 300 {
			return query, errors.New("'limit' must be from 1 to 300")
		}
		query.Limit = limit
	}
	ascending := values.Get("ascending")
	if ascending != "" && ascending != "yes" && ascending != "no" {
		return query, errors.New("'ascending' must be yes or no")
	}
	switch {
	case begin != 0 && end != 0:
		query.Descending = begin > end
		if ascending != "" && query.Descending == (ascending == "yes") {
			return query, errors.New("'ascending' contradicts 'begin' and 'end'")
		}
		query.Begin, query.End = min(begin, end), max(begin, end)
	case begin != 0 && ascending == "":
		return query, errors.New("'ascending' is required without 'end'")
	case ascending == "yes":
		query.Begin, query.End = begin, end
	default:
		query.Descending = true
		query.Begin, query.End = end, begin
		if begin == 0 {
			query.End = now.UnixMicro()
		}
	}
	return query, nil
}

// parseEventPage reads what page wrote.
func parseEventPage(page string) (eventQuery, error) {
	var query eventQuery
	b, err := base64.RawURLEncoding.DecodeString(page)
	if err == nil {
		err = json.Unmarshal(b, &query)
	}
	bad := query.Limit < 1 || query.Limit > 300 || query.Skip < -query.Limit ||
		query.Skip > keptHistory
	for name := range maps.Keys(query.Filters) {
		bad = bad || !slices.Contains(eventFilters(), name)
	}
	if err != nil || bad {
		return eventQuery{}, errors.New("the page is not one of ours")
	}
	return query, nil
}

// parseTime reads an RFC 2822 date or Unix seconds into Unix microseconds; "" is 0.
func parseTime(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		if !(seconds > 0 && seconds < 1e11) {
			return 0, errors.New("out of range")
		}
		return int64(seconds * 1e6), nil
	}
	t, err := mail.ParseDate(s)
	return t.UnixMicro(), err
}

// eventFilters are the fields events can be filtered by (documentation.mailgun.com, events).
func eventFilters() []string {
	return []string{
		"event", "list", "attachment", "from", "message-id", "subject", "to", "size", "recipient",
		"recipients", "tags", "severity",
	}
}

// passes says whether the event fits all filters.
func (e eventEntry) passes(filters map[string]string) bool {
	for name, expression := range filters {
		if !filterMatches(expression, func(term string) bool { return e.has(name, term) }) {
			return false
		}
	}
	return true
}

// filterMatches evaluates a filter expression: terms, quoted or not, joined by AND, OR and NOT;
// AND binds tighter.
func filterMatches(expression string, has func(term string) bool) bool {
	for alternative := range strings.SplitSeq(expression, " OR ") {
		all := true
		for term := range strings.SplitSeq(alternative, " AND ") {
			term, negated := strings.CutPrefix(strings.TrimSpace(term), "NOT ")
			all = all && has(strings.Trim(strings.TrimSpace(term), `"`)) != negated
		}
		if all {
			return true
		}
	}
	return false
}

// has compares one field with one term, ignoring case: addresses and names as a whole, the
// subject by part. No event here has a list, tags or a severity.
func (e eventEntry) has(field, term string) bool {
	is := func(s string) bool { return strings.EqualFold(s, term) }
	switch field {
	case "event":
		return is(e.kind)
	case "message-id":
		return is(e.messageID)
	case "recipient": // of a stored event, Mailgun knows recipients only
		return e.stored == nil && slices.ContainsFunc(e.recipients, is)
	case "recipients":
		return e.stored != nil && slices.ContainsFunc(e.recipients, is)
	case "from":
		return slices.ContainsFunc(addressesOf(e.from), is)
	case "to":
		return slices.ContainsFunc(addressesOf(e.to), is)
	case "subject":
		return strings.Contains(strings.ToLower(e.subject), strings.ToLower(term))
	case "attachment":
		return slices.ContainsFunc(e.attachments, func(a attachmentInfo) bool { return is(a.Name) })
	case "size":
		return e.hasSize(term)
	default:
		return false
	}
}

// hasSize compares the size in bytes with a number, or with ">number" or "<number".
func (e eventEntry) hasSize(term string) bool {
	n, err := strconv.Atoi(strings.TrimLeft(term, "<>"))
	switch {
	case err != nil:
		return false
	case strings.HasPrefix(term, ">"):
		return e.size > n
	case strings.HasPrefix(term, "<"):
		return e.size < n
	default:
		return e.size == n
	}
}

// addressesOf returns the addresses of a header field, or the field itself if it has none.
func addressesOf(header string) []string {
	list, err := mail.ParseAddressList(header)
	if err != nil {
		return []string{header}
	}
	addresses := make([]string, len(list))
	for i, a := range list {
		addresses[i] = a.Address
	}
	return addresses
}
