//go:build !race

package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/cmd/smsbridge/demo"
	"smsbridge/internal/longtest"
)

func TestDemoOnceWithEveryProvider(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	for _, provider := range demo.Providers() {
		t.Run(string(provider.Value), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, onStage(t).PlayOnce(t.Context(), io.Discard, provider.Value))
		})
	}
}
