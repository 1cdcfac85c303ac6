package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// killSignals are the signals that end the bridge one after the other: five, or as many as
// SMSBRIDGE_TEST_KILLS says, for a long run by hand.
func killSignals(t *testing.T) []os.Signal {
	signals := []os.Signal{
		syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL,
	}
	if many := os.Getenv("SMSBRIDGE_TEST_KILLS"); many != "" {
		n, err := strconv.Atoi(many)
		require.NoError(t, err, "SMSBRIDGE_TEST_KILLS is a number of signals")
		signals = slices.Repeat(signals, n/len(signals)+1)[:n]
	}
	return signals
}

// Ensure that a bridge that is stopped and killed again and again while mails pour in loses none
// and texts no phone twice: every mail that Mailgun was thanked for becomes exactly one text.
//
//test:unwatched
func TestStopsAndKillsLoseNothing(t *testing.T) {
	longtest.Skip(t)
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signals := killSignals(t)
			mails := 48 * len(signals)
			url := database(t)
			th, err := openTheater(url)
			require.NoError(t, err)
			t.Cleanup(th.close)
			th.unlimited()
			th.env[storyClock] = filepath.Join(t.TempDir(), "clock")
			ctx, cancel := context.WithTimeout(t.Context(),
				3*time.Minute+time.Duration(len(signals))*10*time.Second)
			defer cancel()

			var sending sync.WaitGroup
			sending.Go(func() {
				for i := range mails {
					if err := th.idp.SignUp(ctx, address(phoneOf(i))); err != nil {
						t.Error(err)
					}
					wait(ctx, 10*time.Millisecond)
				}
			})
			for i, signal := range signals {
				bridge := start(t, th)
				wait(ctx, time.Duration(200+70*(i%5))*time.Millisecond)
				require.NoError(t, bridge.Process.Signal(signal))
				err := bridge.Wait()
				if signal == syscall.SIGTERM {
					require.NoError(t, err, "SIGTERM ends it in order")
				} else {
					require.NoError(t, passAfterKill(url))
				}
			}
			bridge := start(t, th)
			sending.Wait()
			require.NoError(t, th.finish(ctx, url))
			require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
			require.NoError(t, bridge.Wait())
			for i := range mails {
				require.Len(t, th.twilio.Phone(phoneOf(i)).Inbox(), 1, "mail %d", i)
			}
		})
	}
}

func phoneOf(i int) string { return fmt.Sprintf("+45209%05d", i) }

// wait lets a bridge run for a while before it is stopped: when exactly does not matter, and
// varies on purpose.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// start starts the real binary and waits until it is ready.
func start(t *testing.T, th *theater) *exec.Cmd {
	t.Helper()
	bridge := exec.Command("smsbridge", "serve")
	startWith(t, th, bridge)
	return bridge
}

// startWith starts a command that becomes the real binary, and waits until it is ready.
func startWith(t *testing.T, th *theater, bridge *exec.Cmd) {
	t.Helper()
	for name, value := range th.env {
		bridge.Env = append(bridge.Env, name+"="+value)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log")) // a file: it may be read at any time
	require.NoError(t, err)
	bridge.Stderr = log
	require.NoError(t, bridge.Start())
	t.Cleanup(func() {
		_ = bridge.Process.Kill() // it has ended unless the test failed
		if t.Failed() {
			said, err := os.ReadFile(log.Name())
			t.Log(string(said), err)
		}
		require.NoError(t, log.Close())
	})
	require.Eventually(t, func() bool {
		res, err := http.Get(th.public + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, storyPatience, 20*time.Millisecond)
}
