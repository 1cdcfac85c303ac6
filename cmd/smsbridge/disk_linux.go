package main

import (
	"syscall"

	"smsbridge/internal/gauge"
)

// diskOf is how much is free where a folder is.
func diskOf(folder string) gauge.Disk {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return gauge.Disk{}
	}
	return gauge.Disk{Free: s.Bavail * uint64(s.Bsize), Size: s.Blocks * uint64(s.Bsize)}
}
