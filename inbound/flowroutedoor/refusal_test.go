package flowroutedoor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// Ensure that a client hears with the request that its text is refused, as from the service, which
// sends within the request. Each check says the same.
func TestFlowrouteRefusedText(t *testing.T) {
	const says = `{"message":"The code could not be texted: number_unreachable",` +
		`"reason":"SendingFailed","attempts_left":0}`
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		f.Change(func(s *inbound.Server) { s.SendWait = 8 * time.Second })
		waits := inboundtest.OpenFlowroute(t, f.Bridge)
		refused := make(chan error, 1)
		go func() { refused <- refuseNext(t.Context(), f.Store) }()
		r := waits.Create(t, `"my_identifier"`, `"`+phone+`"`)
		require.NoError(t, <-refused)
		require.Equal(t, 500, r.StatusCode)
		require.JSONEq(t, says, r.Body)
		for range 2 {
			r = f.Check(t, "my_identifier", "1234")
			require.Equal(t, 500, r.StatusCode)
			require.JSONEq(t, says, r.Body)
		}
		f.Change(func(s *inbound.Server) { s.SendWait = time.Nanosecond })
		again := f.Create(t, `"my_identifier"`, `"`+phone+`"`)
		require.Equal(t, 200, again.StatusCode, "it can be asked for again")
		code, _ := f.Texted(t)
		require.Equal(t, 200, f.Check(t, "my_identifier", code).StatusCode)
	})
}

// Ensure that a client hears that its code is not compared yet while Twilio Verify says nothing.
// That stays so when Verify has all attempts: the auth_id is not unknown before it is over.
func TestFlowrouteWhileVerifyCompares(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		f.Change(func(s *inbound.Server) { s.Patience = time.Nanosecond })
		hasty := inboundtest.OpenFlowroute(t, f.Bridge)
		require.Equal(t, 200, hasty.Create(t, `"my_identifier"`, `"`+phone+`"`).StatusCode)
		id := f.One(t, "SELECT id FROM verification")
		f.Do(t, func(ctx context.Context, tx *store.Tx) error {
			return verification.SentByVerify(ctx, tx, id, "VE1", true)
		})
		for n := range 4 { // one more than there are attempts
			r := hasty.Check(t, "my_identifier", "1234")
			require.Equal(t, 503, r.StatusCode, n)
			require.JSONEq(t, `{"message":"Not compared yet","reason":"Pending"}`, r.Body)
		}
	})
}

// refuseNext has every provider refuse the first text for good, as soon as there is one.
func refuseNext(ctx context.Context, s *store.Store) error {
	for ctx.Err() == nil {
		found := false
		err := s.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			all, err := verification.List(ctx, tx, "acme", "", 1)
			if err != nil || len(all) == 0 {
				return err
			}
			found = true
			last, err := tx.LastTextOfVerification(ctx, all[0].ID)
			if err != nil {
				return err
			}
			return errors.Join(
				text.Refuse(ctx, tx, last.ID, "21614"),
				verification.Fail(ctx, tx, all[0].ID, verification.NumberUnreachable),
			)
		})
		if err != nil || found {
			return err
		}
	}
	return ctx.Err()
}
