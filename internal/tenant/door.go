package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"smsbridge/internal/wording"
)

// FlowrouteDoor is a door for clients of Flowroute's SMS verification service. Its settings and
// their defaults are that service's.
//
// Source: https://github.com/flowroute/sms-verification
type FlowrouteDoor struct {
	Addr            string     // where it listens, "" for no door
	Keys            []KeyCheck // what it asks for; without one it is on the loopback interface
	CodeLength      int
	CodeExpiration  time.Duration
	RetriesAllowed  int          // codes that may be presented
	authMessageText wording.Text // zero for the shipped wording
}

// DurableDoor is a door for clients of Azure Durable Functions that run its sample of phone
// verification.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/
// durable-functions-phone-verification
type DurableDoor struct {
	Codes      []KeyCheck // its system keys; without one there is no door
	CodeLength int
	ValidFor   time.Duration
	Attempts   int // codes that may be presented
}

// KeyCheck knows a key by its digest.
type KeyCheck [sha256.Size]byte

// NewKeyCheck returns the check of a key. Keys are random, so the digest need not be slow.
func NewKeyCheck(key string) KeyCheck { return sha256.Sum256([]byte(key)) }

// Place returns which of the keys one is, counted from 1, or 0 for none of them. It compares each
// in constant time.
func Place(checks []KeyCheck, key string) (place int) {
	given := NewKeyCheck(key)
	for i, check := range checks {
		fits := subtle.ConstantTimeCompare(given[:], check[:])
		place = subtle.ConstantTimeSelect(fits, i+1, place)
	}
	return place
}

// Allows reports whether the key opens the door. When the door asks for none, every key does, and
// no key does, too.
func (f FlowrouteDoor) Allows(key string) bool { return len(f.Keys) == 0 || Place(f.Keys, key) > 0 }

// FlowrouteDoorText returns what the Flowroute door texts: the service's AUTH_MESSAGE, filled with
// the code and the name.
func (t *Tenant) FlowrouteDoorText(code string) string {
	text := t.Doors.Flowroute.authMessageText
	if text.IsZero() {
		text = wording.ShippedAuthMessage()
	}
	return text.Fill(wording.Fields{Code: code, Name: t.codeName()})
}

// ByDurableCode returns the tenant whose Durable door a system key opens.
func (s Set) ByDurableCode(code string) (found *Tenant, ok bool) {
	for _, t := range s.all {
		if Place(t.Doors.Durable.Codes, code) > 0 {
			found, ok = t, true
		}
	}
	return found, ok
}
