package idp

import (
	"encoding/json"
	"mime"
	"net/http"
)

// api is a POST with JSON that redeems a ticket.
type api struct {
	pattern string // of the route, without the method
	// secret returns the secret in a request whose body has these strings, or false if the request
	// is not as it must be.
	secret  func(i *Server, r *http.Request, body map[string]string) (string, bool)
	respond func(w http.ResponseWriter, k *ticket, o outcome)
}

// scriptPage serves the page of a link that only a script in it redeems. Nothing happens,
// whatever the link has.
func scriptPage(_ *Server, w http.ResponseWriter, _ *http.Request, _ *ticket) {
	showPage(w, http.StatusOK, pageView{Title: "Loading", Script: true})
}

// serveAPI serves a request to the API of one provider.
func (i *Server) serveAPI(w http.ResponseWriter, r *http.Request, p *profile) {
	body, ok := readJSON(w, r)
	if !ok {
		return
	}
	secret, ok := p.api.secret(i, r, body)
	if !ok {
		respondJSON(w, http.StatusUnauthorized,
			map[string]any{"message": "the request is not as it must be"})
		return
	}
	i.mu.Lock()
	k := i.tickets[secret]
	if k == nil || k.provider != p {
		k = &ticket{provider: p}
	}
	o := i.redeem(k)
	i.mu.Unlock()
	p.api.respond(w, k, o)
}

// readJSON returns the strings of a JSON object that was sent as such. Otherwise it responds to
// the request and returns false.
func readJSON(w http.ResponseWriter, r *http.Request) (map[string]string, bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		respondJSON(w, http.StatusUnsupportedMediaType,
			map[string]any{"message": "the body must be application/json"})
		return nil, false
	}
	var body map[string]any
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&body); err != nil {
		respondJSON(w, http.StatusBadRequest, map[string]any{"message": "the body is not a JSON object"})
		return nil, false
	}
	texts := make(map[string]string)
	for name, value := range body {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts, true
}

// respondJSON writes a response with a JSON body.
func respondJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a client that has gone away is no error of the server
}

// Welcome is the path of a page that greets every visitor in the same words. [Manners].RedirectTo
// may lead there.
const Welcome = "/welcome"

// pagesAndAPIs returns what providers serve beside their links, by pattern.
func (i *Server) pagesAndAPIs() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{
		"/accounts/login/{$}": i.serveAllauthLogin,
		"GET " + Welcome: func(w http.ResponseWriter, _ *http.Request) {
			showPage(w, http.StatusOK, pageView{Title: "Welcome to " + i.config.Name,
				Message: "You can close this page."})
		},
		"/users/log_in":     serveFlash,
		"GET /api/activate": i.serveActivation,
		"/ui/verification": func(w http.ResponseWriter, r *http.Request) {
			scriptPage(i, w, r, nil)
		},
		"GET /self-service/verification/flows": i.serveKratosFlow,
		"GET " + authentikExecutor:             i.serveExecutor,
		"POST " + authentikExecutor:            i.serveConsent,
	}
	for _, p := range i.providers {
		if p.api != nil {
			routes["POST "+p.api.pattern] = func(w http.ResponseWriter, r *http.Request) {
				i.serveAPI(w, r, p)
			}
		}
	}
	return routes
}
