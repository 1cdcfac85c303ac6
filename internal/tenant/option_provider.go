package tenant

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"smsbridge/phonemail"
)

// Provider names a way to send a text.
type Provider string

// The providers.
const (
	ByTwilio    Provider = "twilio"    // Twilio's Messages
	ByVerify    Provider = "verify"    // Twilio Verify, which sends nothing but codes
	ByFlowroute Provider = "flowroute" // Flowroute Messaging
	ByWebhook   Provider = "webhook"   // a sender of the tenant's own
)

// VerifyService is a tenant's service at Twilio Verify, in the account of its
// Twilio settings.
type VerifyService struct {
	SID     string // VA and 32 letters and digits
	APIBase string // without slash at the end: "https://verify.twilio.com"
	// OwnCode lets Verify draw and compare the code. Otherwise the code is ours,
	// and the service must allow custom codes.
	OwnCode bool
	// RateLimits are the service's own by their unique names, each with what is
	// counted: "phone" or "country".
	RateLimits map[string]string
	Tags       map[string]string // go with every verification, for Twilio's reports
}

// Flowroute is a tenant's account at Flowroute.
type Flowroute struct {
	AccessKey string
	SecretKey Secret
	Number    string // the sender, E.164
	APIBase   string // without version and slash at the end: "https://api.flowroute.com"
	Version   string // of the Messaging API: "v2.1" or "v2.2"
}

// HookKey is what proves that a webhook about a tenant is Flowroute's, which
// signs nothing: it is part of the URLs that Flowroute is told, and follows from
// the secret key, so that it changes with it.
func (f Flowroute) HookKey(slug string) string {
	mac := hmac.New(sha256.New, []byte(f.SecretKey.Reveal()))
	mac.Write([]byte(slug))
	return hex.EncodeToString(mac.Sum(nil))
}

// Webhook is a sender of the tenant's own, which is asked by signed HTTP
// requests.
type Webhook struct {
	URL     string
	Secrets []Secret // whsec_ and base64; several during a rotation
}

// Keys returns what signs a request.
func (w Webhook) Keys() [][]byte { return Callback(w).Keys() }

// Line returns whom a phone's texts come from: an account, and a number,
// messaging service or name of it. What the phone replies comes back to it, and
// its STOP holds for it, whichever provider carries a text. For a tenant without
// a sender at Twilio the account is named after the provider.
func (t *Tenant) Line(phone phonemail.Number) (account, sender string) {
	if t.Twilio.From == "" {
		return t.otherLine()
	}
	if sender, ok := t.Senders[phone.Country()]; ok {
		return t.Twilio.AccountSID, sender
	}
	return t.Twilio.AccountSID, t.Twilio.From
}

func (t *Tenant) otherLine() (account, sender string) {
	if t.Flowroute.Number != "" {
		return "flowroute:" + t.Flowroute.AccessKey, t.Flowroute.Number
	}
	return "webhook:" + t.Slug, t.Slug
}

// textsFrom reports whether the tenant has a line.
func (t *Tenant) textsFrom(account, sender string) bool {
	if t.Twilio.From == "" {
		a, s := t.otherLine()
		return account == a && sender == s
	}
	return account == t.Twilio.AccountSID && (sender == t.Twilio.From || slices.Contains(slices.Collect(maps.Values(t.Senders)), sender))
}

// FlowrouteReplyURL is where Flowroute posts the texts to a tenant's number. It
// holds the tenant's HookKey.
func (s Settings) FlowrouteReplyURL(t *Tenant) string {
	return s.PublicURL + "/flowroute/" + t.Slug + "/reply?key=" + t.Flowroute.HookKey(t.Slug)
}

// FlowrouteReceiptURL is where Flowroute posts the delivery receipts of one
// text. It holds the tenant's HookKey.
func (s Settings) FlowrouteReceiptURL(t *Tenant, textID string) string {
	return s.PublicURL + "/flowroute/" + t.Slug + "/receipt?key=" + t.Flowroute.HookKey(t.Slug) + "&text=" + url.QueryEscape(textID)
}

var (
	verifySID    = regexp.MustCompile(`^VA[0-9a-zA-Z]{32}$`)
	uniqueName   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	verifyLimits = []string{"phone", "country"}
)

// What Verify allows one verification
// (https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts).
const (
	verifyLife     = 10 * time.Minute
	verifyAttempts = 5
)

const (
	maxTags = 10  // https://www.twilio.com/docs/verify/api/verification (Tags)
	maxTag  = 128 // characters
)

// sendingOptions are about who sends a tenant's texts, besides its account at
// Twilio.
func sendingOptions() []option[Tenant] {
	return slices.Concat([]option[Tenant]{
		{"providers", "SMSBRIDGE_PROVIDERS", list, "", func(t *Tenant, v []string) *Mistake {
			for _, name := range v {
				if m := choice(name, string(ByTwilio), string(ByVerify), string(ByFlowroute), string(ByWebhook)); m != nil {
					return m
				}
				if slices.Contains(t.Providers, Provider(name)) {
					return wrong("has "+name+" twice", "each is asked once")
				}
				t.Providers = append(t.Providers, Provider(name))
			}
			return nil
		}},
		{"twilio.senders", "", named, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Senders, m = pairs(v, func(country, sender string) *Mistake {
				if country != strings.ToUpper(country) || !phonemail.IsCountry(country) {
					return wrong("has something that is not a country", "use codes of two letters (ISO 3166-1), such as DK, SE or GB")
				}
				return judgeSender(sender)
			})
			return m
		}},
	}, verifyOptions(), flowrouteOptions(), webhookOptions())
}

func verifyOptions() []option[Tenant] {
	return []option[Tenant]{
		{"twilio_verify.service_sid", "TWILIO_VERIFY_SERVICE_SID", one, "", func(t *Tenant, v []string) *Mistake {
			t.VerifyService.SID = v[0]
			if !verifySID.MatchString(v[0]) {
				return wrong("is not the SID of a Verify service", "it is VA and 32 letters and digits")
			}
			return nil
		}},
		{"twilio_verify.api_base", "TWILIO_VERIFY_BASE", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.VerifyService.APIBase, m = baseURL(v[0])
			return m
		}},
		{"twilio_verify.code", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.VerifyService.OwnCode = v[0] == "verify"
			return choice(v[0], "bridge", "verify")
		}},
		{"twilio_verify.rate_limits", "", named, "", func(t *Tenant, v []string) (m *Mistake) {
			t.VerifyService.RateLimits, m = pairs(v, func(name, counted string) *Mistake {
				if !uniqueName.MatchString(name) {
					return wrong("has something that is not the unique name of a rate limit", "use the name that it has at Twilio")
				}
				return choice(counted, verifyLimits...)
			})
			return m
		}},
		{"twilio_verify.tags", "", named, "", func(t *Tenant, v []string) (m *Mistake) {
			t.VerifyService.Tags, m = pairs(v, func(name, tag string) *Mistake {
				if len(name) > maxTag || len(tag) > maxTag {
					return wrong("has a name or a value of more than 128 characters", "shorten it")
				}
				return nil
			})
			if m == nil && len(v) > maxTags {
				return wrong("has more than ten tags", "Twilio takes ten")
			}
			return m
		}},
	}
}

func flowrouteOptions() []option[Tenant] {
	return []option[Tenant]{
		{"flowroute.access_key", "FLOWROUTE_ACCESS_KEY", one, "", func(t *Tenant, v []string) *Mistake {
			t.Flowroute.AccessKey = v[0]
			return judgeSecret(v[0])
		}},
		{"flowroute.secret_key", "FLOWROUTE_SECRET_KEY", secret, "", func(t *Tenant, v []string) *Mistake {
			t.Flowroute.SecretKey = NewSecret(v[0])
			return judgeSecret(v[0])
		}},
		{"flowroute.number", "FLOWROUTE_NUMBER", one, "", func(t *Tenant, v []string) *Mistake {
			// The original service took the number as Flowroute shows it, without the plus.
			t.Flowroute.Number = "+" + strings.TrimPrefix(v[0], "+")
			if _, err := phonemail.ParseNumber(t.Flowroute.Number); err != nil {
				return wrong("is not a number in international form", "write + and digits only, such as +12065550101")
			}
			return nil
		}},
		{"flowroute.api_base", "FLOWROUTE_API_BASE", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Flowroute.APIBase, m = baseURL(v[0])
			return m
		}},
		{"flowroute.version", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Flowroute.Version = v[0]
			return choice(v[0], "v2.1", "v2.2")
		}},
	}
}

func webhookOptions() []option[Tenant] {
	return []option[Tenant]{
		{"webhook.url", "", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Webhook.URL, m = baseURL(v[0])
			return m
		}},
		{"webhook.secret", "", secrets, "", func(t *Tenant, v []string) *Mistake {
			for _, text := range v {
				if _, ok := callbackKey(text); !ok {
					return wrong("is not whsec_ and 24 to 64 bytes in base64", `make one with: echo "whsec_$(openssl rand -base64 32)"`)
				}
				t.Webhook.Secrets = append(t.Webhook.Secrets, NewSecret(text))
			}
			return nil
		}},
	}
}

// pairs reads a mapping, given as name=value.
func pairs(items []string, judge func(name, value string) *Mistake) (map[string]string, *Mistake) {
	all := map[string]string{}
	for _, item := range items {
		name, v, _ := strings.Cut(item, "=")
		if m := judge(name, v); m != nil {
			return nil, m
		}
		all[name] = v
	}
	return all, nil
}

// need is a setting that a provider cannot do without.
type need struct{ key, hint string }

func needs(p Provider) []need {
	twilio := []need{
		{"twilio.account_sid", "it is on the first page of Twilio's console"},
		{"twilio.auth_token", "it is on the first page of Twilio's console"},
	}
	switch p {
	case ByTwilio:
		return append(twilio, need{"twilio.from", "write the number (+…) or the Messaging Service (MG…) to text from"})
	case ByVerify:
		return append(twilio, need{"twilio_verify.service_sid", "it is in Twilio's console under Verify"})
	case ByFlowroute:
		return []need{
			{"flowroute.access_key", "it is at Flowroute under API Control"},
			{"flowroute.secret_key", "it is at Flowroute under API Control"},
			{"flowroute.number", "write the number to text from, such as +12065550101"},
		}
	}
	return []need{
		{"webhook.url", "write the https address of the sender"},
		{"webhook.secret", `make one with: echo "whsec_$(openssl rand -base64 32)"`},
	}
}

// checkProviders settles who sends, and finds what is missing for it. Left out,
// everybody sends who is configured, those first who know most about a code.
func (l *loader) checkProviders(t *Tenant, given map[string]value, place placer) {
	isGiven := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { _, ok := given[key]; return ok })
	}
	if len(t.Providers) == 0 {
		others := isGiven("flowroute.access_key", "webhook.url")
		for _, p := range []struct {
			name       Provider
			configured bool
		}{
			{ByVerify, isGiven("twilio_verify.service_sid")},
			{ByTwilio, isGiven("twilio.account_sid", "twilio.auth_token", "twilio.from") || !others},
			{ByFlowroute, isGiven("flowroute.access_key")},
			{ByWebhook, isGiven("webhook.url")},
		} {
			if p.configured {
				t.Providers = append(t.Providers, p.name)
			}
		}
	}
	if !slices.Contains(t.Providers, ByTwilio) {
		t.Twilio.From, t.Senders = "", nil // replies come back elsewhere, see Line
	}
	reported := map[string]bool{}
	for _, p := range t.Providers {
		for _, n := range needs(p) {
			if !isGiven(n.key) && !reported[n.key] {
				reported[n.key] = true
				l.add(place(n.key), wrong("is missing", n.hint))
			}
		}
	}
	l.checkReachable(t, place)
}

// checkReachable finds texts that nobody sends, and replies that nobody gets.
func (l *loader) checkReachable(t *Tenant, place placer) {
	if slices.Equal(t.Providers, []Provider{ByVerify}) {
		l.add(place("providers"), wrong("has nobody but verify, which sends only codes", "add twilio, flowroute or webhook for all other texts"))
	}
	if own := slices.Contains(t.Providers, ByVerify) && t.VerifyService.OwnCode; own && (t.Codes.ValidFor > verifyLife || t.Codes.Attempts > verifyAttempts) {
		l.warn("tenant %s: a code of Twilio Verify's own counts for 10m and 5 attempts at most, whatever code_valid_for and code_attempts say", t.Slug)
	}
	twoWay := slices.Contains(t.Providers, ByTwilio) || slices.Contains(t.Providers, ByFlowroute)
	if !twoWay && t.Answer != ByTap {
		l.add(place("answer"), wrong("wants replies, and no provider brings any", "let people tap instead: answer = tap"))
	}
	for _, sender := range t.Senders {
		if isAlphanumericSender(sender) && t.Answer != ByTap {
			l.add(place("twilio.senders"), wrong("has a name, to which nobody can reply", "use a number, or let people tap instead: answer = tap"))
		}
	}
}

// checkShared finds tenants whose replies at a Flowroute number cannot be told
// apart: one URL takes them all.
func (l *loader) checkShared(t, other *Tenant) {
	if t.Flowroute.Number == "" || t.Flowroute.Number != other.Flowroute.Number {
		return
	}
	if t.Twilio.AccountSID != other.Twilio.AccountSID || t.Twilio.From != other.Twilio.From || !maps.Equal(t.Senders, other.Senders) {
		l.add(l.places[t]("flowroute.number"), wrong("another tenant has the same number, and another sender at Twilio", "use a number of its own: its replies would all go to one of the two"))
	}
}
