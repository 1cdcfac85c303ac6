//go:build !race

package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/simulator/collector"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store/storetest"
)

// mine is a bridge into which canaries are let: values that must be nowhere but in their place.
type mine struct {
	t      *testing.T
	th     *theater
	url    string
	clock  string // the file of its clock
	bridge *exec.Cmd
	logs   []string

	mu        sync.Mutex
	responses []string // that the bridge sent to strangers
	said      []string // that it sent to the app, which knows its own phones
	told      []string // the events that it sent there

	traces *collector.Server
}

// canaries are what is looked for, by kind.
type canaries map[string][]string

const (
	canaryKey  = "web-0123456789abcdef01234567"
	canaryDoor = "durable-fedcba9876543210fedc"
)

// appKeys are the keys of the app: several, since each may ask a number of times a minute only.
func appKeys() (keys []string) {
	for i := range 20 {
		keys = append(keys, fmt.Sprint(canaryKey, i))
	}
	return keys
}

func canaryPhone(i int) string { return fmt.Sprintf("+4531%06d", 1009*i%1_000_000) }
func canaryCode(i int) string  { return fmt.Sprintf("9137%06d", 2003*i%1_000_000) }
func canaryBody(i int) string  { return fmt.Sprintf("canary-of-a-body-%d-", i) }

// Ensure that links, codes, bodies and keys are nowhere outside their place, and numbers in no log
// and no page, whatever fails meanwhile. After the retention, and after a phone was forgotten, no
// byte of a number is left.
func TestCanaries(t *testing.T) {
	longtest.Skip(t)
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := openMine(t, database(t))
			flows := canaryFlows(t)
			for batch := range 6 {
				m.batch(batch, batch*flows/6, (batch+1)*flows/6)
			}
			all := m.canaries(flows)
			m.settle()
			m.nothingShown(all)
			m.inTheirPlace(all)
			m.forgotten(canaryPhone(0))
			m.retained(all)
		})
	}
}

// canaryFlows is how many flows there are: 60, or as many as SMSBRIDGE_TEST_CANARIES says.
func canaryFlows(t *testing.T) int {
	many := os.Getenv("SMSBRIDGE_TEST_CANARIES")
	if many == "" {
		return 60
	}
	n, err := strconv.Atoi(many)
	require.NoError(t, err, "SMSBRIDGE_TEST_CANARIES is a number of flows")
	return n
}

func openMine(t *testing.T, database string) *mine {
	th, err := openTheater(database)
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.unlimited()
	m := &mine{t: t, th: th, url: database, clock: filepath.Join(t.TempDir(), "clock")}
	th.env[storyClock] = m.clock
	th.env["SMSBRIDGE_API_KEY"], th.env["SMSBRIDGE_DURABLE_CODE"] = strings.Join(appKeys(), ","),
		canaryDoor
	th.env["SMSBRIDGE_METRICS_ADDR"], err = freeAddr()
	require.NoError(t, err)
	m.openReaders()
	m.start()
	return m
}

func (m *mine) start() {
	m.t.Helper()
	m.bridge = start(m.t, m.th)
	m.logs = append(m.logs, m.bridge.Stderr.(*os.File).Name())
}

// end ends the bridge with a signal, and starts it again.
func (m *mine) end(signal os.Signal) {
	m.t.Helper()
	require.NoError(m.t, m.bridge.Process.Signal(signal))
	err := m.bridge.Wait()
	if signal == syscall.SIGTERM {
		require.NoError(m.t, err)
	} else {
		require.NoError(m.t, passAfterKill(m.url))
	}
	m.start()
}

// batch does the flows from first to last while something fails.
func (m *mine) batch(batch, first, last int) {
	m.t.Helper()
	switch batch {
	case 1:
		m.th.twilio.Set(func(t *twilio.Manners) {
			t.FailNext, t.LoseResponse, t.DuplicateReplies = (last-first)/3, 2, true
			t.Reject = map[string]int{canaryPhone(first): 21211, canaryPhone(first + 1): 21610}
		})
	case 2:
		m.th.idp.Set(func(i *idp.Manners) { i.Down = true })
	case 3:
		m.th.idp.Set(func(i *idp.Manners) { *i = idp.Manners{DeadLink: true} })
		m.th.mailgun.Set(func(g *mailgun.Manners) {
			g.DuplicatePosts, g.FreshTriple, g.DeleteStatus = 3, true, http.StatusMethodNotAllowed
		})
	}
	var asked sync.WaitGroup
	for i := first; i < last; i++ {
		asked.Go(func() { m.ask(i) })
		if i == (first+last)/2 {
			m.fault(batch)
		}
	}
	asked.Wait()
	var answered sync.WaitGroup
	for i := first; i < last; i++ {
		answered.Go(func() { m.answer(i) })
	}
	answered.Wait()
	m.strange(batch)
	m.th.twilio.Set(func(t *twilio.Manners) { *t = twilio.Manners{} })
	m.th.idp.Set(func(i *idp.Manners) { *i = idp.Manners{} })
	m.th.mailgun.Set(func(g *mailgun.Manners) { *g = mailgun.Manners{} })
}

// fault is what happens in the middle of a batch.
func (m *mine) fault(batch int) {
	switch batch {
	case 3: // every statement about texts fails
		m.exec("ALTER TABLE text RENAME TO text_gone")
		m.strange(0)
		m.exec("ALTER TABLE text_gone RENAME TO text")
	case 4: // the clock panics: in requests, in jobs, in the queue
		require.NoError(m.t, os.WriteFile(m.clock, []byte("canary clock"), 0o600))
		m.strange(1)
		require.NoError(m.t, os.WriteFile(m.clock, []byte("0s"), 0o600))
		m.end(syscall.SIGKILL)
	case 5: // every stack is printed
		m.end(syscall.SIGQUIT)
		m.end(syscall.SIGTERM)
	}
}

// ask has one person sign up, a stranger mail, and the app ask for a code.
func (m *mine) ask(i int) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer cancel()
	to := address(canaryPhone(i))
	if err := m.th.idp.SignUp(ctx, to); err != nil {
		m.t.Error(err)
	}
	mime := fmt.Sprintf("From: any <any@other.example>\r\nTo: <%s>\r\nSubject: %ssubject\r\n"+
		"Message-Id: <any%d@other.example>\r\n\r\n%stext %s/lo/verify_email?ticket=%slink\r\n",
		to, canaryBody(i), i, canaryBody(i), m.th.idp.URL(), canaryBody(i))
	if err := m.th.mailgun.Deliver(ctx, "any@other.example", []string{to}, []byte(mime)); err != nil {
		m.t.Error(err)
	}
	created := m.app(i, "POST", "/v1/verifications",
		fmt.Sprintf(`{"phone": "%s", "code": "%s"}`, canaryPhone(i), canaryCode(i)))
	if id := storyID.FindStringSubmatch(created); id != nil {
		check := "/v1/verifications/" + id[1] + "/check"
		m.app(i, "POST", check, `{"code": "0000"}`)
		if i%2 == 0 {
			m.app(i, "POST", check, `{"code": "`+canaryCode(i)+`"}`)
		}
	}
}

// answer has the phone reply, if a text came to it.
func (m *mine) answer(i int) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 3*time.Second)
	defer cancel()
	phone := m.th.twilio.Phone(canaryPhone(i))
	_, _ = phone.Wait(ctx, 1) // it does not come to each
	said := []string{
		"YES", "NO", "YES 0000", canaryBody(i) + "reply " + canaryPhone(i), "STOP", canaryCode(i),
	}[i%6]
	_, _ = phone.Reply(context.WithoutCancel(ctx), said) // the bridge may be down
}

// strange sends what no provider and no app sends, with canaries in each place that a response may
// repeat.
func (m *mine) strange(i int) {
	phone, code, body := canaryPhone(i), canaryCode(i), canaryBody(i)
	form := url.Values{
		"recipient": {address(phone)}, "sender": {phone}, "body-plain": {body}, "signature": {code},
		"token": {body}, "timestamp": {code}, "From": {phone}, "To": {phone}, "Body": {code + body},
		"MessageSid": {body}, "AccountSid": {code}, "do": {body}, "phone": {phone}, "code": {code},
	}.Encode()
	for _, r := range [][3]string{
		{"POST", "/mailgun/acme", form}, {"POST", "/mailgun/acme/mime", form},
		{"POST", "/mailgun/" + body, form}, {"POST", "/twilio/acme/reply", form},
		{"POST", "/twilio/acme/receipt?text=" + body, form}, {"GET", "/l/" + body + code, ""},
		{"POST", "/l/" + body + code, form}, {"GET", "/" + phone + "/" + body, ""},
		{"GET", "/auth0/acme/verify?session_token=" + body + "&state=" + code, ""},
		{"DELETE", "/" + code, form}, {"GET", "/metrics", ""}, {"GET", "/readyz", ""},
		{"POST", "/v1/verifications", `{"phone": "` + phone + `", "code": "` + code + `"}`},
	} {
		m.request(r[0], r[1], r[2], body, &m.responses)
	}
	for _, body := range []string{
		`{"phone": "` + phone, `{"phone": "` + phone + `", "unknown": "` + code + `"}`,
		`{"phone": "` + phone + code + `"}`,
	} {
		m.request("POST", "/v1/verifications", body, appKeys()[0], &m.responses)
	}
	m.request("GET", "/v1/verifications/"+code, "", appKeys()[0], &m.responses)
}

func (m *mine) app(i int, method, path, body string) string {
	return m.request(method, path, body, appKeys()[i%20], &m.said)
}

// request sends a request, and keeps what came back, if anything did.
func (m *mine) request(method, path, body, key string, kept *[]string) string {
	r, err := http.NewRequest(method, m.th.public+path, strings.NewReader(body))
	if err != nil {
		m.t.Error(err)
		return ""
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "" // the bridge is down
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(res.Body) // it may be cut off
	m.mu.Lock()
	defer m.mu.Unlock()
	*kept = append(*kept, fmt.Sprint(res.Status, res.Header, string(said)))
	return string(said)
}

func (m *mine) exec(statement string) {
	m.t.Helper()
	queue, err := openQueue(m.url)
	require.NoError(m.t, err)
	defer queue.db.Close()
	_, err = queue.db.ExecContext(m.t.Context(), statement)
	require.NoError(m.t, err)
}

var canaryTicket = regexp.MustCompile(`ticket=([A-Za-z0-9]{8,})`)

// canaries are all that were let into the flows.
func (m *mine) canaries(flows int) canaries {
	m.t.Helper()
	all := canaries{"key": {
		m.th.env["MAILGUN_API_KEY"], m.th.env["MAILGUN_WEBHOOK_SIGNING_KEY"],
		m.th.env["TWILIO_AUTH_TOKEN"], m.th.env["SMSBRIDGE_KEY"], canaryKey, canaryDoor,
		canaryHook, canaryCollector,
	}, "body": {"canary-of-a-body-"}}
	for i := range flows {
		all["number"] = append(all["number"], canaryPhone(i)[1:])
		all["code"] = append(all["code"], canaryCode(i))
	}
	unfold := strings.NewReplacer("=\r\n", "", "=3D", "=")
	for _, mail := range m.th.idp.Mails() {
		for _, ticket := range canaryTicket.FindAllStringSubmatch(unfold.Replace(string(mail.MIME)), -1) {
			all["link"] = append(all["link"], ticket[1])
		}
	}
	require.GreaterOrEqual(m.t, len(all["link"]), flows)
	return all
}

// in are the kinds of canaries in some bytes.
func (c canaries) in(content []byte) (kinds []string) {
	for _, kind := range []string{"key", "body", "link", "code", "number"} {
		for _, one := range c[kind] {
			if bytes.Contains(content, []byte(one)) {
				kinds = append(kinds, kind)
				break
			}
		}
	}
	return kinds
}

// columns are the values of all columns of all tables, the queue's too.
func (m *mine) columns() map[string][]byte {
	m.t.Helper()
	queue, err := openQueue(m.url)
	require.NoError(m.t, err)
	defer queue.db.Close()
	query := "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c" +
		" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
	if !strings.HasPrefix(m.url, "sqlite:") {
		query = "SELECT c.table_name, c.column_name FROM information_schema.columns c" +
			" JOIN information_schema.tables t ON t.table_name = c.table_name" +
			" AND t.table_schema = c.table_schema" +
			" WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
	}
	found := map[string][]byte{}
	names := m.pairs(queue.db, query)
	require.Greater(m.t, len(names), 100)
	for _, n := range names {
		var all bytes.Buffer
		for _, value := range m.pairs(queue.db, "SELECT CAST("+n[1]+" AS TEXT), '' FROM "+n[0]) {
			all.WriteString(value[0] + "\n")
		}
		found[n[0]+"."+n[1]] = all.Bytes()
	}
	return found
}

func (m *mine) pairs(db *sql.DB, query string) (all [][2]string) {
	m.t.Helper()
	rows, err := db.QueryContext(m.t.Context(), query)
	require.NoError(m.t, err, query)
	defer rows.Close()
	for rows.Next() {
		var a, b sql.NullString
		require.NoError(m.t, rows.Scan(&a, &b))
		all = append(all, [2]string{a.String, b.String})
	}
	require.NoError(m.t, rows.Err())
	return all
}
