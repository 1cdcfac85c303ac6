package outbound

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

const (
	accountSID  = "AC00000000000000000000000000000001"
	authToken   = "0123456789abcdef0123456789abcdef"
	service     = "MG00000000000000000000000000000001"
	number      = "+15005550006"
	phone       = "+4520123456"
	otherNumber = "+4571234567"
	otherPhone  = "+4520123457"
	address     = "acme+4520123456@sms.acme.example"
)

// world is a worker between a database and pretend providers, which all have one clock unless the
// bridge's is ahead. Jobs are not worked by the queue: each test does them.
type world struct {
	*Worker
	t           *testing.T
	databaseURL string
	db          *sql.DB
	changer     *sql.DB // opened by the first exec
	twilio      *twilio.Account
	gun         *mailgun.Account
	idp         *idp.Server
	dns         *dns.Server
	callbacks   *receipts
	log         bytes.Buffer

	mu    sync.Mutex
	now   time.Time
	ahead time.Duration // of the bridge's clock, before those of all others

	tries atomic.Int64 // each try is a job of its own
}

// receipts stands for the door that Twilio's reports come through, and only remembers which texts
// they were about.
type receipts struct {
	*httptest.Server
	mu   sync.Mutex
	urls []string
}

func (r *receipts) ServeHTTP(_ http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.urls = append(r.urls, q.URL.RequestURI())
}

// each runs a test on each database.
func each(t *testing.T, test func(w *world), changes ...string) {
	t.Run("sqlite", func(t *testing.T) { test(openWorld(t, storetest.SQLite(t), changes...)) })
	t.Run("postgres", func(t *testing.T) { test(openWorld(t, storetest.PostgreSQL(t), changes...)) })
}

// quick runs a test on SQLite, where nothing depends on the database.
func quick(t *testing.T, changes ...string) *world {
	return openWorld(t, storetest.SQLite(t), changes...)
}

func openWorld(t *testing.T, databaseURL string, changes ...string) *world {
	t.Helper()
	w := &world{
		t: t, databaseURL: databaseURL, now: time.Now().Truncate(time.Second), callbacks: &receipts{},
	}
	w.callbacks.Server = httptest.NewServer(w.callbacks)
	t.Cleanup(w.callbacks.Close)
	var err error
	w.twilio, err = twilio.Open(twilio.Config{
		AccountSID: accountSID, AuthToken: authToken, Numbers: []string{
			number, otherNumber,
		}, Names: []string{"MG Motor"}, Services: map[string][]string{service: {number}},
		Now: w.elsewhere,
	})
	require.NoError(t, err)
	t.Cleanup(w.twilio.Close)
	w.gun, err = mailgun.Open(mailgun.Config{RetryAfter: []time.Duration{}, Now: w.elsewhere})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.gun.Close()) })
	require.NoError(
		t, w.gun.AddRoute(mailgun.Route{Expression: `catch_all()`, Actions: []string{"store()"}}),
	)
	w.idp, err = idp.Open(idp.Config{
		Name: "ACME", From: "no-reply@acme.example", Domain: "acme.example", Selector: "s1",
		Now: w.elsewhere, Send: w.gun.Deliver,
	})
	require.NoError(t, err)
	t.Cleanup(w.idp.Close)

	w.dns, err = dns.Open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.dns.Close()) })
	require.NoError(t, w.dns.SetTXT(w.idp.KeyName(), w.idp.PublicKey()))

	settings, err := tenant.FromEnv(w.environ(changes...))
	require.NoError(t, err)
	w.Worker = &Worker{Settings: settings, Log: slog.New(slog.NewJSONHandler(&w.log, timeless()))}
	w.db = openBeside(t, databaseURL)
	w.open(storetest.Key)
	t.Cleanup(func() {
		require.NoError(t, w.Store.Close())
		for _, secret := range []string{
			"4520123456", "4520123457", "ticket", "messages/", "account is confirmed",
			w.gun.APIKey(), authToken, "http",
		} {
			require.NotContains(t, w.log.String(), secret)
		}
	})
	return w
}

// environ is the tenant's settings; a later value of a variable replaces an earlier one.
func (w *world) environ(changes ...string) []string {
	values := map[string]string{}
	for _, v := range append([]string{
		"SMSBRIDGE_PUBLIC_URL=" + w.callbacks.URL, "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true", "SMSBRIDGE_NAME=ACME",
		"SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_LINKS_WORK=DK",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example", "SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_DNS=" + w.dns.Addr().String(),
		"SMSBRIDGE_LIMIT_WAIT=0s", "SMSBRIDGE_LIMIT_PHONE_HOUR=0", "SMSBRIDGE_LIMIT_PHONE_DAY=0",
		"SMSBRIDGE_LIMIT_PREFIX_HOUR=0", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=0",
		"SMSBRIDGE_LIMIT_ASKER_HOUR=0", "SMSBRIDGE_LIMIT_BREAKER=0", "SMSBRIDGE_DAILY_SEGMENTS=0",
		"SMSBRIDGE_IDP_HOSTS=" + w.idp.Host(),
		"SMSBRIDGE_UNSAFE_ALLOW=127.0.0.0/8",
		"MAILGUN_API_KEY=" + w.gun.APIKey(),
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"MAILGUN_API_BASE=" + w.gun.URL(),
		"MAILGUN_STORAGE_HOSTS=" + strings.TrimPrefix(w.gun.StorageURL(), "http://"),
		"TWILIO_ACCOUNT_SID=" + accountSID, "TWILIO_AUTH_TOKEN=" + authToken, "TWILIO_FROM=" + number,
		"TWILIO_API_BASE=" + w.twilio.URL(),
	}, changes...) {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	var environ []string
	for name, value := range values {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// open opens the store under a key, closing the one before. The other key is lost and given up:
// what it sealed cannot be opened any more.
func (w *world) open(key []byte) {
	w.t.Helper()
	if w.Store != nil {
		require.NoError(w.t, w.Store.Close())
		w.exec("DELETE FROM secret")
		w.exec("DELETE FROM seal_key")
	}
	var err error
	w.Store, err = store.Open(
		context.Background(), store.Options{URL: w.databaseURL, Key: key, Now: w.clock, Log: w.Log},
	)
	require.NoError(w.t, err)
	w.Register()
}

// openBeside opens the database a second time, to look at rows as they are on disk.
func openBeside(t *testing.T, databaseURL string) *sql.DB {
	driver, source := "pgx", databaseURL
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// elsewhere is the clock of all others.
func (w *world) elsewhere() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now.Add(-w.ahead)
}

// setAhead sets the bridge's clock ahead of all others, which go on as before.
func (w *world) setAhead(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now, w.ahead = w.now.Add(d-w.ahead), d
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// one reads a single value from disk.
func (w *world) one(query string) string {
	w.t.Helper()
	var value string
	require.NoError(w.t, w.db.QueryRow(query).Scan(&value), query)
	return value
}

// all reads one column from disk.
func (w *world) all(query string) []string {
	w.t.Helper()
	return storetest.Strings(w.t, w.db, query)
}

func (w *world) jobs(kind string) string {
	return w.one("SELECT COUNT(*) FROM river_job WHERE kind = '" + kind + "'")
}

func (w *world) do(f func(ctx context.Context, tx *store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.Store.Do(w.t.Context(), f))
}

func (w *world) phone(e164 string) phonemail.Number {
	n, err := phonemail.ParseNumber(e164)
	require.NoError(w.t, err)
	return n
}

func (w *world) tenant() *tenant.Tenant { return w.Settings.Tenants.All()[0] }

// line is whom the tenant texts from.
func (w *world) line() phonemail.Line {
	return w.tenant().Line(w.phone(phone))
}

// sharing are the tenants that text from that line.
func (w *world) sharing() []*tenant.Tenant {
	return w.Settings.Tenants.ByLine(w.line())
}

// work does one try of a job as the queue has it done.
func (w *world) work(ctx context.Context, kind, id string) error {
	w.t.Helper()
	return w.run(ctx, w.job(kind), &rivertype.JobRow{ID: w.tries.Add(1), Attempt: 1}, id)
}

// job is the row of the table for a kind of job.
func (w *world) job(kind string) *job {
	w.t.Helper()
	i := slices.IndexFunc(w.Worker.jobs, func(j *job) bool { return j.kind == kind })
	require.GreaterOrEqual(w.t, i, 0, kind)
	return w.Worker.jobs[i]
}

func (w *world) sendText(ctx context.Context, id string) error {
	return w.work(ctx, "send_text", id)
}

func (w *world) findText(ctx context.Context, id string) error {
	return w.work(ctx, "find_text", id)
}

func (w *world) examineMail(ctx context.Context, id string) error {
	return w.work(ctx, "examine_mail", id)
}

func (w *world) deleteMail(ctx context.Context, id string) error {
	return w.work(ctx, "delete_mail", id)
}

func (w *world) clickLink(ctx context.Context, id string) error {
	return w.work(ctx, "click_link", id)
}

func (w *world) lookUpMail(ctx context.Context, id string) error {
	return w.work(ctx, "look_up_mail", id)
}

func (w *world) notify(ctx context.Context, id string) error { return w.work(ctx, "notify", id) }

func (w *world) reportVerification(ctx context.Context, id string) error {
	return w.work(ctx, "report_verification", id)
}

func (w *world) checkCode(ctx context.Context, id string) error {
	return w.work(ctx, "check_code", id)
}

// later shows that a text is to be sent once more, by a job of its own.
func (w *world) later(textID string, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	require.Equal(w.t, []string{"scheduled"}, w.all("SELECT DISTINCT state FROM river_job"+
		" WHERE kind = 'send_text' AND state = 'scheduled' AND args->>'id' = '"+textID+"'"))
}

// snoozed shows that a job is to be done once more, and is not one that failed.
func (w *world) snoozed(err error) {
	w.t.Helper()
	var snooze *river.JobSnoozeError
	require.ErrorAs(w.t, err, &snooze)
}

// signUp has the identity provider mail a link, and returns the mail as Mailgun keeps it.
func (w *world) signUp(to string) mailgun.StoredMail {
	w.t.Helper()
	require.NoError(w.t, w.idp.SignUp(w.t.Context(), to))
	stored := w.gun.Stored()
	return stored[len(stored)-1]
}

// take records a stored mail as the mail door does; the URL may be another than Mailgun's.
func (w *world) take(m mailgun.StoredMail, messageURL string) (mailID string) {
	w.t.Helper()
	sent := w.idp.Mails()
	raw := sent[len(sent)-1].MIME
	parsed, err := netmail.ReadMessage(bytes.NewReader(raw))
	require.NoError(w.t, err)
	d := mail.Delivery{
		Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), address)}, Token: m.Key,
		PostedAt: m.StoredAt, MessageID: strings.Trim(
			parsed.Header.Get("Message-Id"), "<>",
		), MessageURL: messageURL,
		Body: mail.Body{MIME: string(raw)}, KeepBody: w.tenant().Mails.Keep == tenant.KeepBridge,
	}
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := mail.Take(ctx, tx, mail.Pack(w.Store, d))
		return err
	})
	return w.one("SELECT id FROM mail WHERE message_id = '" + d.MessageID + "'")
}

// yes has the phone say yes, and returns the reply.
func (w *world) yes() (replyID string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) error {
		taken, err := reply.Take(
			ctx, tx, w.Settings.Tenants, reply.Received{
				ProviderID: store.NewID(), Line: w.line(), Sharing: w.sharing(),
				Phone: w.phone(phone), Body: "YES",
			},
		)
		replyID = taken.ID
		return err
	})
	return replyID
}

// accepted puts a question about a link to the phone and has it answered with yes.
func (w *world) accepted(link string, purpose challenge.Purpose) (challengeID string) {
	w.t.Helper()
	return w.acceptedFor("", link, purpose)
}

// acceptedFor is accepted for a mail to an address of the phone.
func (w *world) acceptedFor(
	recipient, link string, purpose challenge.Purpose,
) (challengeID string) {
	w.t.Helper()
	mailID := store.NewID()
	w.exec("INSERT INTO mail (id, tenant, phone, message_id, message_url, body, state, kind, reason,"+
		" posted_at, received_at, ended_at) VALUES"+
		" ($1, 'acme', $2, $1, '', '', 'received', '', '', $3, 0, 0)",
		mailID, phone, w.clock().UnixMilli())
	w.do(func(ctx context.Context, tx *store.Tx) error {
		asker := *w.tenant()
		asker.Question.ValidFor, asker.Question.UnsafeBareYes = 10*time.Minute, true
		a, err := challenge.Consider(ctx, tx, &asker, challenge.Question{
			MailID: mailID, Phone: w.phone(phone), Recipient: recipient, Purpose: purpose, Link: link,
		})
		if err != nil {
			return err
		}
		id, err := a.Ask(ctx, tx)
		if err != nil {
			return err
		}
		c, err := challenge.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		challengeID = id
		return challenge.Accept(ctx, tx, c)
	})
	return challengeID
}

func (w *world) challenge(id string) (c challenge.Challenge) {
	w.t.Helper()
	require.NoError(w.t, w.Store.Read(w.t.Context(), func(
		ctx context.Context, tx store.View,
	) (err error) {
		c, err = challenge.Get(ctx, tx, id)
		return err
	}))
	return c
}

// link is the sealed link of a challenge, "" when there is none.
func (w *world) link(challengeID string) string {
	w.t.Helper()
	return w.one("SELECT link FROM challenge WHERE id = '" + challengeID + "'")
}

// told sends the text that says how a challenge ended, and returns its words as the phone shows
// them.
func (w *world) told(challengeID string) string {
	w.t.Helper()
	id := w.one(
		"SELECT id FROM text WHERE purpose = 'outcome' AND challenge_id = '" + challengeID + "'",
	)
	require.NoError(w.t, w.sendText(w.t.Context(), id))
	inbox := w.twilio.Phone(phone).Inbox()
	require.NotEmpty(w.t, inbox)
	return inbox[len(inbox)-1].Body
}

// front is a server in front of another, through which requests can be seen and responses changed.
func (w *world) front(
	target string, change func(*http.Response),
) (baseURL string, seen func() []string) {
	w.t.Helper()
	var (
		mu       sync.Mutex
		requests []string
	)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		requests = append(requests, r.Method+" "+r.URL.Path+" "+string(body))
		mu.Unlock()
		out, err := http.NewRequestWithContext(
			r.Context(), r.Method, target+r.URL.RequestURI(), bytes.NewReader(body),
		)
		if err != nil {
			return
		}
		out.Header = r.Header.Clone()
		res, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		change(res)
		for name, values := range res.Header {
			rw.Header()[name] = values
		}
		rw.Header().Del("Content-Length")
		rw.WriteHeader(res.StatusCode)
		_, _ = io.Copy(rw, res.Body)
	}))
	w.t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), requests...)
	}
}

// fields are the form that a request seen by a front had.
func fields(t *testing.T, request string) url.Values {
	form, err := url.ParseQuery(request[strings.LastIndexByte(request, ' ')+1:])
	require.NoError(t, err)
	return form
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
