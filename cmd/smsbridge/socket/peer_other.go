//go:build !linux

package socket

import "net"

// private does nothing: Listen sets the mode of the file.
func private(uintptr) error { return nil }

// userOf names the user at the other end, or is "": this system is not asked.
func userOf(net.Conn) string { return "" }
