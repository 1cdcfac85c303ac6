package store

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
)

// Ensure that one line stands for what all of River's parts say of one trouble in a minute. What is
// below a warning is left out.
func TestRiversLinesAreFolded(t *testing.T) {
	var out bytes.Buffer
	h := newFoldHandler(slog.NewTextHandler(&out, nil))
	start := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	say := func(after time.Duration, level slog.Level, message string, attrs ...slog.Attr) string {
		t.Helper()
		out.Reset()
		r := slog.NewRecord(start.Add(after), level, message, 0)
		r.AddAttrs(attrs...)
		if h.Enabled(t.Context(), level) {
			require.NoError(t, h.WithAttrs(nil).Handle(t.Context(), r))
		}
		_, said, _ := strings.Cut(strings.TrimSpace(out.String()), " ")
		return said
	}
	down := slog.Any("err", errors.New("connection refused"))
	require.Empty(t, say(0, slog.LevelInfo, "Elector: Gained leadership"))
	require.Equal(t, `level=ERROR msg="the queue cannot use the database" `+
		`part="Producer: Error fetching jobs" error="connection refused"`,
		say(0, slog.LevelError, "Producer: Error fetching jobs", down))
	require.Empty(t, say(time.Second, slog.LevelError, "Elector: Error attempting to elect", down))
	require.Empty(t, say(59*time.Second, slog.LevelError, "Notifier: Error",
		slog.String("error", "closed")))
	const stuck = "Executor: Job appears to be stuck"
	require.Equal(t, `level=WARN msg="the queue warns" part="`+stuck+`" job_id=7`,
		say(59*time.Second, slog.LevelWarn, stuck, slog.Int("job_id", 7)))
	require.Empty(t, say(60*time.Second, slog.LevelWarn, stuck))
	require.Equal(t, `level=ERROR msg="the queue cannot use the database" part=Elector error=closed `+
		`folded=2`, say(time.Minute, slog.LevelError, "Elector", slog.String("error", "closed")))
}

// Ensure that jobs which come back every few seconds, and always fail, fill no log. Any other job
// that fails has a line of its own.
func TestFailuresThatComeBackAreFolded(t *testing.T) {
	var out bytes.Buffer
	f := failureLog{slog.New(slog.NewTextHandler(&out, nil)), nil, newFolds()}
	fail := func(kind, args string) string {
		t.Helper()
		out.Reset()
		row := &rivertype.JobRow{Kind: kind, EncodedArgs: []byte(args), Attempt: 1, MaxAttempts: 25}
		require.Nil(t, f.HandleError(t.Context(), row, errors.New("a broken row")))
		return out.String()
	}
	require.Contains(t, fail("sweep", "{}"), `kind=sweep job=0 id="" attempt=1 error="a broken row"`)
	require.Empty(t, fail("sweep", "{}"))
	require.Empty(t, fail("sweep", "{}"))
	require.Contains(t, fail("prune", "{}"), "kind=prune")
	for range 2 {
		require.Contains(t, fail("send_text", `{"id": "row-1"}`), "kind=send_text job=0 id=row-1")
	}
	f.folds.since["sweep"].at = time.Now().Add(-foldFor)
	require.Contains(t, fail("sweep", "{}"), `error="a broken row" folded=2`)
}
