//go:build !race

package inbound_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/azuredurable"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// This file holds every door to one table (doors_table_test.go): how each of its operations
// responds for a verification in each state, and what it does to it.

// The states in which a door may find a verification. The last four are an instance's own, at
// the Durable door.
const (
	statePending   = "pending"
	stateApproved  = "approved"
	stateCanceled  = "canceled"
	stateOverdue   = "overdue" // its time is over, and no worker has recorded it
	stateExpired   = "expired" // the same, and recorded
	stateExhausted = "max_attempts_reached"
	stateRefused   = "refused" // no provider took the text
	stateUnknown   = "unknown"

	stateSuspended  = "suspended"
	stateHidden     = "suspended, approved" // the right code came during the suspension
	stateTerminated = "terminated"
	stateFailed     = "failed" // the phone could not be texted, and now can be again
)

// endedStates are the states in which a verification stays.
func endedStates() []string {
	return []string{
		stateApproved, stateCanceled, stateOverdue, stateExpired, stateExhausted, stateRefused,
	}
}

// door is one way to verifications.
type door struct {
	name string
	// every state that can be met here, and how the door shows it, if it does
	stands     map[string]string
	start      func(s *subject)                  // starts a verification
	look       func(s *subject) string           // shows one; nil where nothing does
	operations map[string]func(s *subject) heard // everything that can be asked for here
	answer     []string                          // the operations that present the right code
	table      []expectation
}

// heard is the response of a door: the HTTP status, and the fields that are documented.
type heard struct {
	status int
	says   string
}

// expectation is a row of the table. In says and does, {} stands for how the door shows the state.
type expectation struct {
	operation string
	in        []string // states
	status    int
	says      string
	// does is how what was there stands afterwards, and after a plus sign what is new. It is ""
	// when nothing changed.
	does string
}

// subject is the verification of one cell, which has a phone of its own.
type subject struct {
	inboundtest.App
	flowroute inboundtest.FlowrouteClient
	durable   inboundtest.DurableClient
	n         int // of the cell
	replies   int // texts from the phone
	began     time.Time
	phone     phonemail.Number
	external  string // what the doors call it, and the Idempotency-Key with which it was started
	id, code  string
}

// Ensure that every operation of every door responds in every state as documented, and does to
// the verification what it should.
func TestDoorTable(t *testing.T) {
	longtest.Skip(t)
	eachDoor(t, func(t *testing.T, next func(t *testing.T) *subject) {
		for _, d := range doors() {
			for _, e := range d.table {
				require.Contains(t, d.operations, e.operation)
				require.Subset(t, slices.Collect(maps.Keys(d.stands)), e.in, "%s, %s", d.name, e.operation)
			}
			for _, operation := range slices.Sorted(maps.Keys(d.operations)) {
				for _, state := range slices.Sorted(maps.Keys(d.stands)) {
					t.Run(d.name+"/"+operation+"/"+state, func(t *testing.T) {
						want := d.expected(t, operation, state)
						s := next(t)
						s.bring(t, d, state)
						s.meets(t, d, want)
					})
				}
			}
		}
		s := next(t)
		log := s.Log.Take()
		require.NotContains(t, log, "+45201", "no phone")
		for _, said := range []string{"api", "flowroute", "durable"} {
			require.Regexp(t, `"msg":"`+said+`","tenant":"acme","case":"[0-9a-f-]{36}",`+
				`"phone":"\+45\*{6}[0-9]{2}"`, log, "each door says which case a request is about")
		}
		for path, item := range s.Spec.At(s.Spec.Root, "paths").(map[string]any) {
			for method := range item.(map[string]any) {
				if method == "parameters" || path == "/v1/openapi.yaml" {
					continue
				}
				line := `"method":"` + strings.ToUpper(method) +
					`","path":"` + strings.ReplaceAll(path, "{id}", ":id") + `"`
				require.Contains(t, log, line, "every operation of the API was in it")
			}
		}
		for _, state := range inboundtest.List(s.Spec.At(
			s.Spec.Root, "components", "schemas", "Status", "enum",
		)) {
			stands := slices.Collect(maps.Values(apiDoor().stands))
			require.Contains(t, stands, state, "and so was every state")
		}
	})
}

// Ensure that a verification is answered through the door at which it was started and by text, and
// then has ended at both. No key of another door says whether its code is right.
func TestDoorAnswers(t *testing.T) {
	eachDoor(t, func(t *testing.T, next func(t *testing.T) *subject) {
		for _, at := range []door{apiDoor(), flowrouteServiceDoor(), durableFunctionsDoor()} {
			ways := map[string]door{at.name: at, "text": textDoor()}
			for _, way := range slices.Sorted(maps.Keys(ways)) {
				for _, operation := range ways[way].answer {
					t.Run(at.name+"/"+way+"/"+operation, func(t *testing.T) {
						s := next(t)
						s.bring(t, at, statePending)
						if at.name != "api" {
							for _, code := range []string{s.code, inboundtest.OtherCode(s.code)} {
								require.Equal(t, heard{404, "not-found"}, s.hear(s.Check(s.id, code)))
							}
						}
						s.meets(t, ways[way], ways[way].expected(t, operation, statePending))
						require.Equal(t, []string{"approved 1/1"}, brief(s.rows()))
						require.Equal(t, heard{200, "approved"}, s.list())
						for _, other := range ways {
							for _, again := range other.answer {
								s.meets(t, other, other.expected(t, again, stateApproved))
							}
							require.Equal(t, other.stands[stateApproved], other.shown(s))
						}
						require.Equal(
							t,
							"1",
							s.One(
								t,
								"SELECT COUNT(*) FROM event WHERE name = 'verification.approved' AND subject = '"+s.id+"'",
							),
						)
					})
				}
			}
		}
	})
}

// eachDoor opens all doors on each database; next makes the subject of a cell, a minute after
// that of the last.
func eachDoor(t *testing.T, test func(t *testing.T, next func(t *testing.T) *subject)) {
	each(t, func(t *testing.T, b *bridge) {
		spec := inboundtest.ReadDescription(t, b.Bridge)
		flowroute := inboundtest.OpenFlowroute(t, b.Bridge)
		n := 0
		test(t, func(t *testing.T) *subject {
			n++
			b.Now = b.Now.Add(time.Minute)
			number, err := phonemail.ParseNumber(fmt.Sprintf("+45201%05d", n))
			require.NoError(t, err)
			return &subject{
				App: inboundtest.App{
					Bridge: b.Bridge,
					T:      t,
					Spec:   spec,
					Key:    apiKey,
					Seen:   map[string]bool{},
				}, flowroute: flowroute,
				durable: inboundtest.DurableClient{Bridge: b.Bridge, T: t},
				n:       n, began: b.Now, phone: number, external: fmt.Sprint("cell-", n), id: store.NewID(),
				code: "1234",
			}
		})
	}, "SMSBRIDGE_API_KEY="+apiKey, "SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1"+
		":8000", "SMSBRIDGE_DURABLE_CODE="+inboundtest.DurableKey)
}

// expected is the one row of the table that speaks of an operation in a state.
func (d door) expected(t *testing.T, operation, state string) expectation {
	t.Helper()
	var found []expectation
	for _, e := range d.table {
		if e.operation == operation && slices.Contains(e.in, state) {
			e.says = strings.ReplaceAll(e.says, "{}", d.stands[state])
			e.does = strings.ReplaceAll(e.does, "{}", d.stands[state])
			found = append(found, e)
		}
	}
	require.Len(t, found, 1, "each operation in each state is in the table, once")
	return found[0]
}

// bring starts a verification at a door and brings it to a state by its rule.
func (s *subject) bring(t *testing.T, d door, state string) {
	t.Helper()
	line := phonemail.Line{Account: accountSID, Sender: "+15005550006"}
	switch state {
	case stateUnknown:
	case stateFailed:
		s.do(func(ctx context.Context, tx *store.Tx) error { return text.OptOut(ctx, tx, line, s.phone) })
		d.start(s)
		s.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := text.ClearOptOuts(ctx, tx, s.phone, func(text.KnownOptOut) bool { return true })
			return err
		})
		require.Empty(t, s.rows())
	default:
		d.start(s)
		s.find()
		want := s.move(state)
		require.Equal(t, want, s.rows()[0].State)
	}
	require.Equal(t, d.stands[state], d.shown(s))
}

// find learns what only the phone knows, the code, and what the API lists, the id.
func (s *subject) find() {
	s.T.Helper()
	s.id = s.rows()[0].ID
	s.do(func(ctx context.Context, tx *store.Tx) error {
		secret, err := verification.Open(ctx, tx, "acme", s.id)
		s.code = secret.Code
		return err
	})
}

// move brings a pending verification to a state, and returns the rule's word for that.
func (s *subject) move(state string) verification.State {
	check := func(code string) {
		door := s.rows()[0].Door
		s.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Check(ctx, tx, "acme", s.id, verification.Presented{
				Door: door, Code: code,
			})
			return err
		})
	}
	suspend := func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Suspend(ctx, tx, "acme", s.external)
	}
	switch state {
	case stateApproved:
		check(s.code)
		return verification.Approved
	case stateHidden:
		s.do(suspend)
		check(s.code)
		return verification.Approved
	case stateSuspended:
		s.do(suspend)
	case stateCanceled:
		s.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Cancel(ctx, tx, "acme", s.id, "test")
			return err
		})
		return verification.Canceled
	case stateTerminated:
		s.do(func(ctx context.Context, tx *store.Tx) error {
			return azuredurable.Terminate(ctx, tx, "acme", s.external, "why")
		})
		return verification.Canceled
	case stateOverdue:
		s.Bridge.Now = s.rows()[0].Expires.Add(time.Second)
		return verification.Expired
	case stateExpired:
		s.Bridge.Now = s.rows()[0].Expires.Add(time.Second)
		s.do(
			func(ctx context.Context, tx *store.Tx) error { return verification.ExpireDue(ctx, tx, s.id) },
		)
		return verification.Expired
	case stateRefused:
		s.do(func(ctx context.Context, tx *store.Tx) error {
			last, err := tx.LastTextOfVerification(ctx, s.id)
			if err == nil {
				err = text.Refuse(ctx, tx, last.ID, "21211")
			}
			if err == nil {
				err = verification.Fail(ctx, tx, s.id, verification.NumberInvalid)
			}
			return err
		})
		return verification.Failed
	case stateExhausted:
		for range s.rows()[0].MaxAttempts {
			check(inboundtest.OtherCode(s.code))
		}
		return verification.MaxAttemptsReached
	}
	return verification.Pending
}

// meets does what an expectation speaks of, and shows that it is met.
func (s *subject) meets(t *testing.T, d door, want expectation) {
	t.Helper()
	before, stood := s.rows(), d.shown(s)
	got := d.operations[want.operation](s)
	require.Equal(t, heard{want.status, want.says}, got)
	after, stands := s.rows(), d.shown(s)
	var done []string
	if d.name == "durable" && stands != stood { // elsewhere what is shown is the verification itself
		done = append(done, cmp.Or(stands, "gone"))
	}
	for n, v := range after {
		switch {
		case n >= len(before):
			done = append(done, "+ "+brief(after)[n])
		case brief(after)[n] != brief(before)[n]:
			done = append(done, brief(after)[n])
		default:
			require.Equal(t, before[n], v)
		}
	}
	require.Equal(t, want.does, strings.Join(done, "; "))
	sends := 0
	for _, v := range after {
		sends += v.Sends
	}
	const texts = "SELECT COUNT(*) FROM text WHERE phone = '"
	require.Equal(t, fmt.Sprint(sends), s.One(t, texts+s.phone.E164()+"'"), "nothing else was said")
}

// shown is how a door shows the verification, "" where nothing shows one.
func (d door) shown(s *subject) string {
	if d.look == nil {
		return ""
	}
	return d.look(s)
}

// rows are the verifications of the phone, the oldest first.
func (s *subject) rows() (own []verification.Verification) {
	s.T.Helper()
	s.do(func(ctx context.Context, tx *store.Tx) error {
		all, err := verification.List(ctx, tx, "acme", "", 10)
		for _, v := range all {
			if v.Phone == s.phone {
				own = append([]verification.Verification{v.Verification}, own...)
			}
		}
		return err
	})
	return own
}

// brief says how verifications stand: their states, and after each how many codes were
// presented and how many texted.
func brief(all []verification.Verification) (words []string) {
	for _, v := range all {
		words = append(words, fmt.Sprintf("%s %d/%d", v.State, v.Attempts, v.Sends))
	}
	return words
}

func (s *subject) do(f func(ctx context.Context, tx *store.Tx) error) {
	s.T.Helper()
	require.NoError(s.T, s.Store.Do(s.T.Context(), f))
}
