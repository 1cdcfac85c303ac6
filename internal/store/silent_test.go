package store_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// muted is the URL of the same database behind a relay. When it is armed, it swallows what
// PostgreSQL says, and keeps the connections.
func muted(t *testing.T, address string) (behind string, armed *atomic.Bool) {
	armed = new(atomic.Bool)
	return relayed(t, address, all, func(client io.Writer, backend io.Reader) {
		buffer := make([]byte, 64<<10)
		for {
			n, err := backend.Read(buffer)
			if err != nil {
				return
			}
			if armed.Load() {
				continue
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}), armed
}

// Ensure that a read ends with an error when the server falls silent, before it or in its midst.
// Later reads have their connections.
func TestReadOfASilentServer(t *testing.T) {
	url, armed := muted(t, storetest.PostgreSQL(t))
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
	require.True(t, store.Missing(read(nothing)))
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
		require.True(t, store.Missing(read(nothing)))
	}
}
