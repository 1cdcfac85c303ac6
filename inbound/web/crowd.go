package web

import (
	"container/list"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// Crowd bounds how many connections are open at all listeners together. When one more comes, the
// one that has kept the bridge waiting longest is closed: a request that does not end, or none at
// all. A request that has come whole is never cut off.
//
// A limit that has newcomers wait instead would serve an attacker: connections that send half a
// request, and nothing more, would shut out every provider and every health check. A limit for
// each address would shut out everyone, since behind a proxy all have the proxy's.
type Crowd struct {
	max int

	mu      sync.Mutex
	open    int
	waiting *list.List // of *member: those that keep the bridge waiting, the longest first
	changed *sync.Cond // a member has gone, or has begun to keep the bridge waiting
}

// NewCrowd is a crowd of at most max connections.
func NewCrowd(max int) *Crowd {
	c := &Crowd{max: max, waiting: list.New()}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Admit makes the connections of a listener, and of the server that serves it, members of the
// crowd.
func (c *Crowd) Admit(listener net.Listener, server *http.Server) net.Listener {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, memberKey{}, conn)
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if m, ok := conn.(*member); ok && (state == http.StateActive || state == http.StateIdle) {
			m.spoke.Store(true)
			m.waits()
		}
	}
	return &entrance{Listener: listener, crowd: c}
}

// AtWork says that the request of a context has come whole, so that its connection keeps the
// bridge waiting no more.
func AtWork(ctx context.Context) {
	if m, ok := ctx.Value(memberKey{}).(*member); ok {
		m.works()
	}
}

// CloseSilent closes the connections on which no byte has ever come. A client opens such a spare
// one when another becomes free first. Call it some time after the listeners are closed: a server
// that shuts down would wait five seconds for each to say something
// (https://pkg.go.dev/net/http#Server.Shutdown).
func (c *Crowd) CloseSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for place := c.waiting.Front(); place != nil; {
		m := place.Value.(*member)
		place = place.Next()
		if !m.spoke.Load() {
			_ = m.leave()
		}
	}
}

type memberKey struct{}

// entrance is a listener of a crowd.
type entrance struct {
	net.Listener
	crowd  *Crowd
	closed bool // guarded by the crowd's mutex
}

func (e *entrance) Accept() (net.Conn, error) {
	conn, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := e.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.max {
		if longest := c.waiting.Front(); longest != nil {
			longest.Value.(*member).leave()
			continue
		}
		if e.closed {
			return nil, errors.Join(net.ErrClosed, conn.Close())
		}
		c.changed.Wait()
	}
	m := &member{Conn: conn, crowd: c}
	m.place = c.waiting.PushBack(m)
	c.open++
	return m, nil
}

func (e *entrance) Close() error {
	e.crowd.mu.Lock()
	e.closed = true
	e.crowd.changed.Broadcast()
	e.crowd.mu.Unlock()
	return e.Listener.Close()
}

// member is a connection of a crowd. The crowd's mutex guards place and gone.
type member struct {
	net.Conn
	crowd *Crowd
	place *list.Element // among those that keep the bridge waiting, nil while a request is served
	gone  bool
	spoke atomic.Bool // a byte has come
}

// waits says that the connection keeps the bridge waiting from now on.
func (m *member) waits() {
	m.crowd.mu.Lock()
	defer m.crowd.mu.Unlock()
	if m.gone {
		return
	}
	if m.place != nil {
		m.crowd.waiting.MoveToBack(m.place)
		return
	}
	m.place = m.crowd.waiting.PushBack(m)
	m.crowd.changed.Broadcast()
}

// works says that the connection keeps the bridge waiting no more.
func (m *member) works() {
	m.crowd.mu.Lock()
	defer m.crowd.mu.Unlock()
	if m.place != nil {
		m.crowd.waiting.Remove(m.place)
		m.place = nil
	}
}

// leave closes the connection. The caller holds the crowd's mutex.
func (m *member) leave() error {
	if m.gone {
		return net.ErrClosed
	}
	m.gone = true
	if m.place != nil {
		m.crowd.waiting.Remove(m.place)
		m.place = nil
	}
	m.crowd.open--
	m.crowd.changed.Broadcast()
	return m.Conn.Close()
}

func (m *member) Close() error {
	m.crowd.mu.Lock()
	defer m.crowd.mu.Unlock()
	return m.leave()
}
