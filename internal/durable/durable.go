// Package durable is the rule for one instance of the orchestration E4_SmsPhoneVerification, the phone verification sample of Azure Durable
// Functions: a verification as the clients of that product start, watch and steer it.
//
// It is for the Durable door. An instance goes
//
//	Running ──▶ Completed    its verification was approved (output true) or failed (output false)
//	 │ ▲  ├──▶ Canceled     the phone's STOP, or another door, called the verification off
//	 ▼ │  └──▶ Terminated   its app did
//	Suspended ──▶ Terminated
//	Failed                    the code could not be texted; Running again when rewound
//
// How a running instance ended is its verification's to know, so that it makes no difference through which door the code came. A suspended
// instance keeps the answer to itself: codes are counted and the deadline runs, and what came of them shows when it is resumed.
//
// It promises that no code is in an instance, its output or its history, and that one id has one instance that is not finished, whoever races
// to start it.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-phone-verification
package durable

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// The names of the sample.
const (
	Function = "E4_SmsPhoneVerification" // the orchestrator
	Activity = "E4_SendSmsChallenge"     // what texts the code
	Event    = "SmsChallengeResponse"    // what brings a code
)

// door is how the verifications are marked.
const door = "durable"

// Status is the runtime status of an instance.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management (OrchestrationRuntimeStatus)
type Status string

// The statuses that instances have here.
const (
	Running    Status = "Running"
	Suspended  Status = "Suspended"
	Completed  Status = "Completed"
	Failed     Status = "Failed"
	Canceled   Status = "Canceled"
	Terminated Status = "Terminated"
)

// Finished reports whether nothing more happens to the instance by itself.
func (s Status) Finished() bool { return s != Running && s != Suspended }

// ParseStatus reads a status in any capitals. Pending, ContinuedAsNew and Unknown are statuses too, which no instance here ever has.
func ParseStatus(word string) (Status, bool) {
	for _, s := range []Status{Running, Suspended, Completed, Failed, Canceled, Terminated, "Pending", "ContinuedAsNew", "Unknown"} {
		if strings.EqualFold(word, string(s)) {
			return s, true
		}
	}
	return "", false
}

// Why something is refused. Nothing was recorded then.
var (
	ErrUnknown  = errors.New("durable: there is no instance with this id")
	ErrFinished = errors.New("durable: the instance has finished")
	ErrRunning  = errors.New("durable: an instance with this id is not finished")
	ErrID       = fmt.Errorf("durable: an instance id has 1 to %d characters, none of them a slash, backslash, #, ? or control character, and no @ in front", maxID)
	ErrInput    = errors.New("durable: the input is not a phone number in E.164 form that may be texted, as a JSON string")
)

// maxID is the longest instance id, which other doors call external id.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management (instance ids have 1 to 100 characters)
const maxID = 100

// maxReason is how much of a reason is kept.
const maxReason = 500

// Instance is an instance as it stands.
type Instance struct {
	ID               string
	Input            json.RawMessage // as it was given
	Status           Status
	Output           json.RawMessage // null until it has finished: a boolean, or why it failed or was terminated
	Created, Updated time.Time
	Digits           int // of the code

	row      db.DurableInstance
	deadline time.Time // of the verification
	timedOut bool      // that deadline ended it
}

// Start starts an instance with a new verification of the phone in the input, and makes its text due; the id "" stands for a new one. Without
// a phone, or when the phone may not be texted just now, the instance fails at once, as the sample does. A finished instance with the same id
// is replaced. It returns ErrID, ErrInput, or ErrRunning.
func Start(ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string, input json.RawMessage) (Instance, error) {
	if id == "" {
		id = strings.ReplaceAll(store.NewID(), "-", "")
	}
	if err := judgeID(id); err != nil {
		return Instance{}, err
	}
	if _, err := ParseInput(t, input); err != nil {
		return Instance{}, err
	}
	old, err := Get(ctx, tx, t.Slug, id)
	switch {
	case err == nil && !old.Status.Finished():
		return Instance{}, ErrRunning
	case err == nil:
		err = drop(ctx, tx, old)
	case errors.Is(err, ErrUnknown):
		err = nil
	}
	if err != nil {
		return Instance{}, err
	}
	row := store.NewID()
	n, err := tx.AddDurableInstance(ctx, db.AddDurableInstanceParams{
		ID: row, Tenant: t.Slug, InstanceID: id, Input: string(input),
		Digits: int64(t.Doors.Durable.CodeLength), Now: store.Millis(tx.Now()),
	})
	if err != nil {
		return Instance{}, fmt.Errorf("durable: adding: %w", err)
	}
	if n == 0 { // another replica took the id at this very moment
		return Instance{}, ErrRunning
	}
	if err := tx.Record(ctx, t.Slug, row, started, ""); err != nil {
		return Instance{}, err
	}
	return run(ctx, tx, t, id)
}

// ParseInput reads the input of an instance: a phone number that the tenant may text, or no number for null and "", with which an instance can
// be started and fails. It returns ErrInput for anything else. A JSON string within the string is unpacked, because the Python client packs twice.
func ParseInput(t *tenant.Tenant, input json.RawMessage) (phonemail.Number, error) {
	var text *string
	if err := json.Unmarshal(input, &text); err != nil {
		return phonemail.Number{}, ErrInput
	}
	if text != nil && strings.HasPrefix(*text, `"`) {
		if err := json.Unmarshal([]byte(*text), &text); err != nil {
			return phonemail.Number{}, ErrInput
		}
	}
	if text == nil || *text == "" || *text == "null" {
		return phonemail.Number{}, nil
	}
	phone, err := phonemail.ParseNumber(*text)
	if err != nil || t.Policy.Check(phone) != nil {
		return phonemail.Number{}, ErrInput
	}
	return phone, nil
}

func judgeID(id string) error {
	switch {
	case !utf8.ValidString(id), utf8.RuneCountInString(id) > maxID, strings.ContainsAny(id, `/\#?`), strings.HasPrefix(id, "@"),
		strings.ContainsFunc(id, unicode.IsControl), id == "":
		return ErrID
	}
	return nil
}

// run starts the verification of an instance, or has the instance fail.
func run(ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string) (Instance, error) {
	i, err := Get(ctx, tx, t.Slug, id)
	if err != nil {
		return Instance{}, err
	}
	phone, err := ParseInput(t, i.Input)
	if err != nil {
		return Instance{}, err
	}
	if phone == (phonemail.Number{}) {
		return fail(ctx, tx, i, "Orchestrator function '"+Function+"' failed: A phone number input is required.")
	}
	r := verification.For(t, door, phone)
	r.ExternalID, r.Replace, r.Renew, r.Length = id, true, false, t.Doors.Durable.CodeLength
	r.Limits.Life, r.Limits.Attempts, r.Limits.Sends = t.Doors.Durable.ValidFor,
		t.Doors.Durable.Attempts, 1
	r.Wording = func(code, _ string) string { return "Your verification code is " + code }
	v, _, err := verification.Start(ctx, tx, r)
	if wait := new(verification.WaitError); errors.Is(err, verification.ErrOptedOut) || errors.As(err, &wait) {
		return fail(ctx, tx, i, "The activity function '"+Activity+"' failed: the phone cannot be texted now.")
	}
	if err != nil {
		return Instance{}, err
	}
	if _, err := tx.SetDurableVerification(ctx, db.SetDurableVerificationParams{ID: i.row.ID, VerificationID: v.ID, Digits: int64(r.Length)}); err != nil {
		return Instance{}, err
	}
	if err := tx.Record(ctx, t.Slug, i.row.ID, sent, v.Expires.Format(time.RFC3339Nano)); err != nil {
		return Instance{}, err
	}
	return Get(ctx, tx, t.Slug, id)
}

func fail(ctx context.Context, tx *store.Tx, i Instance, why string) (Instance, error) {
	if _, err := move(ctx, tx, i, "failed", why, failed, "running"); err != nil {
		return Instance{}, err
	}
	return Get(ctx, tx, i.row.Tenant, i.ID)
}

// Get returns a tenant's instance, or ErrUnknown.
func Get(ctx context.Context, tx *store.Tx, tenant, id string) (Instance, error) {
	if judgeID(id) != nil { // what the databases would not take
		return Instance{}, ErrUnknown
	}
	row, err := tx.GetDurableInstance(ctx, db.GetDurableInstanceParams{Tenant: tenant, InstanceID: id})
	if errors.Is(err, sql.ErrNoRows) {
		return Instance{}, ErrUnknown
	}
	return read(db.ListDurableInstancesRow(row), tx.Now()), err
}

// read works out how an instance stands: by its own state, and else by its verification's.
func read(all db.ListDurableInstancesRow, now time.Time) Instance {
	row := all.DurableInstance
	i := Instance{
		ID: row.InstanceID, Input: json.RawMessage(row.Input), Status: Running, Output: json.RawMessage("null"), Digits: int(row.Digits),
		Created: store.Time(row.CreatedAt), Updated: store.Time(row.UpdatedAt), row: row, deadline: store.Time(all.ExpiresAt),
	}
	ended, late := store.Time(all.EndedAt), !now.Before(i.deadline)
	state := verification.State(all.VerificationState)
	switch {
	case row.State == "suspended":
		i.Status = Suspended
		return i
	case row.State == "failed":
		i.Status, i.Output = Failed, encode(row.Output)
		return i
	case row.State == "terminated":
		i.Status, i.Output = Terminated, encode(row.Output)
		return i
	case state == verification.Approved:
		i.Status, i.Output = Completed, json.RawMessage("true")
	case state == verification.Canceled:
		i.Status = Canceled
	case state == verification.MaxAttemptsReached:
		i.Status, i.Output = Completed, json.RawMessage("false")
	case state == verification.Expired, late:
		i.Status, i.Output, i.timedOut, ended = Completed, json.RawMessage("false"), true, i.deadline
	default:
		return i
	}
	if ended.After(i.Updated) {
		i.Updated = ended
	}
	return i
}

func encode(text string) json.RawMessage {
	encoded, _ := json.Marshal(text) // a string always can be
	return encoded
}
