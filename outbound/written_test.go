//go:build !race

package outbound

import (
	"context"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
)

// wal is what a SQLite database has written since its WAL was begun.
type wal struct {
	salts          string // another pair says that the WAL was begun anew
	pages, commits int
}

// wal reads the headers of the WAL's frames: there is one for each page that was written. Those
// with the size of the database end a commit. Frames with other salts are older.
//
// Source: https://sqlite.org/fileformat2.html#walformat
func (w *world) wal() (read wal) {
	w.t.Helper()
	const header, frame, page = 32, 24, 4096
	content, err := os.ReadFile(strings.TrimPrefix(w.databaseURL, "sqlite:") + "-wal")
	require.NoError(w.t, err)
	require.GreaterOrEqual(w.t, len(content), header)
	require.EqualValues(w.t, page, binary.BigEndian.Uint32(content[8:]), "bytes of a page")
	read.salts = string(content[16:24])
	for rest := content[header:]; len(rest) >= frame+page; rest = rest[frame+page:] {
		if string(rest[8:16]) != read.salts {
			break
		}
		read.pages++
		if binary.BigEndian.Uint32(rest[4:]) != 0 {
			read.commits++
		}
	}
	return read
}

// written is what do writes.
func (w *world) written(do func()) wal {
	w.t.Helper()
	before := w.wal()
	do()
	after := w.wal()
	require.Equal(w.t, before.salts, after.salts, "the WAL was begun anew meanwhile")
	return wal{after.salts, after.pages - before.pages, after.commits - before.commits}
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
			require.Equal(t, 1, wrote.commits, step.name)
			pages[step.name] += float64(wrote.pages) / rounds
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
	t.Logf("%d mails together: %d pages", group, wrote.pages)
	require.Equal(t, 1, wrote.commits)
	require.LessOrEqual(t, wrote.pages, bound)
}

// Ensure that the workers commit no more often than they must: once between two effects.
func TestCommitsOfAFlow(t *testing.T) {
	w := quick(t)
	w.age("seen", 0, "SELECT 'before' AS key") // begins the WAL
	w.keepWAL()
	commits := map[string]int{}
	count := func(name string, do func()) { commits[name] = w.written(do).commits }
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
