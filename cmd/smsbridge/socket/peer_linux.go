package socket

import (
	"net"
	"os/user"
	"strconv"
	"syscall"
)

// private gives a socket the mode that its file will have.
func private(fd uintptr) error { return syscall.Fchmod(int(fd), mode) }

// userOf names the user at the other end, or is "".
func userOf(conn net.Conn) string {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return ""
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return ""
	}
	var peer *syscall.Ucred
	wrong := raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || wrong != nil {
		return ""
	}
	id := strconv.FormatUint(uint64(peer.Uid), 10)
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}
	return "uid " + id
}
