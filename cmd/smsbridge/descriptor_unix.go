//go:build unix

package main

import (
	"math"
	"syscall"
)

// descriptorLimit is how many descriptors the process may have open.
func descriptorLimit() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return math.MaxInt32 // it cannot be asked for, so it bounds nothing
	}
	return int(min(uint64(limit.Cur), math.MaxInt32))
}
