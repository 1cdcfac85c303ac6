package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// other is a second kind of job.
type other struct{ ID string }

func (other) Kind() string { return "other" }

// Ensure that the jobs of one commit which are due now share a row for each kind, in their order,
// at most 32 in each. One that is alone of its kind, or due later, has a row of its own.
func TestBundles(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		b.Do(func(_ context.Context, tx *store.Tx) error {
			tx.Enqueue(other{"alone"})
			for i := range 40 {
				tx.Enqueue(probe{fmt.Sprint(i)})
			}
			tx.EnqueueAt(probe{"later"}, tx.Now().Add(time.Hour))
			return nil
		})
		require.Equal(b, 1, b.Count("river_job WHERE kind = 'other' AND args->>'ID' = 'alone'"))
		require.Equal(b, 1, b.Count("river_job WHERE kind = 'probe' AND args->>'ID' = 'later'"))
		var sizes []int
		next := 0
		for _, args := range b.Strings("SELECT args->>'jobs' FROM river_job" +
			" WHERE kind = 'bundle' AND args->>'of' = 'probe' ORDER BY id") {
			var jobs []probe
			require.NoError(b, json.Unmarshal([]byte(args), &jobs))
			sizes = append(sizes, len(jobs))
			for _, job := range jobs {
				require.Equal(b, fmt.Sprint(next), job.ID)
				next++
			}
		}
		require.Equal(b, []int{32, 8}, sizes)
		require.Equal(b, 4, b.Count("river_job"))
	})
}

// Ensure that a worker takes back all jobs of one type which are due now, and no other.
func TestWithdraw(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		b.Do(func(_ context.Context, tx *store.Tx) error {
			tx.Enqueue(probe{"1"})
			tx.Enqueue(other{"2"})
			tx.EnqueueAt(probe{"3"}, tx.Now().Add(time.Hour))
			tx.Enqueue(probe{"4"})
			require.Equal(b, []probe{{"1"}, {"4"}}, store.Withdraw[probe](tx))
			require.Empty(b, store.Withdraw[probe](tx))
			return nil
		})
		require.Equal(b, []string{"2", "3"}, b.Strings("SELECT args->>'ID' FROM river_job ORDER BY id"))
	})
}
