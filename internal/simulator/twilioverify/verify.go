// Package twilioverify plays a Twilio Verify service: verifications, checks of codes, and the
// feedback on codes that others texted. The tests of the bridge use it, and twilio-go works
// against it. No demo shows it.
//
// What the real Verify may do is a knob of [Manners]: failing and slow requests, lost responses
// and refused numbers. [Service.Guard] has Fraud Guard block a prefix.
//
// Sources: https://www.twilio.com/docs/verify/api/verification and
// https://www.twilio.com/docs/verify/api/verification-check.
package twilioverify

import (
	"crypto/rand"
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"smsbridge/internal/simulator/loopback"
	"smsbridge/internal/simulator/twilio"
)

// Config says which pretend Verify service [Open] opens.
type Config struct {
	// Addr is the loopback host:port to listen on; empty means 127.0.0.1:0, a free port.
	Addr string
	// AccountSID and AuthToken are the credentials, ServiceSID (VA…) is the service. Letters and
	// digits only.
	AccountSID, AuthToken, ServiceSID string
	// FriendlyName is what texts call the service; empty means "Verify".
	FriendlyName string
	// CodeLength is the number of digits of Verify's own codes, 4 to 10; 0 means 6.
	CodeLength int
	// NoCustomCodes refuses CustomCode, as a service does for which it was not enabled.
	NoCustomCodes bool
	// Phones is the network whose phones get the texts. Nil: they are only in the history.
	Phones *twilio.Account
	// Now is the clock of dates and lives; nil means time.Now.
	Now func() time.Time
}

// Manners are the ways in which the pretend Verify misbehaves; the zero value is polite.
type Manners struct {
	// FailNext refuses that many requests with FailStatus (0 means 503), before they are looked
	// at. FailCode is the code of the JSON error body; with 0 the body is a plain HTML page.
	FailNext, FailStatus, FailCode int
	// LoseResponse does what that many requests ask and then cuts the connection instead of
	// responding.
	LoseResponse int
	// Reject refuses to start verifications of these numbers with 400 and the code.
	Reject map[string]int
	// Slow delays every response.
	Slow time.Duration
}

// Text is one text that the pretend Verify sent.
type Text struct {
	To, Code, Body, Locale      string
	VerificationSID, AttemptSID string
	Custom                      bool // the code came with the request
	RateLimits, Tags, RiskCheck string
	Time                        time.Time
}

// Feedback is one update of a verification that was asked for: how the caller says that it ended.
type Feedback struct {
	ID     string // as addressed: a SID or a number
	Status string // approved or canceled
	Code   int    // 0 when it was taken, else the error code of the response
}

// Limits of a verification (https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts),
// and how long Fraud Guard blocks a prefix
// (https://www.twilio.com/docs/verify/preventing-toll-fraud/sms-fraud-guard).
const (
	life       = 10 * time.Minute
	maxSends   = 5
	maxChecks  = 5
	guardBlock = 12 * time.Hour
)

// Service is a pretend Twilio Verify service: verifications, checks of codes and the feedback on
// them. Everything is held in memory until Close. Safe for use by several goroutines.
type Service struct {
	config Config
	server *loopback.Server

	mu       sync.Mutex
	manners  Manners
	all      []*verification
	texts    []Text
	feedback []Feedback
	checks   int                  // codes that were compared
	guarded  map[string]time.Time // prefixes that Fraud Guard blocks, and until when
}

// verification is one verification of the pretend Verify.
type verification struct {
	sid, to, code, status string
	created, updated      time.Time
	sends                 []sendAttempt
	wrong                 int
}

type sendAttempt struct {
	AttemptSID string    `json:"attempt_sid"`
	Channel    string    `json:"channel"`
	Time       time.Time `json:"time"`
}

// refusal is a refusal: an HTTP status with a code of https://www.twilio.com/docs/api/errors,
// or with code 0 a plain HTML page.
type refusal struct{ status, code int }

// Accepted forms of numbers, credentials and the service's SID.
var (
	number      = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)
	credentials = regexp.MustCompile(`^[a-zA-Z0-9]+$`)
	serviceSID  = regexp.MustCompile(`^VA[0-9a-zA-Z]{32}$`)
)

// Open starts a pretend Verify service. The caller must Close it. It returns an error if the
// address is not on loopback or not free, or if the configuration does not fit its description.
func Open(config Config) (*Service, error) {
	if !credentials.MatchString(config.AccountSID) || !credentials.MatchString(config.AuthToken) ||
		!serviceSID.MatchString(config.ServiceSID) {
		return nil, errors.New("simulator: Verify needs an account SID and auth token of letters and " +
			"digits, and a service SID")
	}
	if config.CodeLength == 0 {
		config.CodeLength = 6
	}
	if config.CodeLength < 4 || config.CodeLength > 10 {
		return nil, errors.New("simulator: Verify codes have 4 to 10 digits")
	}
	if config.FriendlyName == "" {
		config.FriendlyName = "Verify"
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	server, err := loopback.Open(config.Addr)
	if err != nil {
		return nil, err
	}
	v := &Service{config: config, server: server, guarded: map[string]time.Time{}}
	server.Serve(v.handler())
	return v, nil
}

// URL returns the base URL, in place of https://verify.twilio.com, without a final slash.
func (v *Service) URL() string { return v.server.URL() }

// Close stops the server.
func (v *Service) Close() { v.server.Close() }

// Set changes the manners. The function runs under a lock: it must not call other methods of v,
// nor keep its argument.
func (v *Service) Set(change func(*Manners)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(&v.manners)
}

// Guard has Fraud Guard block all numbers that begin so for twelve hours.
func (v *Service) Guard(prefix string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.guarded[prefix] = v.config.Now().Add(guardBlock)
}

// Texts returns the texts sent so far, oldest first.
func (v *Service) Texts() []Text {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.texts)
}

// Feedback returns the updates asked for so far, oldest first, those that were refused included.
func (v *Service) Feedback() []Feedback {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.feedback)
}

// Checks returns how many codes were compared.
func (v *Service) Checks() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.checks
}

// Status returns how far a verification has come, in Verify's words, or "" for none. Unlike the
// API it tells of those that have ended.
func (v *Service) Status(sid string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.all {
		if one.sid == sid {
			v.expire(one)
			return one.status
		}
	}
	return ""
}

// pending returns the pending verification with the SID or of the number, or nil. The caller
// holds mu.
func (v *Service) pending(id string) *verification {
	for _, one := range slices.Backward(v.all) {
		if v.expire(one); one.status == "pending" && (one.sid == id || one.to == id) {
			return one
		}
	}
	return nil
}

// expire ends a verification whose life is over. The caller holds mu.
func (v *Service) expire(one *verification) {
	if one.status == "pending" && !v.config.Now().Before(one.created.Add(life)) {
		one.status = "expired"
	}
}

// begin starts a verification, or texts the code of the pending one again, whatever code the
// request has. The caller holds mu.
func (v *Service) begin(to string, text Text, name string) (*verification, refusal) {
	now := v.config.Now().UTC().Truncate(time.Second)
	one := v.pending(to)
	if one != nil && len(one.sends) >= maxSends {
		return nil, refusal{429, 60203}
	}
	if one == nil {
		one = &verification{sid: twilio.NewSID("VE"), to: to, code: text.Code, status: "pending",
			created: now}
		if one.code == "" {
			one.code = newCode(v.config.CodeLength)
		}
		v.all = append(v.all, one)
	}
	send := sendAttempt{twilio.NewSID("VL"), "SMS", now}
	one.sends, one.updated = append(one.sends, send), now
	if name == "" {
		name = v.config.FriendlyName
	}
	text.Custom, text.To, text.Code, text.Time = text.Code != "", to, one.code, now
	text.VerificationSID, text.AttemptSID, text.Body = one.sid, send.AttemptSID,
		one.code+" is your code for "+name
	v.texts = append(v.texts, text)
	if v.config.Phones != nil {
		v.config.Phones.Bring(twilio.Text{SID: send.AttemptSID, From: "Verify", To: to, Body: text.Body,
			Direction: twilio.TextSent, Status: "delivered", Time: now})
	}
	return one, refusal{}
}

// isGuarded reports whether Fraud Guard blocks a number. The caller holds mu.
func (v *Service) isGuarded(to string) bool {
	for prefix, until := range v.guarded {
		if strings.HasPrefix(to, prefix) && v.config.Now().Before(until) {
			return true
		}
	}
	return false
}

func newCode(digits int) string {
	code := make([]byte, digits)
	for i := range code {
		n, _ := rand.Int(rand.Reader, big.NewInt(10)) // never fails
		code[i] = byte('0' + n.Int64())
	}
	return string(code)
}
