package store_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// cutting is the URL of the same database behind a relay. When it is armed, it cuts the next
// connection whose transaction is committed, before the client hears of that. Its last words are
// the relay's own.
func cutting(t *testing.T, address, last string) (behind string, armed *atomic.Bool) {
	t.Helper()
	armed = new(atomic.Bool)
	return storetest.Relay(t, address, storetest.PassOn, func(client io.Writer, backend io.Reader) {
		if cut(client, backend, armed) {
			_, _ = io.WriteString(client, last)
		}
	}), armed
}

// cut passes on what PostgreSQL says, and reports whether it ended with a commit.
func cut(client io.Writer, backend io.Reader, armed *atomic.Bool) (committed bool) {
	in := bufio.NewReader(backend)
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(in, head); err != nil {
			return false
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(in, body); err != nil {
			return false
		}
		if head[0] == 'C' && string(body) == "COMMIT\x00" && armed.Swap(false) {
			return true
		}
		if _, err := client.Write(append(head, body...)); err != nil {
			return false
		}
	}
}

// crashed is what PgBouncer says when the server is gone that a client waits for.
const crashed = "E\x00\x00\x00\x30SFATAL\x00VFATAL\x00C08P01\x00Mserver conn crashed?\x00\x00"

// Ensure that calls which shared a commit are not run again when PostgreSQL's response to it was
// lost: it may have committed what they did.
func TestSharedCommitOfUnknownOutcome(t *testing.T) {
	for name, last := range map[string]string{"silence": "", "a pooler": crashed} {
		t.Run(name, func(t *testing.T) { testSharedCommit(t, last) })
	}
}

func testSharedCommit(t *testing.T, last string) {
	t.Helper()
	address, armed := cutting(t, storetest.PostgreSQL(t), last)
	s := storetest.Open(t, address, nil)
	var lanes, callers sync.WaitGroup
	taken, free := make(chan struct{}), make(chan struct{})
	for range 4 {
		lanes.Go(func() {
			require.NoError(t, s.Do(t.Context(), func(context.Context, *store.Tx) error {
				taken <- struct{}{}
				<-free
				return nil
			}))
		})
		<-taken // so that each lane takes one call
	}
	var (
		first sync.Once
		errs  [2]error
	)
	for i := range errs {
		callers.Go(func() {
			errs[i] = s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				first.Do(func() { armed.Store(true) })
				return tx.Record(ctx, "acme", "row", "done", "")
			})
		})
	}
	require.Eventually(t, func() bool { return s.Waiting() == 2 }, time.Minute, time.Millisecond)
	free <- struct{}{}
	callers.Wait()
	close(free)
	lanes.Wait()
	require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) error {
		done, err := view.EventsOf(ctx, "row")
		require.Len(t, done, 2, "each has done it once")
		return err
	}))
	for _, err := range errs {
		require.ErrorContains(t, err, "committing", "and hears that it is not known")
	}
}
