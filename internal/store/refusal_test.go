package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// held takes every lane, so that later calls wait and share what comes next. It returns how many
// calls wait already, and what frees the lanes.
func held(t *testing.T, s *store.Store) (waiting int, free func()) {
	t.Helper()
	const lanes = 4 // of PostgreSQL; SQLite has one, for which the other calls wait
	var wait sync.WaitGroup
	var begun atomic.Int64
	gate := make(chan struct{})
	for i := range lanes {
		wait.Go(func() {
			require.NoError(t, s.Do(t.Context(), func(context.Context, *store.Tx) error {
				begun.Add(1)
				<-gate
				return nil
			}))
		})
		require.Eventually(t, func() bool {
			waiting = s.Waiting()
			return int(begun.Load())+waiting == i+1
		}, time.Minute, time.Millisecond)
	}
	return waiting, func() {
		close(gate)
		wait.Wait()
	}
}

// Ensure that calls that are refused leave the others their shared commits. Otherwise an attacker
// whom a limit refuses would make every other call wait for a commit of its own.
func TestRefusalsAmongOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const calls = 100
		refused := errors.New("refused")
		refuses := map[int]bool{0: true, 1: true, 50: true, calls - 1: true}
		waiting, free := held(t, s)
		before := s.Groups()
		var runs [calls]int
		var errs [calls]error
		var wait sync.WaitGroup
		for i := range calls {
			wait.Go(func() {
				errs[i] = s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					runs[i]++
					if refuses[i] {
						return refused
					}
					return addEvent(ctx, tx, fmt.Sprint(i))
				})
			})
			require.Eventually(t, func() bool { return s.Waiting() == waiting+i+1 },
				time.Minute, time.Millisecond)
		}
		free()
		wait.Wait()
		for i, err := range errs {
			if refuses[i] {
				require.Equal(t, refused, err)
			} else {
				require.NoError(t, err)
			}
			require.LessOrEqual(t, runs[i], 3, i)
		}
		require.Len(t, events(t, s), calls-len(refuses))
		after := s.Groups()
		require.LessOrEqual(t, after.Commits-before.Commits, uint64(4+len(refuses)+1))
	})
}
