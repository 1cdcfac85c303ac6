// Package inboundtest opens the bridge's whole HTTP side for the tests of inbound and its
// doors, and speaks to it as providers and apps do.
//
// It promises real requests over loopback, a clock that only the test moves, and a log that the
// test can read. The test also sees the database from beside the server.
package inboundtest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// Bridge is a server on a real socket, its database seen from beside, and its log.
type Bridge struct {
	*httptest.Server
	Inbound *inbound.Server
	Store   *store.Store
	DB      *sql.DB
	Log     *Log
	Now     time.Time

	handler atomic.Value // the http.Handler of Inbound
}

// Each opens a bridge on each database; changes are environment variables.
func Each(t *testing.T, test func(t *testing.T, b *Bridge), changes ...string) {
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t, storetest.SQLite(t), changes...)) })
	t.Run("postgres", func(t *testing.T) { test(t, Open(t, storetest.PostgreSQL(t), changes...)) })
}

// Open opens a bridge on the database; changes are environment variables.
func Open(t testing.TB, databaseURL string, changes ...string) *Bridge {
	t.Helper()
	b := &Bridge{Log: &Log{}, Now: Start}
	b.DB = openBeside(t, databaseURL)
	now := func() time.Time { return b.Now }
	s, err := store.Open(
		context.Background(),
		store.Options{URL: databaseURL, Key: storetest.Key, Now: now},
	)
	require.NoError(t, err)
	var once sync.Once
	b.Store = s
	t.Cleanup(func() { once.Do(func() { _ = s.Close() }) }) // some tests close it earlier
	log := slog.New(slog.NewJSONHandler(b.Log, timeless()))
	b.Inbound = &inbound.Server{
		Draining: new(atomic.Bool),
		Store:    s, Settings: Settings(t, changes...), Log: log, Now: now,
		SendWait: time.Nanosecond, // no worker sends anything here
	}
	b.Change(func(*inbound.Server) {})
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.handler.Load().(http.Handler).ServeHTTP(w, r)
	}))
	t.Cleanup(b.Server.Close)
	return b
}

// Change changes the server. Requests that come later meet it as changed.
func (b *Bridge) Change(change func(s *inbound.Server)) {
	change(b.Inbound)
	b.handler.Store(b.Inbound.Handler())
}

// timeless leaves the time out of log lines: a code could be among its digits by chance.
func timeless() *slog.HandlerOptions {
	return &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
}

// Settings are those of the tenant acme; changes are environment variables.
func Settings(t testing.TB, changes ...string) tenant.Settings {
	t.Helper()
	environ := append([]string{
		"SMSBRIDGE_PUBLIC_URL=" + PublicURL, "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_CODE_LOCALE=en", "SMSBRIDGE_NAME=ACME",
		"SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_LINKS_WORK=DK", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_LIMIT_WAIT=0s", "SMSBRIDGE_LIMIT_PHONE_HOUR=0", "SMSBRIDGE_LIMIT_PHONE_DAY=0",
		"SMSBRIDGE_LIMIT_PREFIX_HOUR=0", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=0",
		"SMSBRIDGE_LIMIT_ASKER_HOUR=0", "SMSBRIDGE_LIMIT_BREAKER=0", "SMSBRIDGE_DAILY_SEGMENTS=0",
		"SMSBRIDGE_IDP_HOSTS=login.acme.example", "MAILGUN_API_KEY=" + APISecret,
		"MAILGUN_WEBHOOK_SIGNING_KEY=" + SigningKey + "," + RetiredKey,
		"TWILIO_ACCOUNT_SID=" + AccountSID, "TWILIO_AUTH_TOKEN=" + AuthToken, "TWILIO_FROM=+15005550006",
	}, changes...)
	names := map[string]int{}
	var last []string // the last value of each variable
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if i, ok := names[name]; ok {
			last[i] = v
			continue
		}
		names[name] = len(last)
		last = append(last, v)
	}
	s, err := tenant.FromEnv(last)
	require.NoError(t, err)
	return s
}

// openBeside opens the database a second time, to look at rows that no query of ours counts.
func openBeside(t testing.TB, databaseURL string) *sql.DB {
	t.Helper()
	driver, source := "pgx", databaseURL
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Rows counts everything that a request could leave behind, table by table.
func (b *Bridge) Rows(t testing.TB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range []string{
		"mail", "challenge", "text", "reply", "opt_out", "seen", "event", "river_job",
	} {
		if n := b.Count(t, table, "1=1"); n > 0 {
			counts[table] = n
		}
	}
	return counts
}

// Count is the number of a table's rows for which the condition where is true.
func (b *Bridge) Count(t testing.TB, table, where string) (n int) {
	t.Helper()
	require.NoError(t, b.DB.QueryRow("SELECT COUNT(*) FROM "+table+" WHERE "+where).Scan(&n))
	return n
}

// One reads a single value, such as a column of the only row of a table.
func (b *Bridge) One(t testing.TB, query string) string {
	t.Helper()
	var value string
	require.NoError(t, b.DB.QueryRow(query).Scan(&value))
	return value
}

// State is the state of a row.
func (b *Bridge) State(t testing.TB, table, id string) string {
	t.Helper()
	return b.One(t, "SELECT state FROM "+table+" WHERE id = '"+id+"'")
}

// Recorded counts what a request at a door could leave behind: verifications, texts, wrong codes,
// keys of requests, events and jobs.
func (b *Bridge) Recorded(t testing.TB) (counts [6]int) {
	t.Helper()
	tables := []string{"verification", "text", "guess", "idempotency_key", "event", "river_job"}
	for i, table := range tables {
		counts[i] = b.Count(t, table, "1=1")
	}
	return counts
}

// Bodies takes the texts that are due, as if they had left, and returns what they say.
func (b *Bridge) Bodies(t testing.TB) (bodies []string) {
	t.Helper()
	rows, err := b.DB.Query("SELECT id FROM text WHERE state = 'due' ORDER BY created_at, id")
	require.NoError(t, err)
	var ids []string
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Close())
	for _, id := range ids {
		b.Do(t, func(ctx context.Context, tx *store.Tx) error {
			attempt, _, err := text.Begin(ctx, tx, id)
			bodies = append(bodies, attempt.Body)
			return err
		})
	}
	return bodies
}

// Texted takes the newest text that is due, as if it had left. It returns the code in the text,
// which is its first number, and the whole body.
func (b *Bridge) Texted(t testing.TB) (code, body string) {
	t.Helper()
	bodies := b.Bodies(t)
	require.NotEmpty(t, bodies)
	body = bodies[len(bodies)-1]
	noDigit := func(r rune) bool { return r < '0' || r > '9' }
	return strings.FieldsFunc(body, noDigit)[0], body
}

// Do runs a transaction that must succeed.
func (b *Bridge) Do(t testing.TB, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	require.NoError(t, b.Store.Do(context.Background(), f))
}

// Lines returns the log since the last call, each line decoded, after showing that nothing
// secret is in it.
func (b *Bridge) Lines(t testing.TB) []map[string]any {
	t.Helper()
	text := b.Log.Take()
	for _, secret := range []string{
		"4520123456", "20123456", "SECRET", "login.acme.example", SigningKey, RetiredKey, AuthToken,
		APISecret, strings.Repeat("0", 40), "YES", "no-reply@", "messages/",
	} {
		require.NotContains(t, text, secret)
	}
	var lines []map[string]any
	for line := range strings.Lines(text) {
		var decoded map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &decoded))
		lines = append(lines, decoded)
	}
	return lines
}

// Log is a log that handlers write while the test reads.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Take returns what was written since the last call.
func (l *Log) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.b.String()
	l.b.Reset()
	return text
}

// Response is a response, read.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       string
}

// Send makes a request and does not follow redirects.
func (b *Bridge) Send(t testing.TB, r *http.Request) Response {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return Response{res.StatusCode, res.Header, string(text)}
}

// Post posts a body of a content type.
func (b *Bridge) Post(t testing.TB, path, contentType string, body io.Reader) Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.URL+path, body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	return b.Send(t, r)
}

// PostForm posts an urlencoded form.
func (b *Bridge) PostForm(t testing.TB, path string, form url.Values) Response {
	t.Helper()
	return b.Post(t, path, ContentForm, strings.NewReader(form.Encode()))
}
