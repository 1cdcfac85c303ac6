package twilioverify

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/simulator/twilio"
)

// maxForm bounds a request in bytes, far above any that is genuine.
const maxForm = 1 << 20

// handler serves https://www.twilio.com/docs/verify/api.
func (v *Service) handler() http.Handler {
	service := "/v2/Services/" + v.config.ServiceSID
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+service+"/Verifications", v.act(v.create))
	mux.HandleFunc("GET "+service+"/Verifications/{id}", v.act(v.fetch))
	mux.HandleFunc("POST "+service+"/Verifications/{id}", v.act(v.update))
	mux.HandleFunc("POST "+service+"/VerificationCheck", v.act(v.check))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { twilio.Refuse(w, 404, 20404) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		slow := v.manners.Slow
		v.mu.Unlock()
		if !v.server.Pause(r.Context(), slow) {
			return
		}
		user, password, _ := r.BasicAuth()
		if user != v.config.AccountSID || password != v.config.AuthToken {
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			twilio.Refuse(w, 401, 20003)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// act reads the form and minds the manners around one resource. The resource runs under the
// lock; it returns the status and body of its response, or a refusal.
func (v *Service) act(
	resource func(id string, form url.Values) (int, any, refusal),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			twilio.Refuse(w, 400, 60200)
			return
		}
		v.mu.Lock()
		if v.manners.FailNext > 0 {
			v.manners.FailNext--
			fault := refusal{v.manners.FailStatus, v.manners.FailCode}
			if fault.status == 0 {
				fault.status = http.StatusServiceUnavailable
			}
			v.mu.Unlock()
			twilio.Refuse(w, fault.status, fault.code)
			return
		}
		status, body, fault := resource(r.PathValue("id"), r.PostForm)
		lost := v.manners.LoseResponse > 0
		if lost {
			v.manners.LoseResponse--
		}
		v.mu.Unlock()
		switch {
		case lost:
			panic(http.ErrAbortHandler)
		case fault.code != 0:
			twilio.Refuse(w, fault.status, fault.code)
		default:
			twilio.Respond(w, status, body)
		}
	}
}

var customCode = regexp.MustCompile(`^[0-9A-Za-z]{4,10}$`)

// create serves POST Verifications
// (https://www.twilio.com/docs/verify/api/verification#start-new-verification).
func (v *Service) create(_ string, form url.Values) (int, any, refusal) {
	to, custom := form.Get("To"), form.Get("CustomCode")
	switch {
	case !number.MatchString(to), form.Get("Channel") != "sms", !isJSON(form.Get("Tags"), 10),
		!isJSON(form.Get("RateLimits"), 10),
		custom != "" && (v.config.NoCustomCodes || !customCode.MatchString(custom)):
		return 0, nil, refusal{400, 60200}
	case form.Has("Locale") && !slices.Contains(locales(), form.Get("Locale")):
		return 0, nil, refusal{404, 20404}
	case v.manners.Reject[to] != 0:
		return 0, nil, refusal{400, v.manners.Reject[to]}
	case form.Get("RiskCheck") != "disable" && v.isGuarded(to):
		return 0, nil, refusal{403, 60410}
	}
	text := Text{Code: custom, Locale: form.Get("Locale"), RateLimits: form.Get("RateLimits"),
		Tags: form.Get("Tags"), RiskCheck: form.Get("RiskCheck")}
	one, fault := v.begin(to, text, form.Get("CustomFriendlyName"))
	if fault.code != 0 {
		return 0, nil, fault
	}
	return http.StatusCreated, v.describe(one), fault
}

// locales are the languages in which Verify texts. It refuses others.
//
// Source: https://www.twilio.com/docs/verify/supported-languages
func locales() []string {
	return strings.Fields(
		"af ar ca zh zh-CN zh-HK hr cs da nl en en-GB et fi fr de el he hi hu id it " +
			"ja kn ko lt ms mr nb pl pt-BR pt ro ru sk es sv tl te th tr uk vi")
}

// isJSON reports whether a parameter is absent, or a JSON object of texts with at most so many
// members.
func isJSON(raw string, most int) bool {
	var members map[string]string
	return raw == "" || json.Unmarshal([]byte(raw), &members) == nil && len(members) <= most
}

// fetch serves GET Verifications/{id}: a SID or a number.
func (v *Service) fetch(id string, _ url.Values) (int, any, refusal) {
	one := v.pending(id)
	if one == nil {
		return 0, nil, refusal{404, 20404}
	}
	return http.StatusOK, v.describe(one), refusal{}
}

// update serves POST Verifications/{id}
// (https://www.twilio.com/docs/verify/api/verification#update-a-verification-status).
func (v *Service) update(id string, form url.Values) (int, any, refusal) {
	status := form.Get("Status")
	fault := refusal{}
	one := v.pending(id)
	switch {
	case status != "approved" && status != "canceled":
		fault = refusal{400, 60200}
	case one == nil:
		fault = refusal{404, 20404}
	}
	v.feedback = append(v.feedback, Feedback{ID: id, Status: status, Code: fault.code})
	if fault.code != 0 {
		return 0, nil, fault
	}
	one.status, one.updated = status, v.config.Now().UTC().Truncate(time.Second)
	return http.StatusOK, v.describe(one), fault
}

// check serves POST VerificationCheck (https://www.twilio.com/docs/verify/api/verification-check).
func (v *Service) check(_ string, form url.Values) (int, any, refusal) {
	id := form.Get("VerificationSid")
	if id == "" {
		id = form.Get("To")
	}
	one := v.pending(id)
	switch {
	case len(form.Get("Code")) < 4 || len(form.Get("Code")) > 10:
		return 0, nil, refusal{400, 60200}
	case one == nil:
		return 0, nil, refusal{404, 20404}
	case one.wrong >= maxChecks:
		return 0, nil, refusal{429, 60202}
	}
	v.checks++
	if form.Get("Code") == one.code {
		one.status = "approved"
	} else {
		one.wrong++
	}
	one.updated = v.config.Now().UTC().Truncate(time.Second)
	return http.StatusCreated, checkResource{
		SID: one.sid, ServiceSID: v.config.ServiceSID, AccountSID: v.config.AccountSID, To: one.to,
		Channel: "sms", Status: one.status,
		Valid: one.status == "approved", DateCreated: one.created, DateUpdated: one.updated,
		SnaErrors: []string{},
	}, refusal{}
}

// verificationResource is a verification in the words of the API; its dates are in RFC 3339.
type verificationResource struct {
	SID         string         `json:"sid"`
	ServiceSID  string         `json:"service_sid"`
	AccountSID  string         `json:"account_sid"`
	To          string         `json:"to"`
	Channel     string         `json:"channel"`
	Status      string         `json:"status"`
	Valid       bool           `json:"valid"`
	DateCreated time.Time      `json:"date_created"`
	DateUpdated time.Time      `json:"date_updated"`
	Lookup      map[string]any `json:"lookup"`
	Amount      *string        `json:"amount"`
	Payee       *string        `json:"payee"`
	Sends       []sendAttempt  `json:"send_code_attempts"`
	Sna         *string        `json:"sna"`
	URL         string         `json:"url"`
}

// checkResource is the response to a check.
type checkResource struct {
	SID         string    `json:"sid"`
	ServiceSID  string    `json:"service_sid"`
	AccountSID  string    `json:"account_sid"`
	To          string    `json:"to"`
	Channel     string    `json:"channel"`
	Status      string    `json:"status"`
	Valid       bool      `json:"valid"`
	Amount      *string   `json:"amount"`
	Payee       *string   `json:"payee"`
	SnaErrors   []string  `json:"sna_attempts_error_codes"`
	DateCreated time.Time `json:"date_created"`
	DateUpdated time.Time `json:"date_updated"`
}

// describe shows a verification as the API does. The caller holds mu.
func (v *Service) describe(one *verification) verificationResource {
	return verificationResource{
		SID: one.sid, ServiceSID: v.config.ServiceSID, AccountSID: v.config.AccountSID, To: one.to,
		Channel: "sms", Status: one.status,
		Valid: one.status == "approved", DateCreated: one.created, DateUpdated: one.updated,
		Lookup: map[string]any{},
		Sends:  append([]sendAttempt(nil), one.sends...),
		URL:    v.URL() + "/v2/Services/" + v.config.ServiceSID + "/Verifications/" + one.sid,
	}
}
