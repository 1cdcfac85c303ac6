package store_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a step whose requirement fails leaves no other one waiting: that ends its goroutine.
func TestBenchSurvivesAStepThatEnds(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		for range 8 {
			require.Error(b, b.Try(func(context.Context, *store.Tx) error {
				runtime.Goexit()
				return nil
			}))
		}
		b.Do(func(context.Context, *store.Tx) error { return nil })
	})
}
