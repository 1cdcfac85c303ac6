package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// hold has a call at work in the one lane of a SQLite store until release is called. Its end is
// told on the channel.
func hold(ctx context.Context, s *store.Store) (release func(), end <-chan error) {
	begun, over, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			close(begun)
			<-over
			return addEvent(ctx, tx, "held")
		})
	}()
	<-begun
	return func() { close(over) }, ended
}

// Ensure that a caller that gives up while its call is at work is told how that ended: if it heard
// that nothing was done, it would do the same again.
func TestDoTellsTheEndOfWhatHasBegun(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	ctx, cancel := context.WithCancel(t.Context())
	release, end := hold(ctx, s)
	cancel()
	release()
	require.NoError(t, <-end)
	require.Equal(t, map[string]bool{"held": true}, events(t, s))
}

// Ensure that a store that closes refuses the calls that wait, and finishes those at work.
func TestCloseWhileCallsWait(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{URL: storetest.SQLite(t), Key: storetest.Key})
	require.NoError(t, err)
	release, end := hold(t.Context(), s)
	waits := make(chan error, 1)
	go func() {
		waits <- s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return addEvent(ctx, tx, "late")
		})
	}()
	require.Eventually(t, func() bool { return s.Waiting() == 1 }, time.Minute, time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	require.ErrorIs(t, <-waits, store.ErrClosed)
	release()
	require.NoError(t, <-end)
	require.NoError(t, <-closed)
}
