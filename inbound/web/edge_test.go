package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that one time bounds a whole request, the wait for Twilio Verify's verdict included.
func TestOneTimeBoundsARequest(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Hour} {
		whole, cancel := web.Bound(t.Context())
		defer cancel()
		end, bounded := whole.Deadline()
		require.True(t, bounded)
		require.LessOrEqual(t, time.Until(end), web.CommitWait)
		verdict, cancel := web.Edge{Patience: patience}.Await(whole)
		defer cancel()
		at, bounded := verdict.Deadline()
		require.True(t, bounded)
		require.False(t, at.After(end), "%s", patience)
	}
	s := storetest.Open(t, storetest.SQLite(t), nil)
	end, err := web.Read(t.Context(), s, func(ctx context.Context, _ store.View) (time.Time, error) {
		end, bounded := ctx.Deadline()
		require.True(t, bounded)
		return end, nil
	})
	require.NoError(t, err)
	require.LessOrEqual(t, time.Until(end), web.CommitWait)
	short, cancel := web.Edge{Patience: time.Nanosecond}.Await(t.Context())
	defer cancel()
	<-short.Done()
	alone, cancel := web.Edge{}.Await(t.Context())
	defer cancel()
	end, bounded := alone.Deadline()
	require.True(t, bounded)
	require.LessOrEqual(t, time.Until(end), web.CommitWait)
}
