package store_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// counted is the URL of the same database behind a relay, which counts the messages that ask
// PostgreSQL to respond: each is a round trip.
//
// Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
func counted(t *testing.T, address string) (behind string, trips *atomic.Int64) {
	t.Helper()
	trips = new(atomic.Int64)
	return storetest.Relay(t, address, func(backend io.Writer, client io.Reader) {
		count(client, backend, trips)
	}, storetest.PassOn), trips
}

// count passes on what a client says, and counts its Query and Sync messages.
func count(client io.Reader, backend io.Writer, trips *atomic.Int64) {
	in := bufio.NewReader(client)
	for first := true; ; first = false {
		var kind []byte
		if !first { // the first message has no kind
			one, err := in.ReadByte()
			if err != nil {
				return
			}
			kind = []byte{one}
		}
		length := make([]byte, 4)
		if _, err := io.ReadFull(in, length); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(length)-4)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		if string(kind) == "Q" || string(kind) == "S" {
			trips.Add(1)
		}
		if _, err := backend.Write(append(append(kind, length...), body...)); err != nil {
			return
		}
	}
}

// Ensure that a transaction asks PostgreSQL to respond no more often than it must: once for its
// beginning and time, each query of the caller, the jobs, and the commit with all events.
func TestRoundTrips(t *testing.T) {
	address, trips := counted(t, storetest.PostgreSQL(t))
	s := storetest.Open(t, address, nil)
	accept := func() {
		id := store.NewID()
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.AddSeen(ctx, db.AddSeenParams{Source: "test", ID: id, At: tx.Moment()})
			if err != nil {
				return err
			}
			phone, err := phonemail.ParseNumber("+4520123456")
			if err != nil {
				return err
			}
			_, err = tx.AddMail(ctx, db.AddMailParams{ID: id, Tenant: "acme", Phone: phone,
				MessageID: id, ReceivedAt: tx.Moment()})
			if err != nil {
				return err
			}
			tx.Enqueue(probe{id})
			for range 4 {
				if err := tx.Record(ctx, "acme", id, "test.done", ""); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for range 10 { // so that each connection in use has prepared its statements
		accept()
	}
	for range 20 { // River notifies with some of them only
		trips.Store(0)
		accept()
		require.EqualValues(t, 5, trips.Load())
	}
	trips.Store(0)
	require.NoError(t, s.Do(t.Context(), func(context.Context, *store.Tx) error { return nil }))
	require.EqualValues(t, 2, trips.Load(), "beginning and commit")
}

// Ensure that nothing is committed when PostgreSQL refuses the jobs, or when the caller went on
// after a failure. The store works on after that.
func TestRefusedCommit(t *testing.T) {
	b := storetest.OpenBench(t, storetest.PostgreSQL(t))
	record := func(ctx context.Context, tx *store.Tx) error {
		tx.Enqueue(probe{"1"})
		return tx.Record(ctx, "acme", "s", "test.done", "")
	}
	b.Exec("ALTER TABLE river_job RENAME TO lost")
	for range 20 {
		require.ErrorContains(t, b.Try(record), "river_job")
	}
	b.Exec("ALTER TABLE lost RENAME TO river_job")
	require.Zero(t, b.Count("event"))
	require.Error(t, b.Try(func(ctx context.Context, tx *store.Tx) error {
		_ = addEvent(ctx, tx, "twice")
		_ = addEvent(ctx, tx, "twice")
		return nil
	}))
	require.Zero(t, b.Count("event"))
	b.Do(record)
	require.Equal(t, 1, b.Count("event"))
	require.Equal(t, 1, b.Count("river_job"))
}
