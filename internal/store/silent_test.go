package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// Ensure that a read ends with an error when the server falls silent, before it or in its midst.
// Later reads have their connections.
func TestReadOfASilentServer(t *testing.T) {
	url, armed := storetest.Mute(t, storetest.PostgreSQL(t))
	s, err := store.OpenImpatient(t.Context(), store.Options{URL: url, Key: storetest.Key})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	read := func(before func()) error {
		return s.Read(t.Context(), func(ctx context.Context, view store.View) error {
			before()
			_, err := view.GetMail(ctx, "none")
			return err
		})
	}
	nothing := func() {}
	answers := func() bool { return store.Missing(read(nothing)) }
	require.Eventually(t, answers, time.Minute, time.Millisecond) // its patience is short
	for range 3 {
		err := read(func() { armed.Store(true) })
		require.ErrorContains(t, err, "store: the database did not answer within 500ms")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, read(nothing), "the database did not answer within 500ms")
		_, err = s.Jobs(t.Context())
		require.ErrorContains(t, err, "the database did not answer within 500ms")
		_, err = s.HeldOn(t.Context(), phonemail.Number{})
		require.ErrorContains(t, err, "the database did not answer within 500ms")
		armed.Store(false)
		require.Eventually(t, answers, time.Minute, time.Millisecond)
	}
}
