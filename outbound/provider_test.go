package outbound

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/health"
	"smsbridge/internal/meter"
	"smsbridge/internal/settings"
	"smsbridge/internal/simulator/flowroute"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/simulator/twilioverify"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

const (
	verifyService   = "VA00000000000000000000000000000001"
	flowrouteSender = "+12065550101"
	flowrouteKey    = "flowrouteaccess"
	flowrouteSecret = "xk3F8d0a2QmT1e4975bLd8e2Rj6a17Wz"
)

// others are the providers besides Twilio's Messages that a test may open.
type others struct {
	verify    *twilioverify.Service
	flowroute *flowroute.Account
	environ   []string
}

// openOthers opens a pretend Verify and Flowroute and has the tenant ask the providers named, in
// that order.
func (w *world) openOthers(providers string, changes ...string) others {
	w.t.Helper()
	v, err := twilioverify.Open(twilioverify.Config{
		AccountSID: accountSID, AuthToken: authToken, ServiceSID: verifyService, Phones: w.twilio,
		Now: w.elsewhere,
	})
	require.NoError(w.t, err)
	w.t.Cleanup(v.Close)
	f, err := flowroute.Open(flowroute.Config{
		AccessKey: flowrouteKey, SecretKey: flowrouteSecret, Numbers: []string{
			flowrouteSender, "+12065550102",
		}, ResendAfter: []time.Duration{}, Now: w.elsewhere,
	})
	require.NoError(w.t, err)
	w.t.Cleanup(f.Close)
	environ := append([]string{
		"SMSBRIDGE_PROVIDERS=" + providers, "TWILIO_VERIFY_SERVICE_SID=" + verifyService,
		"TWILIO_VERIFY_BASE=" + v.URL(),
		"FLOWROUTE_ACCESS_KEY=" + flowrouteKey, "FLOWROUTE_SECRET_KEY=" + flowrouteSecret,
		"FLOWROUTE_NUMBER=" + flowrouteSender, "FLOWROUTE_API_BASE=" + f.URL(),
	}, changes...)
	settings, err := tenant.FromEnv(w.environ(environ...))
	require.NoError(w.t, err)
	w.Settings = settings
	return others{v, f, environ}
}

// verify starts a verification, and returns it with the text that is due.
func (w *world) verify(to string) (v verification.Verification, textID string) {
	w.t.Helper()
	v = w.start(to)
	return v, w.dueText(v.ID)
}

func (w *world) start(to string) (v verification.Verification) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		v, _, err = verification.Start(ctx, tx, verification.For(w.tenant(), "api", w.phone(to)))
		return err
	})
	return v
}

func (w *world) dueText(verificationID string) string {
	w.t.Helper()
	return w.one(
		"SELECT id FROM text WHERE state = 'due' AND verification_id = '" + verificationID + "'",
	)
}

// code is the code that we hold for a verification.
func (w *world) code(id string) (code string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) error {
		s, err := verification.Open(ctx, tx, "acme", id)
		code = s.Code
		return err
	})
	return code
}

func (w *world) check(id, code string) (checked verification.Checked) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		checked, err = verification.Check(ctx, tx, "acme", id,
			verification.Presented{Door: "api", Code: code})
		return err
	})
	return checked
}

// wrong is a code that is not the given one.
func wrong(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

// carriedBy shows which provider a text went to last, and its state.
func (w *world) carriedBy(id, provider, state, problem string) {
	w.t.Helper()
	w.is(id, state, problem)
	require.Equal(w.t, provider, w.one("SELECT provider FROM text WHERE id = '"+id+"'"))
}

func (w *world) events(subject, name string) string {
	w.t.Helper()
	return w.one(
		"SELECT COUNT(*) FROM event WHERE subject = '" + subject + "' AND name = '" + name + "'",
	)
}

// Ensure that the next provider is asked when one certainly does nothing, and only then.
func TestNextProvider(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		manners           twilio.Manners
		provider, state   string
		problem           string
		atTwilio, atOther int
	}{
		"no way to the phone": {
			twilio.Manners{Reject: map[string]int{phone: 21612}}, "flowroute", "sent", "", 0, 1,
		},
		"region not allowed": {
			twilio.Manners{Reject: map[string]int{phone: 21408}}, "flowroute", "sent", "", 0, 1,
		},
		"too many requests": {
			twilio.Manners{
				FailNext: 1, FailStatus: 429, FailCode: 20429,
			}, "flowroute", "sent", "", 0, 1,
		},
		"a wrong token": {
			twilio.Manners{
				FailNext: 1, FailStatus: 401, FailCode: 20003,
			}, "flowroute", "sent", "", 0, 1,
		},
		"premium rate": {
			twilio.Manners{Reject: map[string]int{phone: 21268}}, "twilio", "failed", "21268", 0, 0,
		},
		"not a number": {
			twilio.Manners{Reject: map[string]int{phone: 21211}}, "twilio", "failed", "21211", 0, 0,
		},
		"opted out": {
			twilio.Manners{Reject: map[string]int{phone: 21610}}, "twilio", "failed", "21610", 0, 0,
		},
		"perhaps taken": {
			twilio.Manners{FailNext: 1, FailStatus: 500}, "twilio", "unclear", "", 0, 0,
		},
		"not read in time, as far as it knows": {
			twilio.Manners{FailNext: 1, FailStatus: 408}, "twilio", "unclear", "", 0, 0,
		},
		"too early": {
			twilio.Manners{FailNext: 1, FailStatus: 425}, "flowroute", "sent", "", 0, 1,
		},
		"taken, answer lost": {twilio.Manners{LoseResponse: 1}, "twilio", "unclear", "", 1, 0},
		"taken":              {twilio.Manners{}, "twilio", "sent", "", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t)
			o := w.openOthers("twilio,flowroute")
			w.twilio.Set(func(m *twilio.Manners) { *m = test.manners })
			id := w.make(phone, "Hello")
			require.NoError(t, w.sendText(t.Context(), id))
			w.carriedBy(id, test.provider, test.state, test.problem)
			w.inbox(test.atTwilio)
			require.Len(t, o.flowroute.Inbox(phone), test.atOther)
			refusals := "0"
			if test.provider == "flowroute" || test.state == "failed" {
				refusals = "1"
			}
			require.Equal(t, refusals, w.events(id, "text.refused"))
		})
	}
}

// Ensure that a text that no provider takes now is tried again at the first that may take it
// later. It fails when none ever will.
func TestAllProvidersRefuse(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("twilio,flowroute")
		w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21612} })
		o.flowroute.Set(func(m *flowroute.Manners) { m.FailNext, m.FailStatus = 1, 429 })
		id := w.make(phone, "Hello")
		w.later(id, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "flowroute", "due", "")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "flowroute", "sent", "")
		require.Equal(w.t, "2", w.events(id, "text.refused"), "Twilio was not asked a second time")

		w.twilio.Set(func(m *twilio.Manners) {
			*m = twilio.Manners{FailNext: 1, FailStatus: 429}
		})
		o.flowroute.Set(func(m *flowroute.Manners) { m.Reject = map[string]int{phone: 422} })
		id = w.make(phone, "Hello again")
		w.later(id, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "twilio", "due", "")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "twilio", "sent", "")

		w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21612} })
		id = w.make(phone, "Never")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "flowroute", "failed", "422")
	})
}

// Ensure that of several providers that may take a text later the first is asked first.
func TestAllProvidersAreBusy(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("twilio,flowroute")
	w.twilio.Set(func(m *twilio.Manners) { m.FailNext, m.FailStatus = 1, 429 })
	o.flowroute.Set(func(m *flowroute.Manners) { m.FailNext, m.FailStatus = 1, 429 })
	id := w.make(phone, "Hello")
	w.later(id, w.sendText(t.Context(), id))
	w.carriedBy(id, "twilio", "due", "")
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "twilio", "sent", "")
	require.Empty(t, o.flowroute.Inbox(phone))
}

// Ensure that what a provider says of the phone is the end, although one before it may take the
// text later.
func TestBusyProviderBeforeARefusal(t *testing.T) {
	t.Parallel()
	for code, optedOut := range map[int]string{21610: "1", 21211: "0"} {
		w := quick(t)
		o := w.openOthers("flowroute,twilio")
		o.flowroute.Set(func(m *flowroute.Manners) { m.FailNext, m.FailStatus = 1, 429 })
		w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: code} })
		id := w.make(phone, "Hello")
		require.NoError(t, w.sendText(t.Context(), id))
		w.carriedBy(id, "twilio", "failed", strconv.Itoa(code))
		require.Equal(t, optedOut, w.one("SELECT COUNT(*) FROM opt_out"))
		require.Empty(t, o.flowroute.Inbox(phone))
	}
}

// Ensure that refused credentials are one error that names the settings, however many texts fail,
// and that the log says when they work again.
func TestRefusedCredentialsAreOneError(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.Meter = meter.New(w.clock, health.NewMonitor(w.Log))
		send := func(number string) {
			_, id := w.verify(number)
			_ = w.sendText(w.t.Context(), id) // which waits for a provider
		}
		w.twilio.Set(func(m *twilio.Manners) {
			m.FailNext, m.FailStatus, m.FailCode = 3, http.StatusUnauthorized, 20003
		})
		for i := range 3 {
			send(fmt.Sprintf("+452000000%d", i))
		}
		const said = "refuses the credentials"
		require.Equal(w.t, 1, strings.Count(w.log.String(), said))
		for _, part := range []string{
			`"code":"SB-TWILIO-AUTH","of":"acme"`, "twilio.account_sid", "twilio.auth_token",
		} {
			require.Contains(w.t, w.log.String(), part)
		}
		w.wait(time.Second)
		send("+4520000009")
		require.Equal(w.t, 1, strings.Count(w.log.String(), `health: over","code":"SB-TWILIO-AUTH"`))
	})
}

// Ensure that the next provider is not asked for a text that is not wanted any more.
func TestNextProviderForNothing(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("twilio,flowroute")
	id := w.make(phone, "Hello")
	// The phone says STOP while Twilio thinks.
	base, _ := w.front(w.twilio.URL(), func(r *http.Response) {
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, w.line(), w.phone(phone))
		})
		r.StatusCode = http.StatusTooManyRequests
	})
	w.tenant().Sending.Twilio.APIBase = base
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "twilio", "suppressed", "opted out")
	require.Empty(t, o.flowroute.Inbox(phone))
}

// Ensure that a slow worker asks no other provider for a text that another worker has taken up
// and found unclear: not the next provider, and not the same one later.
func TestTwoWorkersOneText(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"refused": 400, "not now": 429} {
		for _, providers := range []string{"twilio,flowroute", "twilio"} {
			t.Run(name+", "+providers, func(t *testing.T) {
				w := quick(t)
				o := w.openOthers(providers)
				id := w.make(phone, "Hello")
				base, _ := w.front(w.twilio.URL(), func(r *http.Response) {
					require.NoError(t, w.sendText(t.Context(), id)) // the other worker
					r.StatusCode = status
				})
				w.tenant().Sending.Twilio.APIBase = base
				require.NoError(t, w.sendText(t.Context(), id))
				require.Empty(t, o.flowroute.Inbox(phone))
				if providers == "twilio" && name == "refused" {
					w.carriedBy(id, "twilio", "failed", "400") // its provider said that it never will
				} else {
					w.carriedBy(id, "twilio", "unclear", "")
				}
				require.Equal(t, "1", w.events(id, "text.refused"))
			})
		}
	}
}

// Ensure that a worker that died while it asked the second provider leaves a text that is looked
// for there.
func TestInterruptedAtTheSecondProvider(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("twilio,flowroute")
	w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21612} })
	o.flowroute.Set(func(m *flowroute.Manners) { m.LoseResponse = 1 })
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "flowroute", "unclear", "")
	require.NoError(t, w.findText(t.Context(), id))
	w.carriedBy(id, "flowroute", "sent", "")
	require.Len(t, o.flowroute.Inbox(phone), 1)
}

// Ensure that a phone is texted from the sender of its country, and that its questions are on
// that line.
func TestSenderByCountry(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.tenant().Sending.Senders = map[string]string{"DK": service}
	danish := phonemail.Line{Account: accountSID, Sender: service}
	require.Equal(t, danish, w.tenant().Line(w.phone(phone)))
	require.Equal(t, phonemail.Line{Account: accountSID, Sender: number},
		w.tenant().Line(w.phone("+12065550199")))
	require.Len(t, w.Settings.Tenants.ByLine(danish), 1)
	_, id := w.verify(phone)
	require.NoError(t, w.sendText(t.Context(), id))
	require.Equal(t, service, w.inbox(1)[0].ServiceSID)
}

// Ensure that a code comes from the sender of links and codes, and a question from that of
// questions, at whichever provider.
func TestSenderByUse(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.tenant().Sending.Twilio.LinksFrom = service
	_, id := w.verify(phone)
	require.NoError(t, w.sendText(t.Context(), id))
	require.Equal(t, service, w.inbox(1)[0].ServiceSID)
	require.NoError(t, w.sendText(t.Context(), w.make(phone, "Hello")))
	require.Equal(t, number, w.inbox(2)[1].From)
	require.Empty(t, w.inbox(2)[1].ServiceSID)

	w = quick(t)
	o := w.openOthers("flowroute")
	w.tenant().Sending.Flowroute.LinksNumber = "+12065550102"
	_, id = w.verify(phone)
	o.flowroute.Set(func(m *flowroute.Manners) { m.LoseResponse = 1 })
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "flowroute", "unclear", "")
	require.NoError(t, w.findText(t.Context(), id))
	w.carriedBy(id, "flowroute", "sent", "")
	require.NoError(t, w.sendText(t.Context(), w.make(phone, "Hello")))
	texts := o.flowroute.Inbox(phone)
	require.Equal(t, "+12065550102", texts[0].From)
	require.Equal(t, flowrouteSender, texts[1].From)
}

func TestFlowroute(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v2.1", "v2.2"} {
		t.Run(version, func(t *testing.T) {
			w := quick(t)
			o := w.openOthers("flowroute")
			w.tenant().Sending.Flowroute.Version = version
			id := w.make(phone, "Don’t")
			require.NoError(t, w.sendText(t.Context(), id))
			w.carriedBy(id, "flowroute", "sent", "")
			got := o.flowroute.Inbox(phone)[0]
			require.Equal(
				t, []string{
					flowrouteSender, "Don't", version, w.Settings.FlowrouteReceiptURL(w.tenant(), id, id),
				}, []string{got.From, got.Body, got.Version, got.Callback},
			)
			require.Equal(t, got.ID, w.one("SELECT provider_id FROM text"))

			o.flowroute.Set(func(m *flowroute.Manners) {
				m.LoseResponse, m.ListLag = 1, 20*time.Second
			})
			lost := w.make(phone, "Don’t get lost")
			require.NoError(t, w.sendText(t.Context(), lost))
			w.carriedBy(lost, "flowroute", "unclear", "")
			w.wait(10 * time.Second)
			w.snoozed(w.findText(t.Context(), lost))
			o.flowroute.Set(func(m *flowroute.Manners) { m.FailNext, m.FailStatus = 1, 500 })
			w.wait(15 * time.Second)
			w.snoozed(w.findText(t.Context(), lost))
			w.carriedBy(lost, "flowroute", "unclear", "")
			require.NoError(t, w.findText(t.Context(), lost))
			w.carriedBy(lost, "flowroute", "sent", "")
			require.Len(t, o.flowroute.Inbox(phone), 2)
		})
	}
}

// Ensure that a text is not sent again because Flowroute's list is too long to be read to its end.
func TestFlowrouteLongList(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("flowroute")
	full := `{"data":[{}` + strings.Repeat(",{}", flowroutePage-1) + `]}`
	base, asked := w.front(o.flowroute.URL(), func(r *http.Response) {
		if r.Request.Method == http.MethodGet {
			_ = r.Body.Close()
			r.Body = io.NopCloser(strings.NewReader(full))
		}
	})
	own := w.tenant().Sending.Flowroute.APIBase
	w.tenant().Sending.Flowroute.APIBase = base
	o.flowroute.Set(func(m *flowroute.Manners) { m.LoseResponse = 1 })
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(t.Context(), id))
	w.wait(text.Quarantine)
	w.snoozed(w.findText(t.Context(), id))
	w.carriedBy(id, "flowroute", "unclear", "")
	require.Len(t, asked(), 1+flowroutePages)
	w.tenant().Sending.Flowroute.APIBase = own
	require.NoError(t, w.findText(t.Context(), id))
	w.carriedBy(id, "flowroute", "sent", "")
}

// Ensure that each of Flowroute's responses becomes what the text needs.
func TestFlowrouteAnswers(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		400: "failed/400", 403: "failed/403", 422: "failed/422",
		401: "due/", 425: "due/", 429: "due/",
		408: "unclear/", 500: "unclear/", 503: "unclear/",
	} {
		w := quick(t)
		o := w.openOthers("flowroute")
		o.flowroute.Set(func(m *flowroute.Manners) { m.FailNext, m.FailStatus = 1, status })
		id := w.make(phone, "Hello")
		err := w.sendText(t.Context(), id)
		if want == "due/" {
			w.later(id, err)
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, want, w.one("SELECT state || '/' || error FROM text"), status)
		require.Empty(t, o.flowroute.Inbox(phone))
	}
}

// ownSender is a tenant's own sender, which responds as it is told and remembers what it was asked.
type ownSender struct {
	*httptest.Server
	mu       sync.Mutex
	status   int // 0 to cut the connection
	answer   string
	requests []webhookRequest
}

type webhookRequest struct {
	header http.Header
	body   string
}

func (s *ownSender) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, webhookRequest{r.Header.Clone(), string(body)})
	status, answer := s.status, s.answer
	s.mu.Unlock()
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	rw.WriteHeader(status)
	_, _ = rw.Write([]byte(answer))
}

func (s *ownSender) say(status int, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.answer = status, answer
}

func (s *ownSender) request(i int) webhookRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[i]
}

func (w *world) openSender() *ownSender {
	w.t.Helper()
	s := &ownSender{status: 202}
	s.Server = httptest.NewServer(s)
	w.t.Cleanup(s.Close)
	t := w.tenant()
	t.Sending.Providers = []tenant.Provider{tenant.ByWebhook}
	t.Sending.Webhook = tenant.Webhook{
		URL: s.URL + "/send", Secrets: []settings.Secret{
			settings.NewSecret("whsec_" + strings.Repeat("A", 44)),
		},
	}
	return s
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s := w.openSender()
		id := w.make(phone, "Hello")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "webhook", "sent", "")
		expires := w.clock().Add(10 * time.Minute).UTC().Format(time.RFC3339)
		require.JSONEq(
			w.t,
			`{"id":"`+id+`","to":"`+phone+`","from":"`+number+`","text":"Hello",`+
				`"expires_at":"`+expires+`"}`, s.request(0).body,
		)
		want := http.Header{}
		Sign(want, w.tenant().Sending.Webhook.Keys(), id, w.clock(), []byte(s.request(0).body))
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
			require.Equal(w.t, want.Get(name), s.request(0).header.Get(name))
		}
		require.Equal(w.t, id, s.request(0).header.Get("webhook-id"))

		// After a lost response it is asked again, under the same id.
		s.say(0, "")
		lost := w.make(phone, "Lost")
		require.NoError(w.t, w.sendText(w.t.Context(), lost))
		w.carriedBy(lost, "webhook", "unclear", "")
		w.wait(text.Quarantine)
		require.NoError(w.t, w.findText(w.t.Context(), lost))
		w.carriedBy(lost, "webhook", "due", "")
		s.say(200, "")
		require.NoError(w.t, w.sendText(w.t.Context(), lost))
		w.carriedBy(lost, "webhook", "sent", "")
		require.Equal(w.t, lost, s.request(1).header.Get("webhook-id"))
		require.Equal(w.t, lost, s.request(2).header.Get("webhook-id"))
	})
}

// Ensure that a sender of the tenant's own can say why it refuses, and nothing else by that.
func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status       int
		answer, want string
	}{
		{
			422, `{"result":"invalid_number"}`, "failed/422",
		}, {422, `{"result":"opted_out"}`, "failed/422"}, {400, `{"result":"blocked"}`, "failed/400"},
		{400, `{"result":"rate_limited"}`, "due/"}, {400, `{"result":"ok"}`, "failed/400"}, {
			400, `{"result":"timeout"}`, "failed/400",
		},
		{404, "not JSON", "failed/404"}, {429, "", "due/"}, {401, "", "due/"}, {
			500, `{"result":"rejected"}`, "unclear/",
		}, {302, "", "unclear/"}, {408, "", "unclear/"}, {408, `{"result":"blocked"}`, "failed/408"},
		{425, "", "due/"},
	} {
		w := quick(t)
		s := w.openSender()
		s.say(test.status, test.answer)
		id := w.make(phone, "Hello")
		if err := w.sendText(t.Context(), id); test.want == "due/" {
			w.later(id, err)
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, test.want, w.one("SELECT state || '/' || error FROM text"), test)
		optedOut := strings.Contains(test.answer, "opted_out")
		require.Equal(t, optedOut, w.one("SELECT COUNT(*) FROM opt_out") == "1", test)
	}
}
