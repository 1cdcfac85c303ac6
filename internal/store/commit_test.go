package store

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a call is not begun whose context has ended, also when its caller has not noticed
// that yet. Otherwise the caller would hear of an error while its writes are committed.
func TestTakeLeavesOutEndedCalls(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	abandoned := &call{ctx: t.Context()}
	abandoned.state.Store(callAbandoned)
	waiting, late := &call{ctx: t.Context()}, &call{ctx: ended}
	group := take(nil, waiting)
	group = take(group, late)
	group = take(group, abandoned)
	require.Equal(t, []*call{waiting}, group)
	require.Equal(t, callTaken, waiting.state.Load())
	require.Equal(t, callWaiting, late.state.Load(), "its caller gives it up")
	require.Equal(t, callAbandoned, abandoned.state.Load())
}
