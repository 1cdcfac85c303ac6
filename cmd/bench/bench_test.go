package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
)

// TestMain has a child of a test be the bench itself, which starts its own program as the baseline.
func TestMain(m *testing.M) {
	if os.Getenv(beBench) != "" {
		main()
	}
	os.Exit(m.Run())
}

// command runs the bench, and returns its exit status and what it says.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &problems)
	return status, out.String(), problems.String()
}

// Ensure that a run measures the server of this tree, on a database with old cases. Every mail that
// it accepted is texted once, and a finished flow leaves its rows.
func TestRun(t *testing.T) {
	longtest.Skip(t)
	if runtime.GOOS != "linux" {
		t.Skip("the bench reads /proc")
	}
	t.Chdir("../..")
	status, stdout, stderr := command(t, "--seconds", "0.2", "--repeat", "1", "--rows", "20",
		"--only", "accept,accept-held,flow", "--callers", "4", "--in-flight", "4", "--drain", "--json",
		"--dir", t.TempDir())
	require.Zero(t, status, stderr)
	var r report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Len(t, r.Table, 5, stdout)
	for i, name := range []string{workEcho, workForget, workAccept, "accept-held", "flow"} {
		row := r.Table[i]
		require.Equal(t, name, row.Work)
		require.Positive(t, row.Values[valueRate], row)
		require.Positive(t, row.Values[valueP99], row)
		require.GreaterOrEqual(t, row.Values[valueP99], row.Values[valueP50], row)
	}
	accept, held, flow := r.Table[2], r.Table[3], r.Table[4]
	require.Positive(t, accept.Values[valueEcho])
	require.Positive(t, accept.Values[valueForget])
	require.Zero(t, held.Values[valueDelivered], "no provider responds meanwhile")
	for _, row := range r.Table[2:] {
		require.Positive(t, row.Values[valueMemory], row)
		require.Positive(t, row.Values[valueCommits], row)
	}
	for _, row := range []sample{accept, flow} {
		require.InDelta(t, 1, row.Rows["mail"], 0.001, row)
		require.InDelta(t, 1, row.Rows["challenge"], 0.001, row)
	}
	require.InDelta(t, 1, accept.Rows["text"], 0.001)
	require.InDelta(t, 2, flow.Rows["text"], 0.001, "the question, and the outcome")
	require.Contains(t, r.Table[2].key.String(), "sqlite smsbridge")
}

// Ensure that the check after a load finds a mail that no text came of, and a text that came twice.
func TestLost(t *testing.T) {
	f := &fakes{phones: map[int]*phone{}}
	s := &stage{bench: &bench{fakes: f}}
	take := func(n int, body string) {
		f.seen(n, func(p *phone) { f.take(p, text{body, time.Unix(1, 0)}) })
	}
	take(1, "a question")
	require.NoError(t, s.lost(1))
	require.ErrorContains(t, s.lost(2), "1 of 2 accepted mails were not texted")
	take(1, "the outcome")
	require.NoError(t, s.lost(1))
	require.Error(t, s.lost(2), "two texts to one phone are no two mails")
	take(1, "a question")
	require.ErrorContains(t, s.lost(1), "1 texts were sent twice")
	f.forget()
	require.NoError(t, s.lost(0))
}

// Ensure that an interrupt while a run waits for texts is told as such, and not as texts that are
// lost.
func TestInterruptedWait(t *testing.T) {
	s := &stage{bench: &bench{fakes: &fakes{phones: map[int]*phone{}}}}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the measurement takes too long"))
	require.EqualError(t, s.drained(ctx, 1), "the measurement takes too long")
}

// Ensure that a mistake is told at once, with what to do about it.
func TestMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a work":      {[]string{"--only", "acept"}, "there is no work acept"},
		"a flag":      {[]string{"--repeats", "3"}, "bench --help lists the flags"},
		"seconds":     {[]string{"--seconds", "0"}, "--seconds is out of range"},
		"repeat":      {[]string{"--repeat", "0"}, "out of range"},
		"callers":     {[]string{"--callers", "16,0"}, "out of range"},
		"rows":        {[]string{"--rows=-1"}, "--rows is out of range"},
		"latency":     {[]string{"--latency", "1m"}, "--latency is out of range"},
		"no database": {[]string{"--no-sqlite"}, "no database to measure on"},
		"replicas":    {[]string{"--only", "flow-two"}, "flow-two needs PostgreSQL"},
		"no program": {[]string{"--binary", "old=/does/not/exist"},
			"no program /does/not/exist for old"},
		"a folder": {[]string{"--binary", "old=" + t.TempDir()}, "there is no program"},
		"another program": {[]string{"--only", "start", "--binary", "sh=/bin/sh"},
			"does not understand serve --help"},
		"sender": {[]string{"--sender", "spf"}, "bench --help lists the flags"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := command(t, append(test.args, "--dir", t.TempDir())...)
			require.Equal(t, exitMistake, status)
			require.Empty(t, stdout)
			require.Contains(t, stderr, test.want)
			require.Contains(t, stderr, "bench: hint: ")
		})
	}
}

func TestHelp(t *testing.T) {
	status, stdout, _ := command(t, "--help")
	require.Zero(t, status)
	for _, w := range allWorks() {
		require.Contains(t, stdout, w.name)
	}
	require.Contains(t, stdout, "--binary")
}
