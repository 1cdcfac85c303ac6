package storetest

import "syscall"

// available is how many bytes a folder's file system still takes: 0 when it takes none.
func available(folder string) uint64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0
	}
	return s.Bavail * uint64(s.Bsize)
}
