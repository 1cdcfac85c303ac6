//go:build !linux

package socket

import (
	"net"
	"os"
)

// private does nothing: Listen sets the mode of the file.
func private(uintptr) error { return nil }

// userOf names the user at the other end, or is "": this system is not asked.
func userOf(net.Conn) string { return "" }

// mayMake returns an error where there is no folder. What this process may do there, it finds when
// it does it.
func mayMake(folder string) error {
	_, err := os.Stat(folder)
	return err
}
