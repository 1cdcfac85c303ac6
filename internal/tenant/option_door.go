package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// FlowrouteDoor is a door for clients of Flowroute's SMS verification service. Its
// settings and their defaults are that service's.
//
// Source: https://github.com/flowroute/sms-verification
type FlowrouteDoor struct {
	Addr            string     // where it listens, "" for no door
	Keys            []KeyCheck // what it asks for; without one it is on the loopback interface
	CodeLength      int
	CodeExpiration  time.Duration
	RetriesAllowed  int // codes that may be presented
	authMessageText *template.Template
}

// DurableDoor is a door for clients of Azure Durable Functions that run its sample
// of phone verification.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-phone-verification
type DurableDoor struct {
	Codes      []KeyCheck // its system keys; without one there is no door
	CodeLength int
	ValidFor   time.Duration
	Attempts   int // codes that may be presented
}

// KeyCheck knows a key by its digest.
type KeyCheck [sha256.Size]byte

// NewKeyCheck returns the check of a key. Keys are random, so that the digest
// need not be slow.
func NewKeyCheck(key string) KeyCheck { return sha256.Sum256([]byte(key)) }

// anyKey reports whether the key is one of them, comparing each in constant time.
func anyKey(checks []KeyCheck, key string) bool {
	given, found := NewKeyCheck(key), 0
	for _, check := range checks {
		found |= subtle.ConstantTimeCompare(given[:], check[:])
	}
	return found == 1
}

// Allows reports whether the key opens the door. Every key does, and none, when
// the door asks for none.
func (f FlowrouteDoor) Allows(key string) bool { return len(f.Keys) == 0 || anyKey(f.Keys, key) }

// FlowrouteDoorText returns what the Flowroute door texts: the service's
// AUTH_MESSAGE, filled with the code and the name.
func (t *Tenant) FlowrouteDoorText(code string) string {
	text := t.FlowrouteDoor.authMessageText
	if text == nil {
		text, _ = parseTemplate(authMessage, codeFields())
	}
	name := t.OrgName
	if name == "" {
		name = t.Name
	}
	var b strings.Builder
	// parseTemplate lets nothing through that could fail here.
	_ = text.Execute(&b, struct{ Code, Name string }{code, name})
	return b.String()
}

// authMessage has the bare code on its first line, which clients' tests read.
const authMessage = "{{.Code}}\nWelcome to {{.Name}}! Use this one-time code to complete your signup."

// ByDurableCode returns the tenant whose Durable door a system key opens.
func (s Set) ByDurableCode(code string) (found *Tenant, ok bool) {
	for _, t := range s.all {
		if anyKey(t.DurableDoor.Codes, code) {
			found, ok = t, true
		}
	}
	return found, ok
}

func defaultFlowrouteDoor() FlowrouteDoor {
	return FlowrouteDoor{CodeLength: 4, CodeExpiration: time.Hour, RetriesAllowed: 3}
}

func defaultDurableDoor() DurableDoor {
	return DurableDoor{CodeLength: 4, ValidFor: 90 * time.Second, Attempts: 4}
}

// doorOptions are about the doors that other services' clients find familiar.
func doorOptions() []option[Tenant] {
	return []option[Tenant]{
		{"flowroute_door.addr", "SMSBRIDGE_FLOWROUTE_ADDR", one, "", func(t *Tenant, v []string) *Mistake {
			_, port, err := net.SplitHostPort(v[0])
			if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
				return wrong("is not an address to listen on", "write host:port, such as 127.0.0.1:8000")
			}
			t.FlowrouteDoor.Addr = v[0]
			return nil
		}},
		{"flowroute_door.key", "SMSBRIDGE_FLOWROUTE_DOOR_KEY", secrets, "", keys(func(t *Tenant) *[]KeyCheck { return &t.FlowrouteDoor.Keys })},
		{"flowroute_door.code_length", "SMSBRIDGE_FLOWROUTE_CODE_LENGTH", one, "", count(4, 10, func(t *Tenant) *int { return &t.FlowrouteDoor.CodeLength })},
		{"flowroute_door.code_expiration", "SMSBRIDGE_FLOWROUTE_CODE_EXPIRATION", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.FlowrouteDoor.CodeExpiration, m = life(v[0])
			return m
		}},
		{"flowroute_door.retries_allowed", "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED", one, "", count(1, 10, func(t *Tenant) *int { return &t.FlowrouteDoor.RetriesAllowed })},
		{"flowroute_door.auth_message", "SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.FlowrouteDoor.authMessageText, m = parseTemplate(v[0], codeFields())
			return m
		}},
		{"durable_door.code", "SMSBRIDGE_DURABLE_CODE", secrets, "", keys(func(t *Tenant) *[]KeyCheck { return &t.DurableDoor.Codes })},
		{"durable_door.code_length", "", one, "", count(4, 10, func(t *Tenant) *int { return &t.DurableDoor.CodeLength })},
		{"durable_door.valid_for", "", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.DurableDoor.ValidFor, m = life(v[0])
			return m
		}},
		{"durable_door.attempts", "", one, "", count(1, 10, func(t *Tenant) *int { return &t.DurableDoor.Attempts })},
	}
}

func keys(field func(*Tenant) *[]KeyCheck) func(*Tenant, []string) *Mistake {
	return func(t *Tenant, v []string) *Mistake {
		for _, key := range v {
			if len(key) < minKey || judgeSecret(key) != nil {
				return wrong("is too short, or has characters that no key has", "make one with: openssl rand -hex 24")
			}
			*field(t) = append(*field(t), NewKeyCheck(key))
		}
		return nil
	}
}

// checkDoors finds what is wrong with the settings of the doors together.
func (l *loader) checkDoors(t *Tenant, place placer) {
	f := t.FlowrouteDoor
	switch {
	case f.Addr == "" && len(f.Keys) > 0:
		l.add(place("flowroute_door.addr"), wrong("is missing beside "+place("flowroute_door.key"), "write where to listen, such as 127.0.0.1:8000"))
	case f.Addr != "" && len(f.Keys) == 0 && !isLoopbackAddr(f.Addr):
		l.add(place("flowroute_door.key"), wrong("is missing, and the door is not on the loopback interface",
			"make one with: openssl rand -hex 24, or listen on 127.0.0.1"))
	}
	code := strings.Repeat("8", f.CodeLength)
	if m := judgeText(t.FlowrouteDoorText(code)); m != nil {
		l.add(place("flowroute_door.auth_message"), m)
	} else if !strings.Contains(t.FlowrouteDoorText(code), code) {
		l.add(place("flowroute_door.auth_message"), wrong("does not say the code", "put {{.Code}} into it"))
	}
	if f.Addr != "" {
		l.warnOdds(t, f.CodeLength, "flowroute_door.code_length")
	}
	if len(t.DurableDoor.Codes) > 0 {
		l.warnOdds(t, t.DurableDoor.CodeLength, "durable_door.code_length")
	}
}

// warnOdds warns of a door whose codes are shorter than what is guessed at it
// allows.
func (l *loader) warnOdds(t *Tenant, digits int, key string) {
	codes := 1
	for range digits {
		codes *= 10
	}
	if t.Codes.Wrong*leastOdds > codes {
		l.warn("tenant %s: %d guesses a day at codes of %d digits are better odds than 1 in %d (%s, code_wrong)", t.Slug, t.Codes.Wrong, digits, leastOdds, key)
	}
}

// leastOdds are the odds of guessing a phone's code within a day: one in this
// many, or less.
const leastOdds = 100_000

// checkDoorsTogether finds doors that could not both be opened.
func (l *loader) checkDoorsTogether(s Settings) {
	for i, t := range s.Tenants.all {
		where := l.places[t]
		if t.FlowrouteDoor.Addr != "" && t.FlowrouteDoor.Addr == s.Addr {
			l.add(where("flowroute_door.addr"), wrong("is where the bridge itself listens", "choose another port"))
		}
		for _, other := range s.Tenants.all[:i] {
			if t.FlowrouteDoor.Addr != "" && t.FlowrouteDoor.Addr == other.FlowrouteDoor.Addr {
				l.add(where("flowroute_door.addr"), wrong("is another tenant's", "choose another port: it tells whose request it is"))
			}
			if slices.ContainsFunc(t.DurableDoor.Codes, func(c KeyCheck) bool { return slices.Contains(other.DurableDoor.Codes, c) }) {
				l.add(where("durable_door.code"), wrong("is another tenant's", "every tenant has keys of its own: they tell whose request it is"))
			}
		}
	}
}

// isLoopbackAddr reports whether only this machine can connect to a listener.
func isLoopbackAddr(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
