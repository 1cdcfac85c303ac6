package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// beginning is a Beginner of probes, whose jobs end when they are let go.
type beginning struct {
	mu    sync.Mutex
	begun []string                      // the ids of the jobs that began
	done  []string                      // and of those that were done
	hold  chan struct{}                 // jobs wait for it, unless it is nil
	fails func(id string) (error, bool) // what beginning a job ends with instead
}

func (g *beginning) begin(
	_ context.Context, _ *store.Tx, job store.Job,
) (func(ctx context.Context), error) {
	id := job.(probe).ID
	if g.fails != nil {
		if err, fails := g.fails(id); fails {
			return nil, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begun = append(g.begun, id)
	return func(context.Context) {
		if g.hold != nil {
			<-g.hold
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.done = append(g.done, id)
	}, nil
}

// eachBeginning runs a test on a store that begins probes in the transactions that make them due.
func eachBeginning(t *testing.T, test func(b storetest.Bench, g *beginning)) {
	storetest.EachBench(t, func(b storetest.Bench) {
		g := &beginning{}
		b.Store.BeginWith(g.begin, probe{}.Kind())
		b.Store.Admit()
		test(b, g)
		require.NoError(b, b.Store.Refuse(b.Context()))
		_, taken := b.Store.Turns()
		require.Zero(b, taken, "every turn was given back")
	})
}

// queued are the ids of the jobs that the queue has.
func queued(b storetest.Bench) []string {
	return b.Strings("SELECT args->>'ID' FROM river_job ORDER BY id")
}

// Ensure that a job of a kind that is begun at once is done when its transaction is committed. No
// row of the queue has it. Other jobs, and those that are due later, are in the queue.
func TestJobsAreBegun(t *testing.T) {
	eachBeginning(t, func(b storetest.Bench, g *beginning) {
		b.Do(func(_ context.Context, tx *store.Tx) error {
			require.Equal(b, tx.Moment(), tx.Enqueue(probe{"now"}))
			require.Zero(b, tx.Enqueue(other{"queued"}))
			tx.EnqueueAt(probe{"later"}, tx.Now().Add(time.Hour))
			require.Empty(b, g.begun, "it begins when the rule is through")
			return nil
		})
		require.Equal(b, []string{"now"}, g.begun)
		require.NoError(b, b.Store.Refuse(b.Context()))
		require.Equal(b, []string{"now"}, g.done)
		require.Equal(b, []string{"queued", "later"}, queued(b))
	})
}

// Ensure that nothing is done whose transaction fails, and that its turn is free again.
func TestFailedTransactionsBeginNothing(t *testing.T) {
	eachBeginning(t, func(b storetest.Bench, g *beginning) {
		most, _ := b.Store.Turns()
		for range 2 * most {
			err := b.Try(func(_ context.Context, tx *store.Tx) error {
				require.Equal(b, tx.Moment(), tx.Enqueue(probe{"never"}))
				return errors.New("the rule failed")
			})
			require.Error(b, err)
		}
		// the queue cannot keep such a job: the transaction fails when both have begun
		for range 2 * most {
			err := b.Try(func(_ context.Context, tx *store.Tx) error {
				require.Equal(b, tx.Moment(), tx.Enqueue(probe{"never"}))
				tx.Enqueue(broken{make(chan int)})
				return nil
			})
			require.Error(b, err)
		}
		// the turn of a job that is taken back is given back once
		err := b.Try(func(_ context.Context, tx *store.Tx) error {
			tx.Enqueue(probe{"never"})
			tx.Dequeue(probe{"never"})
			return errors.New("the rule failed")
		})
		require.Error(b, err)
		_, taken := b.Store.Turns()
		require.Zero(b, taken)
		require.NoError(b, b.Store.Refuse(b.Context()))
		require.Empty(b, g.done)
		require.Empty(b, queued(b))
	})
}

// broken is a job that no queue can keep.
type broken struct{ C chan int }

func (broken) Kind() string { return "broken" }

// Ensure that a job which cannot be begun, or panics then, goes to the queue. What its transaction
// wrote is kept, and the callers that shared the transaction notice nothing.
func TestJobsThatCannotBeBegunAreQueued(t *testing.T) {
	eachBeginning(t, func(b storetest.Bench, g *beginning) {
		g.fails = func(id string) (error, bool) {
			switch id {
			case "fails":
				return errors.New("the row cannot be opened"), true
			case "panics":
				panic("the code is 482913")
			}
			return nil, id == "nothing to do"
		}
		var steps []func(ctx context.Context, tx *store.Tx) error
		for _, id := range []string{"one", "fails", "two", "panics", "nothing to do"} {
			steps = append(steps, func(ctx context.Context, tx *store.Tx) error {
				tx.Enqueue(probe{id})
				return tx.Record(ctx, "acme", id, "probed", "")
			})
		}
		for i, err := range b.AtOnce(steps...) {
			require.NoError(b, err, i)
		}
		require.NoError(b, b.Store.Refuse(b.Context()))
		require.ElementsMatch(b, []string{"one", "two"}, g.done)
		require.ElementsMatch(b, []string{"fails", "panics"}, queued(b))
		require.Equal(b, 5, b.Count("event WHERE name = 'probed'"))
	})
}

// Ensure that the queue has the jobs for which there is no turn. It has all of them before it is
// worked, and after it is stopped. Stopping waits for what was begun.
func TestJobsWithoutATurnAreQueued(t *testing.T) {
	eachBeginning(t, func(b storetest.Bench, g *beginning) {
		g.hold = make(chan struct{})
		most, _ := b.Store.Turns()
		b.Do(func(_ context.Context, tx *store.Tx) error {
			for i := range most {
				require.Equal(b, tx.Moment(), tx.Enqueue(probe{fmt.Sprint(i)}))
			}
			require.Zero(b, tx.Enqueue(probe{"beyond"}))
			return nil
		})
		require.Equal(b, []string{"beyond"}, queued(b))
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		require.ErrorIs(b, b.Store.Refuse(ctx), context.Canceled, "jobs are at work")
		close(g.hold)
		require.NoError(b, b.Store.Refuse(b.Context()))
		require.Len(b, g.done, most)
		b.Do(func(_ context.Context, tx *store.Tx) error {
			require.Zero(b, tx.Enqueue(probe{"after"}))
			return nil
		})
		require.Equal(b, []string{"beyond", "after"}, queued(b))
	})
}

// Ensure that a job can be taken back, whether it is to begin or to be queued.
func TestJobsAreTakenBack(t *testing.T) {
	eachBeginning(t, func(b storetest.Bench, g *beginning) {
		b.Do(func(_ context.Context, tx *store.Tx) error {
			for _, id := range []string{"1", "2", "3"} {
				tx.Enqueue(probe{id})
				tx.Enqueue(other{id})
			}
			tx.EnqueueAt(other{"later"}, tx.Now().Add(time.Hour))
			tx.Dequeue(probe{"2"})
			tx.Dequeue(other{"1"})
			tx.Dequeue(other{"later"}) // it is not due now
			tx.Dequeue(other{"unknown"})
			require.Equal(b, []probe{{"1"}, {"3"}}, store.Withdraw[probe](tx))
			tx.Enqueue(probe{"first"})
			tx.Dequeue(probe{"first"})
			tx.Enqueue(probe{"4"})
			return nil
		})
		require.Equal(b, []string{"4"}, g.begun)
		require.ElementsMatch(b, []string{"later"}, b.Strings(
			"SELECT args->>'ID' FROM river_job WHERE kind <> 'bundle'"))
		require.Equal(b, 1, b.Count("river_job WHERE kind = 'bundle' AND args->>'jobs' LIKE '%2%3%'"))
		require.Zero(b, b.Count("river_job WHERE kind = 'bundle' AND args->>'jobs' LIKE '%1%'"))
	})
}

// Ensure that a begun job ends before its row is taken for a dead worker's, however long the rest
// of its transaction takes: the row has the time at which that began.
func TestBegunJobsEndInTime(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		ends := make(chan time.Time, 1)
		b.Store.BeginWith(func(
			context.Context, *store.Tx, store.Job,
		) (func(ctx context.Context), error) {
			return func(ctx context.Context) {
				end, _ := ctx.Deadline()
				ends <- end
			}, nil
		}, probe{}.Kind())
		b.Store.Admit()
		var inside time.Time
		b.Do(func(_ context.Context, tx *store.Tx) error {
			tx.Enqueue(probe{"now"})
			inside = time.Now()
			return nil
		})
		require.True(b, (<-ends).Before(inside.Add(store.BegunWithin)))
		require.NoError(b, b.Store.Refuse(b.Context()))
	})
}
