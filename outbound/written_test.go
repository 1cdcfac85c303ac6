//go:build !race

package outbound

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// written is what do writes.
func (w *world) written(do func()) storetest.WAL {
	w.t.Helper()
	path := strings.TrimPrefix(w.databaseURL, "sqlite:")
	before := storetest.ReadWAL(w.t, path)
	do()
	after := storetest.ReadWAL(w.t, path)
	require.Equal(w.t, before.Salts, after.Salts, "the WAL was begun anew meanwhile")
	return storetest.WAL{Pages: after.Pages - before.Pages, Commits: after.Commits - before.Commits}
}

// keepWAL has the WAL grow until the test ends: SQLite does not begin it anew while it is read.
func (w *world) keepWAL() {
	w.t.Helper()
	reader, err := w.db.Conn(context.Background())
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, reader.Close()) })
	tx, err := reader.BeginTx(context.Background(), nil)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, tx.Rollback()) })
	var n int
	require.NoError(w.t, tx.QueryRow("SELECT COUNT(*) FROM mail").Scan(&n))
}

// Ensure that what a flow writes stays little: the pages of one that is alone, step by step, and of
// many mails that share a commit. On SQLite they are exact. PostgreSQL writes for its own ends
// meanwhile, and its counters count that too. A number that falls is to be lowered here.
func TestPagesOfAFlow(t *testing.T) {
	longtest.Skip(t)
	w := quick(t)
	w.flows(0, 200) // so that the tables have more than one page
	w.keepWAL()
	const rounds = 10
	pages := map[string]float64{}
	for n := range rounds {
		f := w.newFlow(1000 + n)
		for _, step := range f.steps() {
			wrote := w.written(func() {
				w.do(func(ctx context.Context, tx *store.Tx) error { return f.take(ctx, tx, step) })
			})
			require.Equal(t, 1, wrote.Commits, step.name)
			pages[step.name] += float64(wrote.Pages) / rounds
		}
	}
	bounds := map[string]float64{
		"mail": 14.5, "examined, prompt begun": 24, "prompt sent": 7.5, "yes": 16, "click begun": 5,
		"click ended, outcome begun": 18, "outcome sent": 7.5,
	}
	require.Len(t, pages, len(bounds))
	for name, n := range pages {
		t.Logf("%5.1f pages are written for: %s", n, name)
		require.LessOrEqual(t, n, bounds[name], name)
	}

	const group, bound = 64, 80
	accepts := make([]*flow, group)
	for i := range accepts {
		accepts[i] = w.newFlow(2000 + i)
	}
	wrote := w.written(func() {
		w.do(func(ctx context.Context, tx *store.Tx) error {
			for _, f := range accepts {
				if err := f.take(ctx, tx, f.steps()[0]); err != nil {
					return err
				}
			}
			return nil
		})
	})
	t.Logf("%d mails together: %d pages", group, wrote.Pages)
	require.Equal(t, 1, wrote.Commits)
	require.LessOrEqual(t, wrote.Pages, bound)
}

// Ensure that the workers commit no more often than they must: once between two effects.
func TestCommitsOfAFlow(t *testing.T) {
	w := quick(t)
	w.age("seen", 0, "SELECT 'before' AS key") // begins the WAL
	w.keepWAL()
	commits := map[string]int{}
	count := func(name string, do func()) { commits[name] = w.written(do).Commits }
	stored := w.signUp(address)
	var mailID string
	count("mail", func() { mailID = w.take(stored, stored.URL) })
	count("examine_mail", func() { require.NoError(t, w.examineMail(t.Context(), mailID)) })
	require.Len(t, w.twilio.Phone(phone).Inbox(), 1, "the prompt")
	count("yes", func() { w.yes() })
	id := w.one("SELECT id FROM challenge")
	count("click_link", func() { require.NoError(t, w.clickLink(t.Context(), id)) })
	require.Len(t, w.twilio.Phone(phone).Inbox(), 2, "the outcome")
	count("delete_mail", func() { require.NoError(t, w.deleteMail(t.Context(), mailID)) })
	require.Equal(t, map[string]int{
		"mail": 1, "examine_mail": 2, "yes": 1, "click_link": 3, "delete_mail": 1,
	}, commits)
}
