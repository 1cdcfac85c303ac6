package inbound

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

const (
	signingKey  = "key-signing-new"
	retiredKey  = "key-signing-old"
	authToken   = "0123456789abcdef0123456789abcdef"
	accountSID  = "AC00000000000000000000000000000001"
	publicURL   = "https://bridge.example.com"
	phone       = "+4520123456"
	address     = "acme+4520123456@sms.acme.example"
	secretLink  = "https://login.acme.example/u/email-verification?ticket=SECRETTICKET"
	storedURL   = "https://storage-us-east4.api.mailgun.net/v3/domains/sms.acme.example/messages/AwABSECRET=="
	contentForm = "application/x-www-form-urlencoded"
)

// start is the time at which every test begins.
var start = time.Unix(1_700_000_000, 0)

// bridge is a server on a real socket, its database seen from beside, and its log.
type bridge struct {
	*httptest.Server
	inbound *Server
	store   *store.Store
	db      *sql.DB
	log     *safeBuffer
	now     time.Time
}

// each opens a bridge on each database; changes are environment variables.
func each(t *testing.T, test func(t *testing.T, b *bridge), changes ...string) {
	t.Run("sqlite", func(t *testing.T) { test(t, openBridge(t, storetest.SQLite(t), changes...)) })
	t.Run("postgres", func(t *testing.T) { test(t, openBridge(t, storetest.PostgreSQL(t), changes...)) })
}

func openBridge(t testing.TB, databaseURL string, changes ...string) *bridge {
	t.Helper()
	b := &bridge{log: &safeBuffer{}, now: start}
	b.db = openBeside(t, databaseURL)
	s, err := store.Open(context.Background(), store.Options{URL: databaseURL, Key: storetest.Key, Now: func() time.Time { return b.now }})
	require.NoError(t, err)
	var once sync.Once
	b.store = s
	t.Cleanup(func() { once.Do(func() { _ = s.Close() }) }) // some tests close it earlier
	b.inbound = &Server{
		Store: s, Settings: settings(t, changes...), Log: slog.New(slog.NewJSONHandler(b.log, timeless())), Now: func() time.Time { return b.now },
	}
	b.Server = httptest.NewServer(b.inbound.Handler())
	t.Cleanup(b.Server.Close)
	return b
}

// timeless leaves the time out of log lines: among its digits a code could be found by chance.
func timeless() *slog.HandlerOptions {
	return &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
}

func settings(t testing.TB, changes ...string) tenant.Settings {
	t.Helper()
	environ := append([]string{
		"SMSBRIDGE_PUBLIC_URL=" + publicURL, "SMSBRIDGE_TENANT=acme", "SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example", "MAILGUN_API_KEY=key-private",
		"MAILGUN_WEBHOOK_SIGNING_KEY=" + signingKey + "," + retiredKey,
		"TWILIO_ACCOUNT_SID=" + accountSID, "TWILIO_AUTH_TOKEN=" + authToken, "TWILIO_FROM=+15005550006",
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

// rows counts everything that a request could leave behind.
func (b *bridge) rows(t testing.TB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range []string{"mail", "challenge", "text", "reply", "opt_out", "seen", "event", "river_job"} {
		var n int
		require.NoError(t, b.db.QueryRow("SELECT COUNT(*) FROM "+table).Scan(&n))
		if n > 0 {
			counts[table] = n
		}
	}
	return counts
}

// one reads a single value, such as a column of the only row of a table.
func (b *bridge) one(t testing.TB, query string) string {
	t.Helper()
	var value string
	require.NoError(t, b.db.QueryRow(query).Scan(&value))
	return value
}

// lines returns the log since the last call, each line decoded, after showing that nothing secret is in it.
func (b *bridge) lines(t testing.TB) []map[string]any {
	t.Helper()
	text := b.log.take()
	for _, secret := range []string{
		"4520123456", "20123456", "SECRET", "login.acme.example", signingKey, retiredKey, authToken, "key-private",
		strings.Repeat("0", 40), "YES", "no-reply@", "messages/",
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

// safeBuffer is a log that handlers write while the test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.b.String()
	s.b.Reset()
	return text
}

// response is an answer, read.
type response struct {
	status int
	header http.Header
	body   string
}

func (b *bridge) send(t testing.TB, r *http.Request) response {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return response{res.StatusCode, res.Header, string(text)}
}

func (b *bridge) post(t testing.TB, path, contentType string, body io.Reader) response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.URL+path, body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	return b.send(t, r)
}

func (b *bridge) postForm(t testing.TB, path string, form url.Values) response {
	t.Helper()
	return b.post(t, path, contentForm, strings.NewReader(form.Encode()))
}

// token is a Mailgun token that ends in a number.
func token(n int) string {
	digits := strconv.Itoa(n)
	return strings.Repeat("0", 50-len(digits)) + digits
}

// sign fills in Mailgun's triple.
func sign(form url.Values, key string, at time.Time, token string) url.Values {
	stamp := strconv.FormatInt(at.Unix(), 10)
	form.Set("timestamp", stamp)
	form.Set("token", token)
	form.Set("signature", macOf(key, stamp+token))
	return form
}

func macOf(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	io.WriteString(mac, text)
	return hex.EncodeToString(mac.Sum(nil))
}

// mailForm is what a store(notify) route posts, signed with a token that ends in n; each n is a mail of its own.
func mailForm(n int) url.Values {
	return sign(url.Values{
		"recipient": {address}, "sender": {"bounce@acme.example"}, "from": {"ACME <no-reply@acme.example>"}, "subject": {"Verify your email"},
		"body-plain": {"Open " + secretLink}, "body-html": {`<a href="` + secretLink + `">Confirm</a>`}, "message-url": {storedURL},
		"Message-Id": {"<mail-" + strconv.Itoa(n) + "@acme.example>"}, "message-headers": {`[["Received","by x"]]`},
		"stripped-text": {"Open"}, "Received": {"by a", "by b"}, "From": {"ACME <no-reply@acme.example>"}, "Subject": {"Verify your email"},
		"domain": {"sms.acme.example"}, "attachments": {"[]"}, "X-Mailgun-Incoming": {"Yes"},
	}, signingKey, start, token(n))
}

// signTwilio computes X-Twilio-Signature for a form post
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security).
func signTwilio(key, url string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(key))
	io.WriteString(mac, url)
	for _, name := range names {
		io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
