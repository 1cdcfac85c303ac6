//go:build !unix

package inbound_test

import (
	"testing"
	"time"
)

// processorTime cannot tell here what this process has used. Only a benchmark asks.
func processorTime(testing.TB) time.Duration { return 0 }
