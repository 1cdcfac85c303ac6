package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"smsbridge/cmd/smsbridge/socket"
	"smsbridge/internal/mail"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Ensure that the bridge runs these commands for others, and no more: what serve, backup or
// restore do with its rights is no business of a process that only connects.
func TestCommandsForBridge(t *testing.T) {
	command, _, err := parse([]string{"jobs"}, world{stdout: io.Discard, stderr: io.Discard})
	require.NoError(t, err)
	var run []string
	require.NoError(t, kong.Visit(command.Model.Node, func(v kong.Visitable, next kong.Next) error {
		if node, is := v.(*kong.Node); is && node.Leaf() {
			if _, ours := node.Target.Interface().(interface{ forBridge() }); ours {
				run = append(run, strings.TrimPrefix(node.FullPath(), "smsbridge "))
			}
		}
		return next(nil)
	}))
	slices.Sort(run)
	require.Equal(t, []string{
		"bugreport", "callbacks list", "callbacks replay", "doctor", "forget", "hold", "jobs drop",
		"jobs list", "jobs retry", "limits", "listen", "optout add", "optout export", "optout import",
		"optout list", "optout remove", "release", "show", "tail", "usage", "why",
	}, run)
}

// insider is a bridge that does nothing but run commands.
type insider struct {
	bridge
	log  *bytes.Buffer
	stop chan struct{}
}

func openInsider(t *testing.T) insider {
	settings, err := tenant.FromEnv(tenantEnviron("SMSBRIDGE_DATABASE="+storetest.SQLite(t),
		"SMSBRIDGE_KEY="+hex.EncodeToString(storetest.Key)))
	require.NoError(t, err)
	var log bytes.Buffer
	b, err := openBridge(t.Context(), settings, slog.New(slog.NewJSONHandler(&log, nil)), nil)
	require.NoError(t, err)
	st := b.store
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return insider{b, &log, make(chan struct{})}
}

// run runs a command as another process would have it.
func (i insider) run(
	ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, args ...string,
) int {
	command := i.commands(i.stop).(*socket.Handler).Find(args)
	return command(ctx, socket.Call{
		Request: socket.Request{Args: args}, User: "anna", Stdin: stdin, Stdout: stdout, Stderr: stderr,
	})
}

// says returns the status and all that a command writes.
func (i insider) says(t *testing.T, stdin string, args ...string) (int, string) {
	var said bytes.Buffer
	status := i.run(t.Context(), strings.NewReader(stdin), &said, &said, args...)
	return status, said.String()
}

// Ensure that the bridge reads and writes no file that a command names.
func TestBridgeTouchesNoFile(t *testing.T) {
	i := openInsider(t)
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("phone,tenant\n+4520123456,acme\n"), 0o600))
	for _, file := range []string{secret, filepath.Join(folder, "none")} {
		status, said := i.says(t, "phone,scope,tenant,account,sender,via,by,since\n",
			"optout", "import", file)
		require.Zero(t, status, said)
		require.Equal(t, "0 opt-outs read, 0 of them new\n", said, "of standard input alone")
	}
	status, said := i.says(t, "", "jobs", "--config", filepath.Join(folder, "none.yaml"))
	require.Zero(t, status, said)
	status, said = i.says(t, "", "bugreport", "--out", filepath.Join(folder, "report.json"))
	require.Zero(t, status, said)
	require.Contains(t, said, `"database": "ok"`)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1)

	for _, args := range [][]string{
		{"serve"}, {"backup", "x"}, {"restore", "x"}, {"keys"}, {"move", "--to", "postgres://x/y"},
		{"check"}, {"config"}, {"link", secret}, {"texts"}, {"demo"}, {"operator", "hash", "x"},
		{"trigger", "reply", "+4520123456", "YES"}, {"jobs", "--fast"}, {"dance"}, {"--help"}, {},
		{"jobs", "--version"}, {"jobs", "--help"},
	} {
		require.Nil(t, i.commands(i.stop).(*socket.Handler).Find(args), args)
	}
}

// Ensure that the log has one line of a command: its name, its user and its status. Its arguments
// may be a phone.
func TestCommandIsLogged(t *testing.T) {
	i := openInsider(t)
	status, _ := i.says(t, "", "optout", "add", "+4520123456", "--by", "4520123456")
	require.Zero(t, status)
	require.Equal(t, 1, strings.Count(i.log.String(), "\n"))
	require.Contains(t, i.log.String(),
		`"level":"INFO","msg":"a command has run","command":"optout add","user":"anna","status":0`)
	require.NotContains(t, i.log.String(), "20123456")
}

// Ensure that a panic in a command ends the command alone.
func TestCommandPanics(t *testing.T) {
	i := openInsider(t)
	i.store = nil
	status, said := i.says(t, "", "jobs")
	require.Equal(t, exitFailure, status)
	require.Equal(t,
		"smsbridge: error: the bridge failed at this command; its log says more\n", said)
	require.Contains(t, i.log.String(), `"msg":"a command failed","command":"jobs list"`)
	require.Contains(t, i.log.String(), "nil pointer dereference")
}

// Ensure that a reader who takes nothing holds up no writer.
func TestSlowReader(t *testing.T) {
	i := openInsider(t)
	require.NoError(t, i.store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for n := range 300 { // more than is written at once
			phone, err := phonemail.ParseNumber(fmt.Sprintf("+45201234%02d", n%100))
			if err != nil {
				return err
			}
			said := text.Said{
				Phone: phone, Via: text.ByMail, Since: tx.Now(),
				Reach: text.Reach{Line: phonemail.Line{Account: fmt.Sprint(n), Sender: "ACME"}},
			}
			if _, err := text.SetOptOut(ctx, tx, said); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, args := range [][]string{{"optout", "export"}, {"optout", "list"}} {
		read, write := io.Pipe()
		done := make(chan int, 1)
		go func() { done <- i.run(t.Context(), nil, write, write, args...) }()
		var first [1]byte
		_, err := read.Read(first[:])
		require.NoError(t, err) // the rest waits
		require.NoError(t, i.store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return tx.Record(ctx, "acme", "x", "test.done", "")
		}))
		require.NoError(t, read.Close())
		require.Equal(t, exitFailure, <-done)
	}
}

// Ensure that a command which would run on ends when the bridge stops.
func TestBridgeStopsUnderTail(t *testing.T) {
	i := openInsider(t)
	for _, args := range [][]string{{"tail"}, {"listen"}} {
		read, write := io.Pipe()
		done := make(chan int, 1)
		i.stop = make(chan struct{})
		go func() {
			done <- i.run(t.Context(), nil, io.Discard, write, args...)
			_ = write.Close()
		}()
		close(i.stop)
		said, err := io.ReadAll(read)
		require.NoError(t, err)
		require.Contains(t, string(said),
			"smsbridge: error: the bridge stops\nsmsbridge: hint: run the command again\n")
		require.Equal(t, exitFailure, <-done)
	}
}

// Ensure that the audit has what is done to jobs.
func TestJobsAreAudited(t *testing.T) {
	i := openInsider(t)
	require.NoError(t, i.store.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
		tx.EnqueueAt(mail.DeleteMail{ID: "x"}, tx.Now().Add(time.Hour))
		return nil
	}))
	jobs, err := i.store.Jobs(t.Context())
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	id := strconv.FormatInt(jobs[0].ID, 10)
	for _, act := range []string{"retry", "drop"} {
		status, said := i.says(t, "", "jobs", act, id)
		require.Zero(t, status, said)
		status, _ = i.says(t, "", "jobs", act, "999")
		require.Equal(t, exitMistake, status)
	}
	var all []string
	err = i.store.Read(t.Context(), func(ctx context.Context, view store.View) error {
		acts, err := operator.Acts(ctx, view, "", 10)
		for _, a := range acts {
			all = append(all, a.Operator+": "+a.Act+" "+a.Subject)
		}
		return err
	})
	require.NoError(t, err)
	require.Equal(t,
		[]string{"command (anna): job.drop " + id, "command (anna): job.retry " + id}, all)
}
