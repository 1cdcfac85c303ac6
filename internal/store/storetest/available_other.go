//go:build !linux

package storetest

// available is 0: only Linux lends memory as a folder that each machine has.
func available(string) uint64 { return 0 }
