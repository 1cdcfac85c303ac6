package store_test

import (
	"context"
	"net"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// pooler is a simulated connection pooler. It may give a client another session of PostgreSQL's
// for each transaction, as PgBouncer does with pool_mode=transaction.
type pooler struct {
	address string
	idle    chan *pgconn.HijackedConn
	shares  bool // sessions, between transactions
}

// pooled is the URL of the same database behind a pooler.
func pooled(t *testing.T, address string, shares bool) string {
	t.Helper()
	p := &pooler{address, make(chan *pgconn.HijackedConn, 16), shares}
	u, err := url.Parse(address)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = listener.Close()
		for len(p.idle) > 0 {
			_ = (<-p.idle).Conn.Close()
		}
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = p.serve(t.Context(), client)
				_ = client.Close()
			}()
		}
	}()
	u.Host = listener.Addr().String()
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// serve passes on what a client asks and what PostgreSQL responds.
func (p *pooler) serve(ctx context.Context, conn net.Conn) (err error) {
	client := pgproto3.NewBackend(conn, conn)
	if _, err := client.ReceiveStartupMessage(); err != nil {
		return err
	}
	client.Send(&pgproto3.AuthenticationOk{})
	client.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	client.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	client.Send(&pgproto3.BackendKeyData{ProcessID: 7, SecretKey: []byte{1, 2, 3, 4}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	var session *pgconn.HijackedConn
	defer func() {
		if session != nil {
			err = session.Conn.Close()
		}
	}()
	for {
		if err := client.Flush(); err != nil {
			return err
		}
		asked, err := client.Receive()
		if err != nil {
			return err
		}
		if session == nil {
			if session, err = p.session(ctx); err != nil {
				return err
			}
		}
		session.Frontend.Send(asked)
		switch asked.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
		default:
			continue
		}
		over, err := respond(client, session.Frontend)
		if err != nil {
			return err
		}
		if over && p.shares {
			p.idle <- session
			session = nil
		}
	}
}

// session is one that no client has, or a new one.
func (p *pooler) session(ctx context.Context) (*pgconn.HijackedConn, error) {
	select {
	case session := <-p.idle:
		return session, nil
	default:
	}
	conn, err := pgconn.Connect(ctx, p.address)
	if err != nil {
		return nil, err
	}
	return conn.Hijack()
}

// respond passes on a whole response. It reports whether no transaction is open after it.
func respond(client *pgproto3.Backend, server *pgproto3.Frontend) (over bool, err error) {
	if err := server.Flush(); err != nil {
		return false, err
	}
	for {
		said, err := server.Receive()
		if err != nil {
			return false, err
		}
		client.Send(said)
		if ready, ok := said.(*pgproto3.ReadyForQuery); ok {
			return ready.TxStatus == 'I', nil
		}
		if err := client.Flush(); err != nil { // what was said is valid until the next one
			return false, err
		}
	}
}

// Ensure that a bridge does not start behind a pooler that shares sessions between transactions: no
// replica would hear of another one's work. It starts behind one that does not.
func TestPoolers(t *testing.T) {
	address := storetest.PostgreSQL(t)
	open := func(shares bool) (*store.Store, error) {
		return store.Open(t.Context(), store.Options{
			URL: pooled(t, address, shares), Key: storetest.Key,
		})
	}
	_, err := open(true)
	require.ErrorIs(t, err, store.ErrPooler)
	s, err := open(false)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

// Ensure that a replica keeps no connection to a server that records nothing, as a primary that
// became a standby. It is not ready meanwhile, and goes on by itself afterwards.
func TestServerThatRecordsNothing(t *testing.T) {
	ctx, address := t.Context(), storetest.PostgreSQL(t)
	s := storetest.Open(t, address, nil)
	require.NoError(t, s.Ping(ctx))
	readOnly := func(is string) { // for new connections, of which there are only such afterwards
		conn, err := pgconn.Connect(ctx, address+"&default_transaction_read_only=off")
		require.NoError(t, err)
		_, err = conn.Exec(ctx, `DO $$ BEGIN EXECUTE format(
			'ALTER DATABASE %I SET default_transaction_read_only = `+is+`', current_database());
			PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid(); END $$`).ReadAll()
		require.NoError(t, err)
		require.NoError(t, conn.Close(ctx))
	}
	add := func() error {
		return s.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			return addEvent(ctx, tx, store.NewID())
		})
	}
	readOnly("on")
	require.Error(t, s.Ping(ctx))
	require.ErrorIs(t, add(), pgconn.ErrReadOnlyConnection)
	_, err := store.Open(ctx, store.Options{URL: address, Key: storetest.Key})
	require.ErrorIs(t, err, pgconn.ErrReadOnlyConnection)
	readOnly("off")
	require.NoError(t, s.Ping(ctx))
	require.NoError(t, add())
}

// Ensure that a replica is not ready while its connections are there and nothing can be recorded.
func TestReadOnlySessions(t *testing.T) {
	s := storetest.Open(t, storetest.PostgreSQL(t), nil)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return storetest.Exec(ctx, tx, "SET default_transaction_read_only = on")
	}))
	require.ErrorContains(t, s.Ping(t.Context()), "records nothing")
}

// Ensure that a URL which cannot be used is told with the part that is wrong, and nothing of what
// it holds.
func TestCheckURL(t *testing.T) {
	for url, part := range map[string]string{
		"sqlite:bridge.db":                             "",
		"postgres://u:hunter2@h/db":                    "",
		"postgres://u:hunter2@h1:5432,h2:5433/db":      "",
		"postgres:///db?host=/run/postgresql&user=a@b": "",
		"postgres://u:hunter2@h/db?sslmode=hunter2":    `its parameter "sslmode"`,
		"postgres://u:hunter2@h/db?pool_max_conns=":    `its parameter "pool_max_conns"`,
		"postgres://u:hunter2@h:port/db":               "its form",
		"postgres://u:hunter2@h:99999/db":              "its host, its port or several parameters",
	} {
		err := store.CheckURL(url)
		if part == "" {
			require.NoError(t, err, url)
			continue
		}
		require.EqualError(t, err, "store: the database URL cannot be used, for "+part, url)
	}
}
