package mailgun

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// serveAPI is the API host.
func (m *Account) serveAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/routes", m.listRoutes)
	mux.HandleFunc("POST /v3/routes", m.createRoute)
	mux.HandleFunc("GET /v3/routes/match", m.matchRoute)
	mux.HandleFunc("GET /v3/routes/{id}", m.showRoute)
	mux.HandleFunc("PUT /v3/routes/{id}", m.updateRoute)
	mux.HandleFunc("DELETE /v3/routes/{id}", m.deleteRoute)
	// A pattern that ends in /events would overlap /v3/routes/{id}.
	mux.HandleFunc("GET /v3/{domain}/{list}", m.listEvents)
	mux.HandleFunc("GET /v3/{domain}/events/{page}", m.showEventPage)
	const stored = "/v3/domains/{domain}/messages/{key}"
	mux.HandleFunc(stored, func(w http.ResponseWriter, _ *http.Request) {
		// mailgun-go issue 64: a storage URL rebuilt on the API host is refused.
		respond(w, http.StatusBadRequest, "Use the message URL as given in events and webhooks")
	})
	mux.HandleFunc("/", notFound)
	return m.guard(mux)
}

// serveStorage is the storage host.
func (m *Account) serveStorage() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/domains/{domain}/messages/{key}", m.showStored)
	mux.HandleFunc("DELETE /v3/domains/{domain}/messages/{key}", m.deleteStored)
	mux.HandleFunc("GET /v3/domains/{domain}/messages/{key}/attachments/{n}", m.showAttachment)
	mux.HandleFunc("/", notFound)
	return m.guard(mux)
}

// guard responds slowly, with a failure, or only to requests with the key, before anything else
// is looked at.
func (m *Account) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slow := m.currentManners().Slow; slow > 0 && !m.pause(slow) {
			return
		}
		if status := m.takeFailure(); status != 0 {
			message := http.StatusText(status)
			if status == http.StatusTooManyRequests {
				message = "Rate limit of 300 requests per minute exceeded, retry after 60 seconds"
			}
			respond(w, status, message)
			return
		}
		if user, key, ok := r.BasicAuth(); !ok || user != "api" || key != m.config.APIKey {
			http.Error(w, "Forbidden", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// takeFailure uses up one of the requests to fail and returns its status, 0 for none.
func (m *Account) takeFailure() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.manners.FailNext <= 0 {
		return 0
	}
	m.manners.FailNext--
	if m.manners.FailStatus == 0 {
		return http.StatusInternalServerError
	}
	return m.manners.FailStatus
}

// find returns the stored mail that the request's path names, if it can still be retrieved.
func (m *Account) find(r *http.Request) (keptMail, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.stored, func(s keptMail) bool {
		return s.Key == r.PathValue("key") && s.Domain == strings.ToLower(r.PathValue("domain"))
	})
	if i < 0 || m.expired(m.stored[i]) {
		return keptMail{}, false
	}
	return m.stored[i], true
}

// showStored serves a stored mail as JSON, with its MIME text on Accept: message/rfc2822.
func (m *Account) showStored(w http.ResponseWriter, r *http.Request) {
	stored, ok := m.find(r)
	switch {
	case !ok:
		respond(w, http.StatusNotFound, "Message not found")
	case r.Header.Get("Accept") == "message/rfc2822":
		respondJSON(w, append(stored.envelope(), member{"body-mime", string(stored.MIME)}))
	default:
		respondJSON(w, stored.document(m.currentManners().HeaderCollisions))
	}
}

// deleteStored deletes a stored mail, or pretends that the method is gone: the reference no
// longer has it.
func (m *Account) deleteStored(w http.ResponseWriter, r *http.Request) {
	stored, ok := m.find(r)
	status := m.currentManners().DeleteStatus
	switch {
	case status == http.StatusMethodNotAllowed:
		respond(w, status, "Method Not Allowed")
	case status == http.StatusNotFound || !ok:
		respond(w, http.StatusNotFound, "Message not found")
	default:
		m.mu.Lock()
		m.stored = slices.DeleteFunc(m.stored, func(s keptMail) bool { return s.Key == stored.Key })
		m.mu.Unlock()
		respond(w, http.StatusOK, "Message has been deleted")
	}
}

// showAttachment serves the bytes of one attachment.
func (m *Account) showAttachment(w http.ResponseWriter, r *http.Request) {
	stored, ok := m.find(r)
	n, err := strconv.Atoi(r.PathValue("n"))
	if !ok || err != nil || n < 0 || n >= len(stored.mail.attachments) {
		respond(w, http.StatusNotFound, "Attachment not found")
		return
	}
	attachment := stored.mail.attachments[n]
	w.Header().Set("Content-Type", attachment.contentType)
	_, _ = w.Write(attachment.data)
}

// envelope is what both forms of a stored mail begin with.
func (s keptMail) envelope() object {
	return object{
		{"recipients", strings.Join(s.Recipients, ", ")},
		{"sender", s.Sender},
		{"from", s.mail.header("From")},
		{"subject", s.mail.header("Subject")},
	}
}

// document is the JSON form of a stored mail. There is no message-url in it.
func (s keptMail) document(collisions bool) object {
	stripped := s.mail.stripped()
	control := append(s.envelope(),
		member{"body-plain", s.mail.plain},
		member{"body-html", s.mail.html()},
		member{"stripped-text", stripped.text},
		member{"stripped-html", stripped.html},
		member{"stripped-signature", stripped.signature},
		member{"attachments", s.mail.attachmentList(s.URL)},
		member{"content-id-map", s.mail.contentIDMap(s.URL)},
		member{"message-headers", s.mail.headerPairs()},
	)
	var headers object
	usual := []string{
		"Content-Transfer-Encoding", "Content-Type", "From", "To", "Subject", "Message-Id",
		"Mime-Version", "Date", "Received",
	}
	for _, h := range s.mail.headers {
		repeated := slices.ContainsFunc(headers, func(m member) bool { return m.name == h.name })
		wanted := collisions || slices.Contains(usual, h.name) || strings.HasPrefix(h.name, "X-Mailgun-")
		if wanted && !repeated {
			headers = append(headers, member{h.name, h.value})
		}
	}
	if collisions {
		return append(control, headers...)
	}
	return append(headers, control...)
}

// attachmentInfo describes an attachment of a stored mail.
type attachmentInfo struct {
	URL         string `json:"url"`
	ContentType string `json:"content-type"`
	Name        string `json:"name"`
	Size        int    `json:"size"` // bytes
}

// attachmentList describes the attachments of a mail stored at that URL.
func (mail *parsedMail) attachmentList(storedURL string) []attachmentInfo {
	list := []attachmentInfo{}
	for i, a := range mail.attachments {
		at := storedURL + "/attachments/" + strconv.Itoa(i)
		list = append(list, attachmentInfo{URL: at, ContentType: a.contentType, Name: a.name,
			Size: len(a.data)})
	}
	return list
}

// contentIDMap is the attachments that have a Content-Id, by it.
func (mail *parsedMail) contentIDMap(storedURL string) map[string]attachmentInfo {
	byID := map[string]attachmentInfo{}
	for i, info := range mail.attachmentList(storedURL) {
		if id := mail.attachments[i].contentID; id != "" {
			byID[id] = info
		}
	}
	return byID
}

// object is a JSON object that keeps its order, since a careless decoder takes the last of two
// names.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, member := range o {
		value, err := json.Marshal(member.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, jsonText(member.name)...)
		out = append(append(out, ':'), value...)
	}
	return append(out, '}'), nil
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusNotFound, "Not Found")
}

// respond writes a response with a status and {"message": …}.
func respond(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// respondJSON writes a response with status 200 and a JSON document.
func respondJSON(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}
