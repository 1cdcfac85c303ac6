package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a command says what to do about a file that is no database.
func TestFileThatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	notes := strings.Repeat("these are notes, and no database ", 100)
	require.NoError(t, os.WriteFile(path, []byte(notes), 0o600))
	for _, args := range [][]string{{"jobs"}, {"keys"}, {"serve"}} {
		var said bytes.Buffer
		status := run(t.Context(), args, world{stdout: &said, stderr: &said, environ: tenantEnviron(
			"SMSBRIDGE_ADDR=127.0.0.1:0", "SMSBRIDGE_DATABASE=sqlite:"+path,
			"SMSBRIDGE_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")})
		require.Equal(t, exitFailure, status, args)
		require.Contains(t, said.String(), "hint: set SMSBRIDGE_DATABASE (database) to the file of the "+
			"bridge", args)
	}
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, notes, string(left), "it is left as it was")
}

// Ensure that a file that this user may not use, or that another program uses, has a remedy.
func TestSQLiteHints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "busy.db")
	open := func(how string) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+path+how)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		db.SetMaxOpenConns(1)
		return db
	}
	first := open("")
	_, err := first.ExecContext(t.Context(), "CREATE TABLE held (id INTEGER); BEGIN EXCLUSIVE")
	require.NoError(t, err)
	_, busy := open("").ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.Error(t, busy)
	_, err = first.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	_, readOnly := open("?mode=ro").ExecContext(t.Context(), "CREATE TABLE more (id INTEGER)")
	require.Error(t, readOnly)
	for want, err := range map[string]error{
		"another program has locked the file": busy,
		"as the user that owns":               readOnly,
		"let that user write into the folder": &fs.PathError{Op: "open", Err: syscall.EACCES},
		"and let that user write":             &fs.PathError{Op: "open", Err: syscall.EROFS},
	} {
		var f failure
		require.ErrorAs(t, explainDatabase(fmt.Errorf("store: %w", err)), &f, want)
		require.Contains(t, f.hint, want)
	}
}
