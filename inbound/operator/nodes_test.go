//go:build !race

package operator_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
)

// Ensure that each replica is shown, and that those which differ are marked, in the words of the
// findings. One that died is said to be gone, and is held against no other.
func TestNodesPage(t *testing.T) {
	p := only(t)
	beat := func(id, version, settings, key string) {
		p.Do(t, func(ctx context.Context, tx *store.Tx) error {
			return store.Beat(ctx, tx, store.Node{ID: id, Host: "host-" + id, Version: version,
				Settings: settings, KeyID: key, Since: tx.Now()})
		})
	}
	b := p.login(t, "help")
	require.Contains(t, b.get("/operator/nodes").Body, "No replica has said yet that it lives.")
	beat("dead", "v1", "s9", "k9")
	p.Now = p.Now.Add(time.Minute + time.Millisecond)
	beat("a", "v1", "s1", "k1")
	beat("b", "v1", "s1", "k1")
	body := b.get("/operator/nodes").Body
	require.Equal(t, 2, strings.Count(body, ">alive<"))
	require.Equal(t, 1, strings.Count(body, ">gone<"))
	require.NotContains(t, body, ">differs<")
	require.NotContains(t, body, "SB-")
	for _, cell := range []string{"host-dead", "<code>s9</code>", "<code>k9</code>", "60 s ago"} {
		require.Contains(t, strings.ReplaceAll(body, "1 min ago", "60 s ago"), cell)
	}

	beat("c", "v1", "s2", "k2")
	beat("d", "v2", "s3", "k1")
	body = b.get("/operator/nodes").Body
	for _, said := range []string{
		"<strong>SB-CONFIG-DIFFERS:</strong> Replicas on this database have different settings.",
		"<strong>SB-KEY-DIFFERS:</strong> Replicas on this database seal with different keys.",
		"<strong>SB-VERSION-DIFFERS:</strong> Replicas on this database have different versions.",
		`<code>s2</code> <span class="state failed">differs</span>`,
		`<code>k2</code> <span class="state failed">differs</span>`,
		`v2 <span class="state failed">differs</span>`,
	} {
		require.Contains(t, body, said)
	}
	require.Equal(t, 3, strings.Count(body, ">differs<"), "s3 is the only one of its version")
}
