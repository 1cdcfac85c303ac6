package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/term"
)

// Ensure that the first signal ends the reading of a password: from a pipe to which no process
// writes, and at a terminal, which then shows again what is typed.
func TestSignalEndsTheReadingOfAPassword(t *testing.T) {
	t.Parallel()
	args := []string{"operator", "hash", "anna"}
	hash := func(stdin io.Reader) (signal func(), ended <-chan int, errs *bytes.Buffer) {
		ctx, signal := context.WithCancel(t.Context())
		status := make(chan int, 1)
		errs = &bytes.Buffer{}
		go func() { status <- run(ctx, args, world{stdin: stdin, stdout: errs, stderr: errs}) }()
		return signal, status, errs
	}

	silent, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	signal, ended, errs := hash(silent)
	signal()
	endsBySignal(t, ended, errs, args)

	terminal := openTerminal(t)
	state := func() *term.State {
		found, err := term.GetState(int(terminal.Fd()))
		require.NoError(t, err)
		return found
	}
	before := state()
	signal, ended, errs = hash(terminal)
	require.Eventually(t, func() bool { return *state() != *before }, storyPatience, time.Millisecond)
	signal()
	endsBySignal(t, ended, errs, args)
	require.Equal(t, before, state(), "the terminal is as it was")
}

// openTerminal opens a terminal at which no person types.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	var number, unlocked int32
	for _, call := range []struct {
		request uintptr
		value   *int32
	}{{syscall.TIOCSPTLCK, &unlocked}, {syscall.TIOCGPTN, &number}} {
		_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, keyboard.Fd(), call.request,
			uintptr(unsafe.Pointer(call.value)))
		require.Zero(t, failed)
	}
	terminal, err := os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = terminal.Close() })
	return terminal
}
