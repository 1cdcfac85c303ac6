package azuredurable_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/nodetest"
	"smsbridge/internal/store/storetest"
)

// Ensure that the product's own client library for Node.js, unchanged, starts, watches and
// steers instances here: with the URLs that it is given, and with the base address from which it
// makes them itself. What it does is in testdata/durable-client/drive.js.
func TestDurableNodeClient(t *testing.T) {
	folder := nodetest.Folder(t, filepath.Join("testdata", "durable-client"))
	for _, mode := range []string{"urls", "rpc"} {
		t.Run(mode, func(t *testing.T) {
			b := inboundtest.Open(t, storetest.SQLite(t), "SMSBRIDGE_DURABLE_CODE="+systemKey)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			node := exec.CommandContext(ctx, "node", "drive.js", b.URL+durableBase, systemKey, phone, mode)
			node.Dir = folder
			var complaint bytes.Buffer
			node.Stderr = &complaint
			answers, err := node.StdinPipe()
			require.NoError(t, err)
			questions, err := node.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, node.Start())
			last := ""
			for lines := bufio.NewScanner(questions); lines.Scan(); {
				if last = lines.Text(); strings.HasPrefix(last, "code ") {
					code, _ := b.Texted(t)
					_, err := fmt.Fprintln(answers, code)
					require.NoError(t, err)
				}
			}
			require.NoError(t, node.Wait(), complaint.String())
			require.Equal(t, "done", last)
		})
	}
}
