package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// Ensure that SIGHUP has a running bridge take up other settings, all or none of them, and that no
// request fails meanwhile.
func TestReload(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	files := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(files, name), []byte(content), 0o600))
	}
	first, key := th.env["TWILIO_AUTH_TOKEN"], th.env["SMSBRIDGE_KEY"]
	second := "b41d70c9e6283fa5917e04d2c86bf35a"
	write("token", first)
	write("key", key)
	th.env["TWILIO_AUTH_TOKEN"] = "file:" + filepath.Join(files, "token")
	th.env["SMSBRIDGE_KEY"] = "file:" + filepath.Join(files, "key")
	bridge := start(t, th)
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	logged := func() []byte {
		log, err := os.ReadFile(bridge.Stderr.(*os.File).Name())
		require.NoError(t, err)
		return log
	}
	reload := func(want string) {
		t.Helper()
		before := bytes.Count(logged(), []byte(want))
		require.NoError(t, bridge.Process.Signal(syscall.SIGHUP))
		require.Eventually(t, func() bool {
			return bytes.Count(logged(), []byte(want)) > before
		}, storyPatience, 5*time.Millisecond, "not logged: %s", want)
	}
	reply := func(want string) {
		t.Helper()
		said, _ := th.command(ctx, "trigger", "reply", "+4512345678", "hello").CombinedOutput()
		require.Contains(t, string(said), want) // the command signs with what is in the file
	}
	visiting, leave := context.WithCancel(ctx)
	var visitor sync.WaitGroup
	visitor.Go(func() {
		for visiting.Err() == nil {
			res, err := http.Get(th.public + "/readyz")
			if err == nil {
				res.Body.Close()
			}
			if visiting.Err() != nil {
				return // the bridge may be ended by now
			}
			if err != nil || res.StatusCode != http.StatusOK {
				t.Error("a request failed", err)
				return
			}
		}
	})

	defer visitor.Wait()
	defer leave()

	reply("200 OK")
	write("token", second)
	reply("403 Forbidden")
	reload("the settings were taken up")
	reply("200 OK")

	write("token", "short")
	reload("the settings were not taken up")
	write("token", second)
	reply("200 OK")

	write("token", first)
	write("key", "7d90c1b2e83f46a5"+key[16:])
	reload("these need a restart: key")
	reply("403 Forbidden")
	write("key", key)
	reload("the settings were taken up")
	reply("200 OK")

	require.NoError(t, th.idp.SignUp(ctx, address("+4512345678")))
	_, err = th.twilio.Phone("+4512345678").Wait(ctx, 1)
	require.NoError(t, err)
	require.NotContains(t, string(logged()), second)
}

// Ensure that the bridge stops also while it reads its settings again, which may take for ever: a
// file that they refer to may be a FIFO by then.
func TestStopsWhileItReloads(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(th.env["TWILIO_AUTH_TOKEN"]), 0o600))
	th.env["TWILIO_AUTH_TOKEN"] = "file:" + file
	bridge := start(t, th)
	require.NoError(t, os.Remove(file))
	require.NoError(t, syscall.Mkfifo(file, 0o600))
	require.NoError(t, bridge.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { // once the bridge has opened it
		writer, err := os.OpenFile(file, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { _ = writer.Close() })
		}
		return err == nil
	}, storyPatience, time.Millisecond)
	require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
	ended := make(chan error, 1)
	go func() { ended <- bridge.Wait() }()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(stopTime):
		require.NoError(t, bridge.Process.Kill())
		t.Fatal("it does not stop")
	}
}

// Ensure that SIGHUP does not end a bridge that still starts: it reads its settings, opens its
// database and migrates that, which may take long. It takes them up when it serves.
func TestReloadWhileItStarts(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	token, file := th.env["TWILIO_AUTH_TOKEN"], filepath.Join(t.TempDir(), "token")
	require.NoError(t, syscall.Mkfifo(file, 0o600))
	th.env["TWILIO_AUTH_TOKEN"] = "file:" + file
	bridge := exec.Command("smsbridge", "serve")
	for name, value := range th.env {
		bridge.Env = append(bridge.Env, name+"="+value)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	bridge.Stderr = log
	require.NoError(t, bridge.Start())
	ended := make(chan error, 1)
	go func() { ended <- bridge.Wait() }()
	t.Cleanup(func() {
		_ = bridge.Process.Kill()
		require.NoError(t, log.Close())
	})
	var writer *os.File
	require.Eventually(t, func() bool { // once the bridge reads it
		writer, err = os.OpenFile(file, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	}, storyPatience, time.Millisecond)
	require.NoError(t, bridge.Process.Signal(syscall.SIGHUP))
	require.NoError(t, os.Remove(file)) // the bridge reads on what it has open
	require.NoError(t, os.WriteFile(file, []byte(token), 0o600))
	_, _ = writer.WriteString(token) // fails when the bridge has ended
	require.NoError(t, writer.Close())
	require.Eventually(t, func() bool {
		said, err := os.ReadFile(log.Name())
		return len(ended) > 0 || err == nil && bytes.Contains(said, []byte("the settings were taken up"))
	}, storyPatience, 5*time.Millisecond)
	require.Empty(t, ended, "it ended")
}

// Ensure that an operator whom SIGHUP takes out of the settings sees nothing more, also on a page
// that was open before.
func TestReloadEndsWhatIsFollowed(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	url, file := th.operate(t), filepath.Join(t.TempDir(), "operators")
	write := func(entry string) { require.NoError(t, os.WriteFile(file, []byte(entry), 0o600)) }
	anna := th.env["SMSBRIDGE_OPERATORS"]
	write(anna)
	th.env["SMSBRIDGE_OPERATORS"] = "file:" + file
	bridge := start(t, th)
	operator := th.desk(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	follow := func() *http.Response {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/operator/cases/live", nil)
		require.NoError(t, err)
		res, err := operator.client.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	page := follow()
	require.Equal(t, http.StatusOK, page.StatusCode)

	write("berta" + strings.TrimPrefix(anna, "anna"))
	require.NoError(t, bridge.Process.Signal(syscall.SIGHUP))
	_, err = io.Copy(io.Discard, page.Body)
	require.NoError(t, err, "it ends, and is not cut off by the end of the test")
	require.Equal(t, http.StatusNoContent, follow().StatusCode)
}
