package main

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// full is the standard output of a disk that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// Ensure that a command fails whose output cannot be written, also one that did its work.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	environ, folder := backupEnviron(t), t.TempDir()
	bridge := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(bridge.Close)
	for _, args := range [][]string{
		{"backup", filepath.Join(folder, "copy.db")},
		{"demo", "--once"},
		{"trigger", "mail", "--to", bridge.URL, "+4512345678"},
		{"address", "+4512345678", "--prefix", "acme", "--domain", "sms.acme.example"},
		{"--version"},
		{"--help"},
		{"optout", "import", "--help"},
		{},
	} {
		var errs bytes.Buffer
		status := run(t.Context(), args, world{stdout: full{}, stderr: &errs, environ: environ})
		require.Equal(t, exitFailure, status, "%v: %s", args, errs.String())
		require.Contains(t, errs.String(), "no space left on device", args)
	}
	require.FileExists(t, filepath.Join(folder, "copy.db"))
}

// Ensure that a backup into a folder that does not exist says so.
func TestBackupIntoNoFolder(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	folder := filepath.Join(t.TempDir(), "none")
	status := run(t.Context(), []string{"backup", filepath.Join(folder, "copy.db")},
		world{stdout: &out, stderr: &errs, environ: backupEnviron(t)})
	require.Equal(t, exitMistake, status)
	require.Contains(t, errs.String(), "there is no folder "+folder)
	require.Contains(t, errs.String(), "hint: make it first")
}

// backupEnviron is a whole set of settings with a database that has tables.
func backupEnviron(t *testing.T) []string {
	database := storetest.SQLite(t)
	st, err := store.Open(t.Context(), store.Options{URL: database, Key: storetest.Key})
	require.NoError(t, err)
	require.NoError(t, st.Close())
	return tenantEnviron("SMSBRIDGE_DATABASE="+database,
		"SMSBRIDGE_KEY="+hex.EncodeToString(storetest.Key))
}
