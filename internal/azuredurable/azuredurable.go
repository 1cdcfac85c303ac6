// Package azuredurable is the rule for one instance of the orchestration E4_SmsPhoneVerification,
// the phone verification sample of Azure Durable Functions: a verification as the clients of that
// product start, watch and steer it.
//
// It is for the door of Durable Functions. An instance goes
//
//	Running ──▶ Completed    its verification was approved (output true) or failed (output false)
//	 │ ▲  ├──▶ Canceled     the phone's STOP, or another door, called the verification off
//	 ▼ │  └──▶ Terminated   its app called the verification off
//	Suspended ──▶ Terminated
//	Failed                    the code could not be texted, when it was started or because every
//	                          provider refused; Running again when rewound
//
// The verification of a running instance knows how it ended. So it makes no difference through
// which door the code came. A suspended instance does not show the result: codes are counted and
// the deadline runs, and the result shows when the instance is resumed.
//
// It promises that no code is in an instance, its output or its history. Of one id at most one
// instance is unfinished, however many replicas race to start it.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/
// durable-functions-phone-verification
package azuredurable

import (
	"cmp"
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
	Activity = "E4_SendSmsChallenge"     // texts the code
	Event    = "SmsChallengeResponse"    // brings a code
)

// door is the door of the verifications.
const door = "durable"

// Status is the runtime status of an instance.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/
// durable-functions-instance-management
// (OrchestrationRuntimeStatus)
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

// Finished reports whether the instance changes only if a client restarts, rewinds or purges it.
func (s Status) Finished() bool { return s != Running && s != Suspended }

// ParseStatus reads a status in any capitals. Pending, ContinuedAsNew and Unknown are statuses too.
// No instance here ever has them.
func ParseStatus(word string) (Status, bool) {
	for _, s := range []Status{
		Running, Suspended, Completed, Failed, Canceled, Terminated,
		"Pending", "ContinuedAsNew", "Unknown",
	} {
		if strings.EqualFold(word, string(s)) {
			return s, true
		}
	}
	return "", false
}

// Why a request is refused. Nothing was recorded then.
var (
	ErrUnknown  = errors.New("azuredurable: there is no instance with this id")
	ErrFinished = errors.New("azuredurable: the instance has finished")
	ErrRunning  = errors.New("azuredurable: an instance with this id is not finished")
	ErrID       = fmt.Errorf("azuredurable: an instance id has 1 to %d characters, "+
		"none of them a slash, backslash, #, ? or control character, and no @ in front", maxID)
	ErrInput = errors.New("azuredurable: the input is not a phone number in E.164 form " +
		"that may be texted, as a JSON string")
)

// maxID is the longest instance id, which other doors call external id.
//
// Source: https://learn.microsoft.com/azure/azure-functions/durable/
// durable-functions-instance-management
// (instance ids have 1 to 100 characters)
const maxID = 100

// maxReason is how many characters of a reason are kept.
const maxReason = 500

// Instance is an instance as it stands.
type Instance struct {
	ID     string
	Input  json.RawMessage // as it was given
	Status Status
	// Output is null until the instance has finished. Then it is a boolean, or the reason why the
	// instance failed or was terminated.
	Output           json.RawMessage
	Created, Updated time.Time

	row      db.DurableInstance
	deadline time.Time // of the verification
	timedOut bool      // that deadline ended it
	// reason is why its verification failed, "" if it did not.
	reason verification.Reason
}

// Case is the id of the case: that of its verification, or its row's when none could be started.
func (i Instance) Case() string { return cmp.Or(i.row.VerificationID, i.row.ID) }

// Phone is the phone that it verifies, or no number when its input is none.
func (i Instance) Phone() phonemail.Number {
	var given string
	if json.Unmarshal(i.Input, &given) != nil {
		return phonemail.Number{}
	}
	phone, err := phonemail.ParseNumber(given)
	if err != nil {
		return phonemail.Number{}
	}
	return phone
}

// The states of an instance's own. The verification of a running one says how it ended.
const (
	running         db.DurableState = "running"
	suspendedState  db.DurableState = "suspended"
	failedState     db.DurableState = "failed"
	terminatedState db.DurableState = "terminated"
)

// Start starts an instance with a new verification of the phone in the input, and makes its text
// due. The id "" stands for a new one. An instance without a phone fails at once, as in the sample,
// and so does one whose phone may not be texted just now. A finished instance with the same id is
// replaced. Start returns ErrID, ErrInput, or ErrRunning.
func Start(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string, input json.RawMessage,
) (Instance, error) {
	if id == "" {
		id = strings.ReplaceAll(store.NewID(), "-", "")
	}
	if err := judgeID(id); err != nil {
		return Instance{}, err
	}
	phone, err := ParseInput(t, input, tx.Now())
	if err != nil {
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
		ID: row, Tenant: t.Slug, InstanceID: id, Input: kept(input, phone),
		Digits: int64(t.Doors.Durable.CodeLength), Now: tx.Moment(),
	})
	if err != nil {
		return Instance{}, fmt.Errorf("azuredurable: adding: %w", err)
	}
	if n == 0 { // another replica took the id at this very moment
		return Instance{}, ErrRunning
	}
	if err := tx.Record(ctx, t.Slug, row, started, ""); err != nil {
		return Instance{}, err
	}
	return run(ctx, tx, t, id)
}

// ParseInput reads the input of an instance: a phone number that the tenant may text. For null and
// "" it returns no number: an instance can be started without one, and fails. For anything else it
// returns ErrInput. The Python client packs the input twice, so a JSON string within the string is
// unpacked.
func ParseInput(
	t *tenant.Tenant, input json.RawMessage, now time.Time,
) (phonemail.Number, error) {
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
	if err != nil || t.Check(phone, now) != nil {
		return phonemail.Number{}, ErrInput
	}
	return phone, nil
}

// kept is an input as the row keeps it: as it was given, if the number can be read in it without
// unpacking it. By that the row is found when the number must go.
func kept(input json.RawMessage, phone phonemail.Number) string {
	plain := strings.NewReplacer(`"`, "", `\`, "").Replace(string(input))
	if phone == (phonemail.Number{}) || plain == phone.E164() {
		return string(input)
	}
	return `"` + phone.E164() + `"`
}

func judgeID(id string) error {
	switch {
	case !utf8.ValidString(id), utf8.RuneCountInString(id) > maxID, id == "",
		strings.ContainsAny(id, `/\#?`), strings.HasPrefix(id, "@"),
		strings.ContainsFunc(id, unicode.IsControl):
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
	phone, err := ParseInput(t, i.Input, tx.Now())
	if err != nil {
		return Instance{}, err
	}
	if phone == (phonemail.Number{}) {
		return fail(ctx, tx, i,
			"Orchestrator function '"+Function+"' failed: A phone number input is required.")
	}
	r := verification.For(t, door, phone)
	r.ExternalID, r.Replace, r.Renew, r.Length = id, true, false, t.Doors.Durable.CodeLength
	r.Limits.Life, r.Limits.Attempts = t.Doors.Durable.ValidFor, t.Doors.Durable.Attempts
	r.Limits.Sends = 1
	r.Wording = func(code, _ string) string { return "Your verification code is " + code }
	v, _, err := verification.Start(ctx, tx, r)
	wait := new(verification.WaitError)
	if errors.Is(err, verification.ErrOptedOut) || errors.As(err, &wait) {
		return fail(ctx, tx, i, activityFailed+"the phone cannot be texted now.")
	}
	if err != nil {
		return Instance{}, err
	}
	_, err = tx.SetDurableVerification(ctx, db.SetDurableVerificationParams{
		ID: i.row.ID, VerificationID: v.ID, Digits: int64(r.Length),
	})
	if err != nil {
		return Instance{}, err
	}
	err = tx.Record(ctx, t.Slug, i.row.ID, sent, v.Expires.Format(time.RFC3339Nano))
	if err != nil {
		return Instance{}, err
	}
	return Get(ctx, tx, t.Slug, id)
}

// activityFailed begins the output of an instance whose code could not be texted.
const activityFailed = "The activity function '" + Activity + "' failed: "

// refusal is the output of an instance whose verification failed for a reason.
func refusal(reason verification.Reason) string {
	return activityFailed + "the text was refused (" + string(reason) + ")."
}

func fail(ctx context.Context, tx *store.Tx, i Instance, why string) (Instance, error) {
	failing := move{from: []db.DurableState{running}, to: failedState, output: why, event: failed}
	if _, err := failing.make(ctx, tx, i); err != nil {
		return Instance{}, err
	}
	return Get(ctx, tx, i.row.Tenant, i.ID)
}

// Get returns a tenant's instance, or ErrUnknown.
func Get(ctx context.Context, tx store.View, tenant, id string) (Instance, error) {
	if judgeID(id) != nil { // the databases do not take every text
		return Instance{}, ErrUnknown
	}
	row, err := tx.GetDurableInstance(ctx, db.GetDurableInstanceParams{
		Tenant: tenant, InstanceID: id,
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Instance{}, ErrUnknown
	}
	return readJoined(db.ListDurableInstancesRow(row), tx.Now()), err
}

// readJoined reads an instance and what its verification says, if it has one.
func readJoined(row db.ListDurableInstancesRow, now time.Time) Instance {
	return read(row.DurableInstance, ending{
		state: verification.State(row.VerificationState), reason: row.Reason,
		deadline: row.ExpiresAt.Time, at: row.EndedAt.Time,
	}, now)
}

// ending is what the verification of an instance says about its end.
type ending struct {
	state    verification.State // "" for no verification
	reason   verification.Reason
	deadline time.Time
	at       time.Time
}

// read works out how an instance stands: by its own state if that says it, and else by the state of
// its verification.
func read(row db.DurableInstance, e ending, now time.Time) Instance {
	i := Instance{
		ID: row.InstanceID, Input: json.RawMessage(row.Input), Status: Running,
		Output: json.RawMessage("null"), Created: row.CreatedAt.Time, Updated: row.UpdatedAt.Time,
		row: row, deadline: e.deadline,
	}
	late := !now.Before(e.deadline)
	switch {
	case row.State == suspendedState:
		i.Status = Suspended
		return i
	case row.State == failedState:
		i.Status, i.Output = Failed, encode(row.Output)
		return i
	case row.State == terminatedState:
		i.Status, i.Output = Terminated, encode(row.Output)
		return i
	case e.state == verification.Approved:
		i.Status, i.Output = Completed, json.RawMessage("true")
	case e.state == verification.Canceled:
		i.Status = Canceled
	case e.state == verification.Failed:
		i.Status, i.Output, i.reason = Failed, encode(refusal(e.reason)), e.reason
	case e.state == verification.MaxAttemptsReached:
		i.Status, i.Output = Completed, json.RawMessage("false")
	case e.state == verification.Expired, late:
		i.Status, i.Output, i.timedOut = Completed, json.RawMessage("false"), true
		e.at = e.deadline
	default:
		return i
	}
	if e.at.After(i.Updated) {
		i.Updated = e.at
	}
	return i
}

func encode(text string) json.RawMessage {
	encoded, _ := json.Marshal(text) // a string always can be
	return encoded
}
