// Package loopback holds what every simulator needs of the network: a server and a client that
// never leave this machine.
//
// A simulator must not be mistaken for the real provider. So a [Server] listens on loopback
// addresses only, and a connection made through [Control] reaches loopback addresses only,
// whatever URL a caller configured.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Server is an HTTP server on a loopback address. Safe for use by several goroutines.
type Server struct {
	listener net.Listener
	http     *http.Server
	ctx      context.Context
	stop     context.CancelFunc
	served   chan struct{} // closed when serving has ended
}

// Open listens on a loopback host:port; empty means 127.0.0.1:0, a free port. The server
// responds once [Server.Serve] is called, and the caller must Close it. Open returns an error
// if the address is not on loopback or is taken.
func Open(addr string) (*Server, error) {
	listener, err := Listen(addr)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, http: &http.Server{ReadHeaderTimeout: 10 * time.Second}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Serve starts to serve requests with the handler. It returns at once and must be called once.
func (s *Server) Serve(handler http.Handler) {
	s.http.Handler = handler
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		s.http.Serve(s.listener) // ends in Close, with an error that says only that
	}()
}

// URL returns the base URL without a final slash, such as http://127.0.0.1:40001.
func (s *Server) URL() string { return "http://" + s.Host() }

// Host returns the host and port.
func (s *Server) Host() string { return s.listener.Addr().String() }

// Context returns a context that ends at Close.
func (s *Server) Context() context.Context { return s.ctx }

// Close ends the context, cuts connections, and returns once the server no longer listens.
// Closing twice is harmless.
func (s *Server) Close() error {
	s.stop()
	err := errors.Join(s.http.Close(), s.closeListener())
	if s.served != nil {
		<-s.served
	}
	return err
}

// closeListener closes the listener of a server that may not have begun to serve.
func (s *Server) closeListener() error {
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Pause waits for d, and reports false as soon as ctx ends or the server is closed.
func (s *Server) Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.ctx.Done():
		return false
	}
}

// Listen listens on a loopback host:port; empty means 127.0.0.1:0, a free port. It refuses
// every other address.
func Listen(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulator: listen: %w", err)
	}
	if !resolved.IP.IsLoopback() {
		return nil, fmt.Errorf("simulator: listen on %s: not a loopback address", addr)
	}
	listener, err := net.ListenTCP("tcp", resolved)
	if err != nil {
		return nil, fmt.Errorf("simulator: listen: %w", err)
	}
	return listener, nil
}

// Control is a [net.Dialer].Control that refuses to connect to any other machine.
func Control(_, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().Unmap().IsLoopback() {
		return errors.New("simulator: it connects to loopback only")
	}
	return nil
}

// NoRedirect is an [http.Client].CheckRedirect that takes a redirect for a response like any other.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
