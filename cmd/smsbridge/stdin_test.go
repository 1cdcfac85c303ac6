//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// fromFile lists the commands that read a file, without its name.
func fromFile() [][]string {
	return [][]string{
		{"link"}, {"try", "mail"}, {"optout", "import"}, {"trigger", "mail", "+4512345678", "--eml"},
	}
}

// Ensure that the first signal ends a command that reads a FIFO: while no process writes to it, and
// while one does and says nothing.
func TestSignalEndsTheReadingOfAFile(t *testing.T) {
	t.Parallel()
	environ := tenantEnviron("SMSBRIDGE_DATABASE="+storetest.SQLite(t),
		"SMSBRIDGE_KEY="+hex.EncodeToString(storetest.Key))
	for _, args := range fromFile() {
		for _, written := range []bool{false, true} {
			fifo := filepath.Join(t.TempDir(), "fifo")
			require.NoError(t, syscall.Mkfifo(fifo, 0o600))
			ctx, signal := context.WithCancel(t.Context())
			var errs bytes.Buffer
			ended := make(chan int, 1)
			go func() {
				ended <- run(ctx, append(args, fifo), world{stdout: &errs, stderr: &errs, environ: environ})
			}()
			if written {
				require.Eventually(t, func() bool { // once the command has opened it
					file, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
					if err == nil {
						t.Cleanup(func() { _ = file.Close() })
					}
					return !errors.Is(err, syscall.ENXIO)
				}, storyPatience, time.Millisecond)
			}
			signal()
			endsBySignal(t, ended, &errs, args)
		}
	}
}

// Ensure that a file that cannot be read is a mistake that names it.
//
//test:unwatched
func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	environ := tenantEnviron("SMSBRIDGE_DATABASE="+storetest.SQLite(t),
		"SMSBRIDGE_KEY="+hex.EncodeToString(storetest.Key))
	folder := t.TempDir()
	for _, args := range fromFile() {
		for file, what := range map[string]string{
			folder:                        folder + " cannot be read: is a directory",
			filepath.Join(folder, "none"): "none cannot be read: no such file or directory",
		} {
			var errs bytes.Buffer
			status := run(t.Context(), append(args, file),
				world{stdout: &errs, stderr: &errs, environ: environ})
			require.Equal(t, exitMistake, status, "%v: %s", args, errs.String())
			require.Contains(t, errs.String(), what, args)
			require.Contains(t, errs.String(), "hint: ", args)
		}
	}
}

// Ensure that the first signal ends a command whose settings are in a FIFO, or refer to one, to
// which no process writes.
func TestSignalEndsTheReadingOfSettings(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	in := func(args ...string) []string { return append(args, "--config", fifo) }
	for _, args := range [][]string{
		in("serve"), in("check"), in("config"), in("jobs"), in("keys"), in("bugreport"), in("doctor"),
		in("try", "mail", os.DevNull), in("trigger", "reply", "+4512345678", "YES"),
		in("texts"), in("compliance", "DK"), {"serve"},
	} {
		var errs bytes.Buffer
		ctx, signal := context.WithCancel(t.Context())
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, args, world{stdout: &errs, stderr: &errs,
				environ: tenantEnviron("MAILGUN_API_KEY=file:" + fifo)})
		}()
		signal()
		endsBySignal(t, ended, &errs, args)
	}
}

// endsBySignal ensures that a command that got the signal fails soon, and blames no person.
func endsBySignal(t *testing.T, ended <-chan int, errs *bytes.Buffer, args []string) {
	t.Helper()
	select {
	case status := <-ended:
		require.Equal(t, exitFailure, status, "%v: %s", args, errs.String())
		require.NotContains(t, errs.String(), "hint:", "it is no mistake of the person")
	case <-time.After(10 * time.Second):
		t.Fatal("the signal does not end it:", args)
	}
}

// Ensure that a file without an end is a mistake, and is not read for ever.
//
//test:unwatched
func TestFilesWithoutAnEnd(t *testing.T) {
	t.Parallel()
	environ := backupEnviron(t)
	for _, args := range fromFile() {
		var errs bytes.Buffer
		status := run(t.Context(), append(args, "/dev/zero"),
			world{stdout: &errs, stderr: &errs, environ: environ})
		require.Equal(t, exitMistake, status, "%v: %s", args, errs.String())
		require.Contains(t, errs.String(), "hint: ", args)
	}
	var errs bytes.Buffer
	status := run(t.Context(), []string{"check"}, world{stdout: &errs, stderr: &errs,
		environ: append(environ, "SMSBRIDGE_PRICES=/dev/zero")})
	require.Equal(t, exitMistake, status, errs.String())
	require.Contains(t, errs.String(), "SMSBRIDGE_PRICES: is not a file that can be read")
}
