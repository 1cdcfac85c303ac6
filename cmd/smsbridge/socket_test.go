//go:build !race

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/cmd/smsbridge/socket"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// said is how a command of the real binary ended.
type said struct {
	Status         int
	Stdout, Stderr string
}

// says runs a command to its end, with other variables beside those of the bridge.
func (th *theater) says(
	t *testing.T, ctx context.Context, more []string, stdin string, args ...string,
) said {
	t.Helper()
	command := th.command(ctx, args...)
	command.Env = append(command.Env, more...)
	command.Stdin = strings.NewReader(stdin)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	err := command.Run()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return said{command.ProcessState.ExitCode(), out.String(), complaints.String()}
}

// commands are arguments and standard inputs with which each command that needs the database runs,
// fails, or finds a mistake.
func commands(file string) [][]string {
	return [][]string{ // the standard input first
		{"", "jobs"}, {"", "jobs", "list", "--json"}, {"", "jobs", "retry", "999999"},
		{"", "jobs", "drop", "999999"}, {"", "usage"}, {"", "usage", "--days", "0"},
		{"", "usage", "--tenant", "other"}, {"", "limits"}, {"", "hold", "--country", "XX"},
		{"", "hold", "--country", "SE"}, {"", "limits", "--json"}, {"", "release", "--country", "SE"},
		{"", "optout", "add", "+4520123456", "--by", "ann"}, {"", "optout", "add", "20123456"},
		{"", "optout", "add", "+4520123456", "--by", "ann", "--sender", "none"},
		{"", "optout", "list", "+4520999999"}, {"", "optout", "remove", "+4520123456"},
		{"", "optout", "export"}, {"no, CSV", "optout", "import", "-"},
		{"", "optout", "import", file}, {"", "optout", "import", file + ".none"},
		{"", "show", "+4520999999"}, {"", "show", "+4520999999", "--json"}, {"", "show", "none"},
		{"", "why", "+4520999999"}, {"", "why", "none"}, {"", "forget", "+4520999999"},
		{"", "callbacks"}, {"", "callbacks", "replay", "none"}, {"", "callbacks", "--most", "0"},
		{"", "callbacks", "replay", "--since", "1h"}, {"", "tail", "--tenant", "other"},
		{"", "listen", "--tenant", "other"}, {"", "listen", "--forward-to", "ftp://x"},
	}
}

// Ensure that a command says the same and ends the same, whether the running bridge runs it or it
// opens the database itself. In the bridge it needs no database of its own.
func TestCommandsThroughTheSocket(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	ctx, cancel := context.WithTimeout(t.Context(), 2*storyPatience)
	defer cancel()
	folder := storetest.Folder(t)
	th.env["SMSBRIDGE_SOCKET"] = filepath.Join(folder, "bridge.sock")
	bridge := start(t, th)
	log := bridge.Stderr.(*os.File).Name()
	file := filepath.Join(folder, "opt-outs.csv")
	header := th.says(t, ctx, nil, "", "optout", "export").Stdout
	require.NoError(t, os.WriteFile(file, []byte(header), 0o600))

	elsewhere := []string{"SMSBRIDGE_DATABASE=sqlite:" + filepath.Join(folder, "none.db")}
	beside := []string{"SMSBRIDGE_SOCKET=off"}
	var there []said // before here: what the first half of them changes the other half undoes
	for _, c := range commands(file) {
		there = append(there, th.says(t, ctx, elsewhere, c[0], c[1:]...))
	}
	for i, c := range commands(file) {
		require.Equal(t, th.says(t, ctx, beside, c[0], c[1:]...), there[i], c)
		require.NotContains(t, there[i].Stderr, "none.db", c)
	}
	// With another database than the bridge's there is none: so these are the bridge's words.
	require.Contains(t, th.says(t, ctx, elsewhere, "", "doctor").Stdout, "The database responds.")
	require.Contains(t, th.says(t, ctx, elsewhere, "", "bugreport", "--out", "-").Stdout,
		`"database": "ok"`)
	report := filepath.Join(folder, "report.json")
	require.Zero(t, th.says(t, ctx, elsewhere, "", "bugreport", "--out", report).Status)
	written, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Contains(t, string(written), `"database": "ok"`)

	lines, err := os.ReadFile(log)
	require.NoError(t, err)
	ran := regexp.MustCompile(`"msg":"a command has run","command":"([a-z ]+)"`)
	var names []string
	for _, line := range ran.FindAllStringSubmatch(string(lines), -1) {
		names = append(names, line[1])
	}
	slices.Sort(names)
	require.Equal(t, []string{
		"bugreport", "callbacks list", "callbacks replay", "doctor", "forget", "hold", "jobs drop",
		"jobs list", "jobs retry", "limits", "listen", "optout add", "optout export", "optout import",
		"optout list", "optout remove", "release", "show", "tail", "usage", "why",
	}, slices.Compact(names))
	require.NotContains(t, string(lines), "20123456")
}

// Ensure that a bridge is found beside its SQLite database, also after it was killed, and that its
// end ends what runs in it. A SIGINT ends a command, here and there.
func TestSocketBesideTheDatabase(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	database := storetest.SQLite(t)
	th, err := openTheater(database)
	require.NoError(t, err)
	t.Cleanup(th.close)
	ctx, cancel := context.WithTimeout(t.Context(), 2*storyPatience)
	defer cancel()
	path := strings.TrimPrefix(database, "sqlite:") + ".sock"
	killed := start(t, th)
	found, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket|0o600, found.Mode())
	require.NoError(t, killed.Process.Kill())
	_ = killed.Wait()
	require.FileExists(t, path)
	alone := th.says(t, ctx, nil, "", "jobs")
	require.Equal(t, said{0, "no job fails, waits or died\n", ""}, alone)

	bridge := start(t, th)
	log := bridge.Stderr.(*os.File).Name()
	second := th.says(t, ctx, []string{"SMSBRIDGE_ADDR=127.0.0.1:0"}, "", "serve")
	require.Equal(t, exitFailure, second.Status)
	require.Contains(t, second.Stderr, "another smsbridge uses this database file")
	require.Equal(t, alone, th.says(t, ctx, nil, "", "jobs"))
	tail := func() (*exec.Cmd, *bufio.Reader) {
		tail := th.command(ctx, "tail")
		complaints, err := tail.StderrPipe()
		require.NoError(t, err)
		require.NoError(t, tail.Start())
		t.Cleanup(func() { _ = tail.Process.Kill() })
		lines := bufio.NewReader(complaints)
		first, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, first, "following")
		return tail, lines
	}
	interrupted, _ := tail()
	require.NoError(t, interrupted.Process.Signal(os.Interrupt))
	require.NoError(t, interrupted.Wait())
	require.Eventually(t, func() bool {
		lines, err := os.ReadFile(log)
		require.NoError(t, err)
		return strings.Contains(string(lines), `"command":"tail"`)
	}, storyPatience, 20*time.Millisecond)

	stopped, lines := tail()
	require.NoError(t, bridge.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.Error(t, stopped.Wait())
	require.Equal(t, exitFailure, stopped.ProcessState.ExitCode())
	require.Equal(t,
		"smsbridge: error: the bridge stops\nsmsbridge: hint: run the command again\n", string(rest))
	require.NoError(t, bridge.Wait())
	require.NoFileExists(t, path)
	require.Equal(t, alone, th.says(t, ctx, nil, "", "jobs"))
}

// Ensure that a bridge of another version runs what it knows, and that the rest is a clear error.
func TestOtherVersions(t *testing.T) {
	t.Parallel()
	th, err := openTheater(storetest.EmptySQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.env["SMSBRIDGE_SOCKET"] = filepath.Join(storetest.Folder(t), "b.sock")
	listener, err := socket.Listen(t.Context(), th.env["SMSBRIDGE_SOCKET"])
	require.NoError(t, err)
	server := socket.Server(&socket.Handler{
		Version: "smsbridge v9", Find: func(args []string) socket.Command {
			if args[0] != "jobs" {
				return nil
			}
			return func(_ context.Context, c socket.Call) int {
				_, _ = io.WriteString(c.Stdout, "of another version\n")
				return 0
			}
		},
	}, slog.New(slog.DiscardHandler), 0)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	require.Equal(t, said{0, "of another version\n", ""}, th.says(t, ctx, nil, "", "jobs"))
	for _, args := range [][]string{{"usage"}, {"tail"}, {"listen"}, {"bugreport"}} {
		got := th.says(t, ctx, nil, "", args...)
		require.Equal(t, exitFailure, got.Status)
		require.Regexp(t, `^smsbridge: error: the running bridge, smsbridge v9, does not know this `+
			`command\nsmsbridge: hint: this is smsbridge .*: use the program that the bridge runs, or `+
			`restart the bridge with this one\n$`, got.Stderr)
	}
	require.NoError(t, server.Close())
	require.ErrorIs(t, <-served, http.ErrServerClosed)
}

// Ensure that a socket which the operator chose must be there, and that the one beside the database
// need not.
func TestNoSocket(t *testing.T) {
	t.Parallel()
	database := storetest.SQLite(t)
	th, err := openTheater(database)
	require.NoError(t, err)
	t.Cleanup(th.close)
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	taken := strings.TrimPrefix(database, "sqlite:") + ".sock"
	require.NoError(t, os.WriteFile(taken, nil, 0o600))
	got := th.says(t, ctx, []string{"SMSBRIDGE_SOCKET=" + taken}, "", "serve")
	require.Equal(t, exitMistake, got.Status)
	require.Contains(t, got.Stderr, "smsbridge: error: cannot make the socket "+taken+
		": there is a file of that name, and it is no socket\nsmsbridge: hint: set SMSBRIDGE_SOCKET "+
		"(socket) to a path in a folder of the bridge's own, or to off\n")

	bridge := start(t, th)
	lines, err := os.ReadFile(bridge.Stderr.(*os.File).Name())
	require.NoError(t, err)
	require.Contains(t, string(lines),
		`"level":"WARN","msg":"commands open the database themselves: no socket can be made beside it"`)
	require.FileExists(t, taken)
	require.Equal(t, said{0, "no job fails, waits or died\n", ""}, th.says(t, ctx, nil, "", "jobs"))
	require.NoError(t, bridge.Process.Signal(os.Interrupt))
	require.NoError(t, bridge.Wait())
}

// Ensure that the tenant's app is told of what a command does, and that the audit has it. The
// running bridge may run the command, or not.
func TestActsByCommand(t *testing.T) {
	longtest.Skip(t)
	eachTheater(t, func(t *testing.T, ctx context.Context, th *theater) {
		app := openReceiver(t, http.StatusOK)
		th.env["SMSBRIDGE_EVENTS"] = "app=" + app.URL + "/hook question.canceled"
		th.env["SMSBRIDGE_EVENTS_SECRET"] = eventsSecret
		th.env["SMSBRIDGE_SOCKET"] = filepath.Join(storetest.Folder(t), "bridge.sock")
		start(t, th)
		queue, err := openQueue(th.env["SMSBRIDGE_DATABASE"])
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, queue.db.Close()) })
		for i, where := range []string{th.env["SMSBRIDGE_SOCKET"], "off"} {
			act := func(stdin string, args ...string) string {
				t.Helper()
				s := th.says(t, ctx, []string{"SMSBRIDGE_SOCKET=" + where}, stdin, args...)
				require.Zero(t, s.Status, s.Stderr)
				return s.Stdout
			}
			phone := "+452012345" + string(rune('6'+i))
			require.NoError(t, th.idp.SignUp(ctx, address(phone)))
			_, err := th.twilio.Phone(phone).Wait(ctx, 1)
			require.NoError(t, err)
			act("", "optout", "add", phone, "--by", "ann")
			_, body := app.heard(t, 3*i+1) // two replays came in between
			require.Contains(t, body, `"type":"question.canceled"`)
			require.Contains(t, body, `"phone":"`+phone+`"`)
			require.Contains(t, body, `"reason":"stop"`)

			csv := act("", "optout", "export")
			act("", "optout", "remove", phone)
			act(csv, "optout", "import", "-")
			act("", "hold", "--country", "SE")
			act("", "release", "--country", "SE")
			want := []string{
				"optout.add " + phoneMask(phone) + " acme", "optout.export  ",
				"optout.remove " + phoneMask(phone) + " 1 ended", "optout.import  1 read",
				"hold to SE ", "release to SE ", "forget " + phoneMask(phone) + " ",
			}
			if where != "off" { // else each waits for a sweep
				act("", "callbacks", "replay", allTold(t, queue))
				allTold(t, queue)
				act("", "callbacks", "replay", "--since", "1h", "--all")
				allTold(t, queue)
				want = slices.Insert(want, 6, "callback.replay ID ", "callback.replay  1 callbacks")
			}
			act("", "forget", phone)
			for _, looks := range []string{"jobs", "limits", "usage", "callbacks", "doctor"} {
				th.says(t, ctx, []string{"SMSBRIDGE_SOCKET=" + where}, "", looks)
			}
			for i := range want {
				want[i] = actor(ownName()) + ": " + want[i]
			}
			require.Equal(t, want, acts(t, queue))
			_, err = queue.db.Exec("DELETE FROM operator_act")
			require.NoError(t, err)
		}
	})
}

// allTold waits until no app is to be told of anything, and returns the id of the newest callback.
func allTold(t *testing.T, q queue) (newest string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var due int
		row := q.db.QueryRow("SELECT count(CASE state WHEN 'due' THEN 1 END), max(id) FROM callback")
		require.NoError(t, row.Scan(&due, &newest))
		return due == 0
	}, storyPatience, 5*time.Millisecond)
	return newest
}

// phoneMask is a phone as it is shown.
func phoneMask(phone string) string { return phone[:3] + "******" + phone[9:] }

// acts are what the audit has, the oldest first.
func acts(t *testing.T, q queue) (all []string) {
	rows, err := q.db.Query("SELECT operator, act, subject, detail FROM operator_act ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var operator, act, subject, detail string
		require.NoError(t, rows.Scan(&operator, &act, &subject, &detail))
		if len(subject) == len(store.NewID()) {
			subject = "ID"
		}
		all = append(all, operator+": "+act+" "+subject+" "+detail)
	}
	require.NoError(t, rows.Err())
	return all
}

// Ensure that what listen forwards is posted by the process of the person who listens: the bridge
// posts nothing for another process, wherever that asks it to.
func TestBridgeForwardsNothing(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	th.env["SMSBRIDGE_SOCKET"] = filepath.Join(storetest.Folder(t), "bridge.sock")
	start(t, th)
	laptop := openReceiver(t, http.StatusOK)
	read, write := io.Pipe()
	asked := make(chan error, 1)
	ctx, leave := context.WithCancel(ctx)
	go func() {
		_, err := socket.Ask(ctx, th.env["SMSBRIDGE_SOCKET"], socket.Call{
			Request: socket.Request{Args: []string{
				"listen", "--forward-to", laptop.URL, "--events", "text.sent",
			}},
			Stdout: write, Stderr: io.Discard,
		})
		asked <- err
	}()
	lines := bufio.NewReader(read)
	ready, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "{\"ready\":true}\n", ready)
	require.NoError(t, th.idp.SignUp(ctx, address("+4520123456")))
	event, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, event, `"type":"text.sent"`)
	require.Empty(t, laptop.bodies)
	leave()
	require.ErrorIs(t, <-asked, context.Canceled)
}
