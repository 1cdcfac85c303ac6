//go:build !race

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// harness is Node, which runs handlers of Actions one after the other. Starting it costs more than
// all that a test has it do.
type harness struct {
	process    *exec.Cmd
	in         io.WriteCloser
	out        *json.Decoder
	complaints bytes.Buffer // read when the process has ended

	mu sync.Mutex // one handler at a time
}

// openHarness starts it in the folder where it finds its script. It ends with the test.
func openHarness(t *testing.T, folder string) *harness {
	t.Helper()
	h := &harness{process: exec.Command("node", "harness.mjs")}
	h.process.Dir, h.process.Stderr = folder, &h.complaints
	in, err := h.process.StdinPipe()
	require.NoError(t, err)
	out, err := h.process.StdoutPipe()
	require.NoError(t, err)
	h.in, h.out = in, json.NewDecoder(out)
	require.NoError(t, h.process.Start())
	t.Cleanup(func() {
		h.in.Close()
		if h.process.ProcessState == nil {
			require.NoError(t, h.process.Wait(), "%s", &h.complaints)
		}
	})
	return h
}

// ran is what a handler asked for and what it logged.
type ran struct {
	Calls []actionCall
	Logs  []string
}

// run has one handler run. A handler that throws ends the process, and the test.
func (h *harness) run(t *testing.T, call map[string]any) (did ran) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	require.NoError(t, json.NewEncoder(h.in).Encode(call))
	if err := h.out.Decode(&did); err != nil {
		h.in.Close()
		ended := h.process.Wait()
		require.NoError(t, err, "%v: %s", ended, &h.complaints)
	}
	return did
}
