//go:build !unix

package main

import "math"

// descriptorLimit is how many descriptors the process may have open. This system sets no limit.
func descriptorLimit() int { return math.MaxInt32 }
