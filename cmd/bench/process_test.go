package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that what a process uses is read: this very test burns processor time, and has memory.
func TestUsage(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	before := usageOf(os.Getpid())
	deadline := time.Now().Add(time.Minute)
	for usageOf(os.Getpid()).minus(before).cpu < 3*clockTick {
		require.True(t, time.Now().Before(deadline), "no processor time is counted")
	}
	require.Greater(t, memory(os.Getpid()), int64(1<<20))
	require.GreaterOrEqual(t, peakMemory(os.Getpid()), memory(os.Getpid())/2)
	require.Zero(t, usageOf(-1))
	require.Equal(t, int64(31), numberAfter(strings.NewReader("a: 1\nVmRSS:\t 31 kB\n"), "VmRSS:"))
	require.Zero(t, numberAfter(strings.NewReader("VmRSS:\n"), "VmRSS:"))
}

// Ensure that commits are counted as SQLite counts them: one for each transaction that writes.
func TestCommits(t *testing.T) {
	d := database{kind: kindSQLite, path: filepath.Join(t.TempDir(), "a.db")}
	db, err := d.connect()
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA journal_mode = WAL", "CREATE TABLE a (b)"} {
		_, err := db.Exec(statement)
		require.NoError(t, err)
	}
	meter, err := d.meter()
	require.NoError(t, err)
	defer meter.close()
	before := meter.read(t.Context())
	for range 5 {
		_, err := db.Exec("INSERT INTO a VALUES (1), (2)")
		require.NoError(t, err)
		_, err = db.Exec("SELECT * FROM a")
		require.NoError(t, err)
	}
	commits, _ := meter.read(t.Context()).minus(before)
	require.Equal(t, int64(5), commits)
	require.Zero(t, commitsIn(filepath.Join(t.TempDir(), "none")))
}

// Ensure that a child ends in order when it is asked to, and that one that fails says why. No child
// outlives the bench.
func TestChild(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	sh := func(ctx context.Context, script string) *child {
		c, err := startChild(ctx, exec.Command("sh", "-c", script))
		require.NoError(t, err)
		return c
	}
	waits := "trap 'exit 0' TERM; echo ready >&2; while :; do read x || sleep 0.01; done"
	c := sh(t.Context(), waits)
	require.Eventually(t, func() bool { return c.said.String() == "ready" }, time.Minute,
		time.Millisecond)
	require.NoError(t, c.stop())

	c = sh(t.Context(), "echo first >&2; echo no disk >&2; exit 3")
	<-c.done
	require.ErrorContains(t, c.stop(), "no disk")

	ctx, cancel := context.WithCancel(t.Context())
	c = sh(ctx, waits)
	cancel()
	<-c.done
	require.Error(t, c.err)
	_, err := startChild(t.Context(), exec.Command(filepath.Join(t.TempDir(), "none")))
	require.Error(t, err)
}

// Ensure that the bench ends in order when its terminal is closed. It has children to end then, and
// folders and databases to remove.
func TestClosedTerminal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGHUP")
	}
	closed := syscall.SIGHUP
	if signal.Ignored(closed) { // as nohup has it, for the bench, too
		closed = syscall.SIGTERM
	}
	c, _, err := startBaseline(t.Context(), "key")
	require.NoError(t, err)
	require.NoError(t, c.command.Process.Signal(closed))
	<-c.done
	require.NoError(t, c.err)
}

// Ensure that the last complaint of a server is kept, whatever it writes afterwards.
func TestLastComplaint(t *testing.T) {
	var w lastWords
	for _, line := range []string{`{"level":"INFO","msg":"a"}`, `{"level":"ERROR","msg":"b"}`,
		`{"level":"INFO","msg":"c"}`} {
		_, err := w.Write([]byte(line + "\n"))
		require.NoError(t, err)
	}
	require.Equal(t, `{"level":"ERROR","msg":"b"}`+"\n"+`{"level":"INFO","msg":"c"}`, w.String())
}
