package storetest

import (
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Relay returns the URL of the same PostgreSQL database behind a relay. Up passes on what a client
// says, and down what PostgreSQL says, each until it returns.
func Relay(
	t *testing.T, address string, up, down func(to io.Writer, from io.Reader),
) (behind string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	server := u.Host
	relay, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = relay.Close() })
	u.Host = relay.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	pass := func(way func(to io.Writer, from io.Reader), to, from net.Conn) {
		way(to, from)
		_, _ = to.Close(), from.Close()
	}
	go func() {
		for {
			client, err := relay.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				return
			}
			go pass(up, backend, client)
			go pass(down, client, backend)
		}
	}()
	return u.String()
}

// PassOn passes on everything.
func PassOn(to io.Writer, from io.Reader) { _, _ = io.Copy(to, from) }

// Mute returns the URL of the same PostgreSQL database behind a relay. When it is armed, it
// swallows what PostgreSQL says, and keeps the connections.
func Mute(t *testing.T, address string) (behind string, armed *atomic.Bool) {
	armed = new(atomic.Bool)
	return Relay(t, address, PassOn, func(client io.Writer, backend io.Reader) {
		buffer := make([]byte, 64<<10)
		for {
			n, err := backend.Read(buffer)
			if err != nil {
				return
			}
			if armed.Load() {
				continue
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}), armed
}
