package store_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/fact"
	"smsbridge/internal/store/storetest"
)

// Ensure that those who count hear what a transaction recorded once it is committed. They hear
// nothing of one that was undone, and each fact once, also when another caller undid the group.
func TestHear(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		heard := make(chan []fact.Fact, 100)
		b.Store.Hear(func(facts []fact.Fact) { heard <- facts })
		next := func() []fact.Fact {
			select {
			case facts := <-heard:
				return facts
			case <-time.After(time.Minute):
				require.Fail(b, "nothing is heard")
				return nil
			}
		}
		about := fact.About{Provider: "twilio", Purpose: "prompt", Country: "DK"}
		row := store.NewID()
		record := func(name string, fails error) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				err := tx.RecordAbout(ctx, "acme", row, name, "", about)
				return errors.Join(err, fails)
			}
		}
		b.Do(record("text.sent", nil))
		require.Equal(b, []fact.Fact{
			{Tenant: "acme", Subject: row, Name: "text.sent", About: about},
		}, next())

		var steps []func(context.Context, *store.Tx) error
		undone := errors.New("undone")
		for i := range 20 {
			fails := undone
			if i%2 == 0 {
				fails = nil
			}
			steps = append(steps, record(fmt.Sprint("text.", i%2 == 0), fails))
		}
		b.AtOnce(steps...)
		n := 0
		for n < 10 {
			for _, fact := range next() {
				require.Equal(b, "text.true", fact.Name)
				n++
			}
		}
		require.Equal(b, 10, n)
		require.Empty(b, heard)
	})
}

// Ensure that the commits are counted by how many calls share each.
func TestGroups(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		before := b.Store.Groups()
		nothing := func(context.Context, *store.Tx) error { return nil }
		b.Do(nothing)
		one := b.Store.Groups()
		require.Equal(b, before.Commits+1, one.Commits)
		require.Equal(b, before.Calls+1, one.Calls)
		require.Equal(b, before.UpTo[1]+1, one.UpTo[1])
		steps := make([]func(context.Context, *store.Tx) error, 300)
		for i := range steps {
			steps[i] = nothing
		}
		b.AtOnce(steps...)
		all := b.Store.Groups()
		require.Equal(b, one.Calls+300, all.Calls)
		require.Equal(b, all.Commits, all.UpTo[256])
	})
}

// Ensure that the queue is counted: what is due, fails and died.
func TestQueueIsCounted(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		q, err := b.Store.Queue(b.Context())
		require.NoError(b, err)
		require.Equal(b, store.Queue{}, q)
		for i, state := range []string{
			"available", "available", "retryable", "cancelled", "discarded", "completed",
		} {
			at := fmt.Sprintf("2026-03-01 12:00:0%d", i)
			end := "NULL"
			if i > 2 {
				end = "'" + at + "'"
			}
			b.Exec(`INSERT INTO river_job (args, kind, max_attempts, state, scheduled_at, finalized_at)
				VALUES ('{}', 'sweep', 6, '` + state + `', '` + at + `', ` + end + `)`)
		}
		q, err = b.Store.Queue(b.Context())
		require.NoError(b, err)
		require.Equal(b, 2, q.Due)
		require.Equal(b, 1, q.Failing)
		require.Equal(b, 2, q.Dead)
		require.Equal(b, "12:00:00", q.Oldest.UTC().Format(time.TimeOnly))
		require.Equal(b, "12:00:04", q.Died.UTC().Format(time.TimeOnly))
		size, err := b.Store.Size(b.Context())
		require.NoError(b, err)
		require.Greater(b, size, int64(100_000))
	})
}

// Ensure that counting the queue reads no more of it than it counts.
func TestQueueIsCountedByIndexes(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "sqlite", strings.TrimPrefix(url, "sqlite:"))
	for _, statement := range store.QueueStatements() {
		plan := lines(t, conn, "EXPLAIN QUERY PLAN "+statement)
		for _, line := range plan {
			require.NotContains(t, line, "SCAN river_job", statement)
		}
		require.Zero(t, sorts(plan), "%s: %v", statement, plan)
	}

	url = storetest.PostgreSQL(t)
	storetest.Open(t, url, nil)
	conn = connect(t, "pgx", url)
	for _, statement := range []string{
		"SET enable_seqscan = off",
		`INSERT INTO river_job (args, kind, max_attempts, state, finalized_at)
			SELECT '{}', 'sweep', 6, 'completed', now() - n * interval '1 second'
			FROM generate_series(1, 20000) n`,
		"ANALYZE river_job",
	} {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	byIndex := regexp.MustCompile(`Index (Only )?Scan (Backward )?using \w+ on river_job`)
	for _, statement := range store.QueueStatements() {
		plan := strings.Join(lines(t, conn, "EXPLAIN "+statement), "\n")
		require.Regexp(t, byIndex, plan, statement)
		require.NotContains(t, plan, "Seq Scan", statement)
		require.NotContains(t, plan, "Sort", statement)
	}
}

// Ensure that the processes on a database know each other, and forget one that stops or dies.
func TestNodes(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		beat := func(id string) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return store.Beat(ctx, tx, store.Node{
					ID: id, Host: "h", Version: "v", Settings: "s", KeyID: "k", Since: storetest.Start,
				})
			})
		}
		ids := func() (ids []string) {
			b.Helper()
			require.NoError(b, b.Store.Read(b.Context(), func(ctx context.Context, view store.View) error {
				nodes, err := store.Nodes(ctx, view)
				ids = nil
				for _, n := range nodes {
					require.Equal(b, "k", n.KeyID)
					require.True(b, n.Since.Equal(storetest.Start))
					ids = append(ids, n.ID)
				}
				return err
			}))
			return ids
		}
		beat("a")
		b.Pass(30 * time.Second)
		beat("b")
		require.Equal(b, []string{"b", "a"}, ids())
		b.Pass(31 * time.Second)
		require.Equal(b, []string{"b"}, ids())
		beat("a")
		b.Do(func(ctx context.Context, tx *store.Tx) error { return store.Leave(ctx, tx, "b") })
		require.Equal(b, []string{"a"}, ids())
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return store.Beat(ctx, tx, store.Node{ID: "a", Settings: "reloaded", KeyID: "k"})
		})
		b.Pass(time.Hour)
		require.Empty(b, ids())
		require.NoError(b, b.Store.Read(b.Context(), func(ctx context.Context, view store.View) error {
			lately, err := store.NodesLately(ctx, view, store.NodeKept)
			require.Len(b, lately, 1, "it ended without saying so")
			require.Equal(b, "reloaded", lately[0].Settings)
			return err
		}))
	})
}
