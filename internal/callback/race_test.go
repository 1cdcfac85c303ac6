package callback_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/callback"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// A move takes at most one callback, and returns how many it took.
type move func(ctx context.Context, tx *store.Tx) (int, error)

func claim(ctx context.Context, tx *store.Tx) (taken int, err error) {
	_, found, err := callback.Claim(ctx, tx, "acme", "app")
	if found {
		taken = 1
	}
	return taken, err
}

func giveUp(ctx context.Context, tx *store.Tx) (int, error) {
	return callback.GiveUp(ctx, tx, "acme", "app", 1)
}

// replays is the move of an operator who replays the only callback.
func (b bridge) replays() move {
	id := b.newest(false)[0].ID
	return func(ctx context.Context, tx *store.Tx) (int, error) {
		err := callback.Replay(ctx, tx, id)
		if errors.Is(err, callback.ErrDue) {
			return 0, nil
		}
		return 1, err
	}
}

// Ensure that of two replicas one takes a callback, when both found it before either wrote. The
// row that the second waits for must not be taken again: an app would be told at once by both, or
// of what is dead.
func TestReplicasRace(t *testing.T) {
	for name, test := range map[string]struct {
		first, second move
		want          string
	}{
		"both claim":              {claim, claim, "due 1"},
		"given up, then claimed":  {giveUp, claim, "dead 0"},
		"claimed, then given up":  {claim, giveUp, "due 1"},
		"given up by both":        {giveUp, giveUp, "dead 0"},
		"both operators replayed": {nil, nil, "due 0"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bridge{storetest.OpenBench(t, storetest.PostgreSQL(t))}
			b.happens(subscribed(), "text.sent", "x")
			b.Pass(callback.Patience + time.Millisecond)
			if test.first == nil {
				b.Exec("UPDATE callback SET state = 'dead'")
				test.first, test.second = b.replays(), b.replays()
			}
			first, second := b.race(test.first, test.second)
			require.Equal(t, []int{1, 0}, []int{first, second})
			require.Equal(t, []string{test.want},
				b.Strings("SELECT state || ' ' || attempts FROM callback"))
		})
	}
}

// race has the second move begin when the first has written, and the first commit once the second
// waits for its row. It returns how many callbacks each took.
func (b bridge) race(first, second move) (one, two int) {
	b.Helper()
	waiting := "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	ended := make(chan error, 1)
	begin := sync.OnceFunc(func() {
		go func() {
			ended <- b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
				two, err = second(ctx, tx)
				return err
			})
		}()
	})
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		one, err = first(ctx, tx)
		for begin(); err == nil && b.Count(waiting) == 0; {
			err = ctx.Err()
		}
		return err
	})
	require.NoError(b, <-ended)
	return one, two
}

// Ensure that a row tells of its last try, and of none of them once an operator replayed it.
func TestRowTellsOfItsLastTry(t *testing.T) {
	each(t, func(b bridge) {
		b.happens(subscribed(), "text.sent", "x")
		is := func(want ...any) {
			b.Helper()
			c := b.newest(false)[0]
			require.Equal(b, want,
				[]any{c.State, c.Host, c.Status, c.Reason, len(c.Tries), c.Next, c.Ended})
		}
		c, _ := b.claim()
		b.tried(c, callback.Response{Host: "a.example", Status: 503, Reason: "answered 503"})
		again := b.Now().Add(5 * time.Second)
		is(callback.Due, "a.example", 503, "answered 503", 1, again, time.Time{})
		b.Pass(5 * time.Second)
		c, _ = b.claim()
		b.tried(c, callback.Response{Host: "b.example", Status: 410, Reason: "answered 410"})
		is(callback.Gone, "b.example", 410, "answered 410", 2, time.Time{}, b.Now())
		b.Do(func(ctx context.Context, tx *store.Tx) error { return callback.Replay(ctx, tx, c.ID) })
		is(callback.Due, "b.example", 0, "", 2, b.Now(), time.Time{})
		c, found := b.claim()
		require.True(b, found, "before its last lease is over")
		b.tried(c, callback.Response{Host: "b.example", Status: 204})
		is(callback.Delivered, "b.example", 204, "", 3, time.Time{}, b.Now())
	})
}
