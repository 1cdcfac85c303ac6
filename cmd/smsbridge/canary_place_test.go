//go:build !race

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run runs a command of the program beside the bridge, and returns what it wrote.
func (m *mine) run(args ...string) []byte {
	m.t.Helper()
	command := exec.Command("smsbridge", args...)
	for name, value := range m.th.env {
		command.Env = append(command.Env, name+"="+value)
	}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	require.NoError(m.t, command.Run(), said.String())
	return said.Bytes()
}

// settle waits until nothing is left to do: what ended after the retention would be retained anew.
func (m *mine) settle() {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), storyPatience)
	defer cancel()
	require.NoError(m.t, m.th.finish(ctx, m.url))
}

// pass moves the bridge's clock.
func (m *mine) pass(d time.Duration) {
	m.t.Helper()
	_, err := moveClock(m.clock, d)
	require.NoError(m.t, err)
}

// watched is what the bridge tells operators at a path.
func (m *mine) watched(path string) []byte {
	m.t.Helper()
	res, err := http.Get("http://" + m.th.env["SMSBRIDGE_METRICS_ADDR"] + path)
	require.NoError(m.t, err)
	defer res.Body.Close()
	shown, err := io.ReadAll(res.Body)
	require.NoError(m.t, err)
	return shown
}

// files are the contents of the database's file, its WAL and a backup. PostgreSQL has none here.
func (m *mine) files() map[string][]byte {
	m.t.Helper()
	path, isSQLite := strings.CutPrefix(m.url, "sqlite:")
	if !isSQLite {
		return nil
	}
	backup := filepath.Join(m.t.TempDir(), "backup.db")
	m.run("backup", backup)
	all := map[string][]byte{}
	for name, at := range map[string]string{
		"database": path, "WAL": path + "-wal", "index of the WAL": path + "-shm", "backup": backup,
	} {
		content, err := os.ReadFile(at)
		require.NoError(m.t, err)
		all[name] = content
	}
	return all
}

// inTheirPlace wants numbers only where a row names its phone, and all other canaries nowhere.
func (m *mine) inTheirPlace(all canaries) {
	m.t.Helper()
	places := []string{
		"challenge.phone", "challenge.recipient", "guess.phone", "mail.phone", "mail.recipient",
		"reply.phone", "reply_guess.phone", "text.phone", "verification.phone",
	}
	holding := 0
	for column, values := range m.columns() {
		kinds := all.in(values)
		if slices.Contains(places, column) {
			holding += len(kinds)
			kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == "number" })
		}
		require.Empty(m.t, kinds, column)
	}
	require.Greater(m.t, holding, 4, "the rows have numbers")
	for name, content := range m.files() {
		require.Subset(m.t, []string{"number"}, all.in(content), name)
	}
}

// forgotten has a phone forgotten while the bridge runs. Nothing of the number is left.
func (m *mine) forgotten(phone string) {
	m.t.Helper()
	gone := canaries{"number": {phone[1:]}}
	require.Contains(m.t, string(m.run("forget", phone)), "erased")
	for column, values := range m.columns() {
		require.Empty(m.t, gone.in(values), column)
	}
	for name, content := range m.files() {
		require.Empty(m.t, gone.in(content), name)
	}
	require.Empty(m.t, gone.in(m.run("optout", "export")))
}

// retained lets the retention pass. Then no number is left. The opt-outs know theirs, sealed, until
// their phones are forgotten too.
func (m *mine) retained(all canaries) {
	m.t.Helper()
	m.pass(31 * 24 * time.Hour)
	m.end(syscall.SIGTERM)
	require.EventuallyWithT(m.t, func(t *assert.CollectT) {
		for column, values := range m.columns() {
			require.Empty(t, all.in(values), column)
		}
	}, storyPatience, 100*time.Millisecond)
	require.EventuallyWithT(m.t, func(t *assert.CollectT) { // the bridge may need a second try
		for name, content := range m.files() {
			require.Empty(t, all.in(content), name)
		}
	}, storyPatience, 500*time.Millisecond)
	m.settle()
	phone := canaryPhone(1)
	require.Contains(m.t, string(m.run("forget", phone)), "erased")
	require.NotContains(m.t, string(m.run("show", phone)), "text")
	for name, content := range m.files() {
		require.Empty(m.t, all.in(content), name)
	}
	m.nothingShown(all)
}
