package main

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// line is a way to PostgreSQL that a test can cut.
type line struct {
	net.Listener
	to    string
	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
}

// openLine returns a line to the server of a URL, and the URL that leads through it.
func openLine(t *testing.T, database string) (*line, string) {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &line{Listener: listener, to: u.Host, conns: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	go l.serve()
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
	})
	return l, u.String()
}

func (l *line) serve() {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if err != nil || !l.keep(near, far) {
			_ = near.Close()
			continue
		}
		go l.copy(near, far)
		go l.copy(far, near)
	}
}

// keep takes a connection, unless the line is cut.
func (l *line) keep(near, far net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		_ = far.Close()
		return false
	}
	l.conns[near], l.conns[far] = true, true
	return true
}

func (l *line) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, to)
	delete(l.conns, from)
}

// cut ends all connections. There are none until mend.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = true
	for conn := range l.conns {
		_ = conn.Close()
	}
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = false
}

// Ensure that a bridge loses no mail, opens each link and texts no phone twice. Meanwhile its
// connections to PostgreSQL are cut again and again, as in a failover.
func TestCutConnectionsLoseNothing(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	const phones = 40
	database := storetest.PostgreSQL(t)
	way, through := openLine(t, database)
	th, err := openTheater(through)
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.unlimited()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	bridge := start(t, th)

	way.cutWhile(ctx, func() {
		for i := range phones {
			require.NoError(t, th.idp.SignUp(ctx, address(phoneOf(i))))
			wait(ctx, 10*time.Millisecond)
		}
	})
	require.NoError(t, th.mailgun.WaitIdle(ctx))
	th.texted(ctx, t, database, phones, 1)

	way.cutWhile(ctx, func() {
		for i := range phones {
			for failed := true; failed; { // a person who hears nothing says it again
				hook, err := th.twilio.Phone(phoneOf(i)).Reply(ctx, "YES")
				require.NoError(t, err)
				failed = hook.Failure != ""
			}
		}
	})
	th.texted(ctx, t, database, phones, 2)
	require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
	require.NoError(t, bridge.Wait())
	for i := range phones {
		require.True(t, th.idp.Verified(address(phoneOf(i))), "phone %d", i)
		said := map[string]int{}
		for _, text := range th.twilio.Phone(phoneOf(i)).Inbox() {
			said[text.Body]++
		}
		for body, n := range said {
			require.Equal(t, 1, n, "phone %d: %s", i, body)
		}
	}
}

// cutWhile cuts the line again and again while something is done. It leaves more and more time in
// between: a loaded machine may take seconds to connect and to commit.
func (l *line) cutWhile(ctx context.Context, do func()) {
	ctx, stop := context.WithCancel(ctx)
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			wait(ctx, time.Duration(200+70*(i%5)+50*i)*time.Millisecond)
			l.cut()
			wait(ctx, time.Duration(50*(i%4))*time.Millisecond)
			l.mend()
		}
	})
	defer cutting.Wait()
	defer stop()
	do()
}

// texted waits until each phone has so many texts. What a cut left begun is found after a minute:
// it is made as old.
func (th *theater) texted(ctx context.Context, t *testing.T, database string, phones, n int) {
	t.Helper()
	have := func(i int) int { return len(th.twilio.Phone(phoneOf(i)).Inbox()) }
	for i := range phones {
		for tries := 0; have(i) < n; tries++ {
			require.NoError(t, ctx.Err(), "phone %d has %d texts", i, have(i))
			wait(ctx, time.Second)
			if tries%5 == 4 {
				require.NoError(t, passAfterKill(database))
			}
		}
	}
}
