package outbound

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// make makes a text due that is worth sending for ten minutes.
func (w *world) make(to, body string) (id string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		id, err = text.Make(ctx, tx, text.Draft{
			Tenant: w.tenant(), Line: w.line(), Phone: w.phone(to), Purpose: text.Outcome, Body: body,
			Deadline: tx.Now().Add(10 * time.Minute),
		})
		return err
	})
	return id
}

// is shows the state of a text, and its error.
func (w *world) is(id, state, problem string) {
	w.t.Helper()
	require.Equal(
		w.t, state+"/"+problem, w.one("SELECT state || '/' || error FROM text WHERE id = '"+id+"'"),
	)
	if state == "failed" || state == "suppressed" {
		require.Empty(w.t, w.one("SELECT body FROM text WHERE id = '"+id+"'"))
	}
}

func (w *world) inbox(n int) []twilio.Text {
	w.t.Helper()
	inbox := w.twilio.Phone(phone).Inbox()
	require.Len(w.t, inbox, n)
	return inbox
}

// retarget has Twilio's requests go elsewhere.
func (w *world) retarget(base string) {
	w.t.Helper()
	settings, err := tenant.FromEnv(w.environ("TWILIO_API_BASE=" + base))
	require.NoError(w.t, err)
	w.Settings = settings
}

func TestSendText(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		base, seen := w.front(w.twilio.URL(), func(*http.Response) {})
		w.retarget(base)
		id := w.make(phone, "Hello")
		w.wait(90 * time.Second)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.is(id, "sent", "")
		got := w.inbox(1)[0]
		require.Equal(
			w.t, []string{
				number, phone, "Hello", w.Settings.ReceiptURL("acme", id, id),
			}, []string{got.From, got.To, got.Body, got.StatusCallback},
		)
		require.Equal(w.t, got.SID, w.one("SELECT provider_id FROM text"))
		require.Equal(
			w.t, "510", fields(w.t, seen()[0]).Get(
				"ValidityPeriod",
			), "what is left of the text's ten minutes",
		)

		for range 3 { // a reminder may come again
			require.NoError(w.t, w.sendText(w.t.Context(), id))
			require.NoError(w.t, w.findText(w.t.Context(), id))
		}
		w.inbox(1)
		require.Len(w.t, seen(), 1)
		require.Equal(w.t, "0", w.jobs("find_text"))
	})
}

// Ensure that Twilio is told where to report, and with which text's id.
func TestReceiptURLs(t *testing.T) {
	t.Parallel()
	w := quick(t)
	first, second := w.make(phone, "one"), w.make(phone, "two")
	require.NoError(t, w.sendText(t.Context(), first))
	require.NoError(t, w.sendText(t.Context(), second))
	require.Eventually(t, func() bool {
		w.callbacks.mu.Lock()
		defer w.callbacks.mu.Unlock()
		return len(w.callbacks.urls) == 4
	}, time.Minute, 5*time.Millisecond)
	counts := map[string]int{}
	for _, u := range w.callbacks.urls {
		counts[u]++
	}
	require.Equal(
		t, map[string]int{
			"/twilio/acme/receipt?text=" + first + "&case=" + first:   2,
			"/twilio/acme/receipt?text=" + second + "&case=" + second: 2,
		}, counts,
	)
}

func TestSendThroughAService(t *testing.T) {
	t.Parallel()
	w := quick(t, "TWILIO_FROM="+service)
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(t.Context(), id))
	require.Equal(t, service, w.inbox(1)[0].ServiceSID)
	w.is(id, "sent", "")

	lost := w.make(phone, "Lost")
	w.twilio.Set(func(m *twilio.Manners) { m.LoseResponse = 1 })
	require.NoError(t, w.sendText(t.Context(), lost))
	w.is(lost, "unclear", "")
	require.NoError(t, w.findText(t.Context(), lost))
	w.is(lost, "sent", "")
	w.inbox(2)
}

// Ensure that a sender's name is sent as a name, also when it begins as the id of a service does.
func TestSendUnderAName(t *testing.T) {
	t.Parallel()
	w := quick(t, "TWILIO_FROM=MG Motor", "SMSBRIDGE_ANSWER=tap")
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(t.Context(), id))
	w.is(id, "sent", "")
	require.Equal(t, "MG Motor", w.inbox(1)[0].From)

	lost := w.make(phone, "Lost")
	w.twilio.Set(func(m *twilio.Manners) { m.LoseResponse = 1 })
	require.NoError(t, w.sendText(t.Context(), lost))
	require.NoError(t, w.findText(t.Context(), lost))
	w.is(lost, "sent", "")
	w.inbox(2)
}

func TestRefusedTexts(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, code := range []int{21211, 21408, 21612, 21614, 21617} {
			w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: code} })
			id := w.make(phone, "Hello")
			require.NoError(w.t, w.sendText(w.t.Context(), id))
			w.is(id, "failed", strconv.Itoa(code))
			require.NoError(w.t, w.sendText(w.t.Context(), id))
			require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM opt_out"))
		}
		waiting := w.make(phone, "made before the opt-out is known")
		w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21610} })
		id := w.make(phone, "Hello")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.is(id, "failed", "21610")
		require.Equal(w.t, "1", w.one("SELECT COUNT(*) FROM opt_out"))
		w.twilio.Set(func(m *twilio.Manners) { m.Reject = nil })
		require.NoError(w.t, w.sendText(w.t.Context(), waiting))
		w.is(waiting, "suppressed", "opted out")
		w.is(w.make(phone, "Hello"), "suppressed", "opted out")
		w.inbox(0)
		w.is(w.make(otherPhone, "Hello"), "due", "")
	})
}

// What Twilio certainly did not do is tried again until it is done, or too late.
func TestTextsThatTwilioDidNotTake(t *testing.T) {
	t.Parallel()
	for _, m := range []twilio.Manners{
		{
			FailNext: 1, FailStatus: 429, FailCode: 20429,
		}, {FailNext: 1, FailStatus: 429}, {FailNext: 1, FailStatus: 401, FailCode: 20003},
		{FailNext: 1, FailStatus: 425},
	} {
		t.Run(fmt.Sprint(m.FailStatus, m.FailCode), func(t *testing.T) {
			w := quick(t)
			w.twilio.Set(func(now *twilio.Manners) { *now = m })
			id := w.make(phone, "Hello")
			w.later(id, w.sendText(t.Context(), id))
			w.is(id, "due", "")
			w.wait(2 * time.Second)
			require.NoError(t, w.sendText(t.Context(), id))
			w.is(id, "sent", "")
			w.inbox(1)
		})
	}
	t.Run("no connection", func(t *testing.T) {
		w := quick(t, "TWILIO_API_BASE=http://127.0.0.1:1")
		id := w.make(phone, "Hello")
		w.later(id, w.sendText(t.Context(), id))
		w.is(id, "due", "")
		w.retarget(w.twilio.URL())
		require.NoError(t, w.sendText(t.Context(), id))
		w.is(id, "sent", "")
		w.inbox(1)
	})
	t.Run("until it is too late", func(t *testing.T) {
		w := quick(t, "TWILIO_API_BASE=http://127.0.0.1:1")
		id := w.make(phone, "Hello")
		w.later(id, w.sendText(t.Context(), id))
		w.wait(10 * time.Minute)
		require.NoError(t, w.sendText(t.Context(), id))
		w.is(id, "suppressed", "too late")
	})
}

// lostAnswers are the ways in which a response of Twilio's gets lost, each with whether Twilio
// took the text.
func lostAnswers(w *world) map[string]func() (taken bool) {
	front := func(status int, body string) func() bool {
		return func() bool {
			base, _ := w.front(w.twilio.URL(), func(r *http.Response) {
				if r.Request.Method == http.MethodPost {
					_ = r.Body.Close()
					r.StatusCode, r.Body = status, http.NoBody
					r.Header = http.Header{"X": {body}}
				}
			})
			w.retarget(base)
			return true
		}
	}
	return map[string]func() bool{
		"connection cut after": func() bool {
			w.twilio.Set(func(m *twilio.Manners) { m.LoseResponse = 1 })
			return true
		},
		"500 after":          front(500, ""),
		"502 after":          front(502, ""),
		"201 without a body": front(201, ""),
		"302 after":          front(302, ""),
		"500 before, as JSON": func() bool {
			w.twilio.Set(func(m *twilio.Manners) {
				*m = twilio.Manners{FailNext: 1, FailStatus: 500, FailCode: 20500}
			})
			return false
		},
		"503 before, as a page": func() bool {
			w.twilio.Set(func(m *twilio.Manners) { m.FailNext = 1 })
			return false
		},
	}
}

// Ensure that a text whose response was lost is looked up, and reaches the phone exactly once
// whether or not Twilio had taken it.
func TestLostAnswersAreLookedUp(t *testing.T) {
	t.Parallel()
	for name := range lostAnswers(nil) {
		t.Run(name, func(t *testing.T) {
			w := quick(t)
			id := w.make(phone, "Hello")
			taken := lostAnswers(w)[name]()
			require.NoError(t, w.sendText(t.Context(), id))
			w.is(id, "unclear", "")
			require.Equal(t, "1", w.jobs("find_text"))
			require.NoError(t, w.sendText(t.Context(), id)) // the reminder alone sends nothing
			w.retarget(w.twilio.URL())
			if taken {
				w.inbox(1)
				w.wait(10 * time.Second)
				require.NoError(t, w.findText(t.Context(), id))
				w.is(id, "sent", "")
				require.Equal(t, w.inbox(1)[0].SID, w.one("SELECT provider_id FROM text"))
				return
			}
			for range 5 {
				w.wait(10 * time.Second)
				w.snoozed(w.findText(t.Context(), id))
				w.is(id, "unclear", "")
			}
			w.wait(10 * time.Second)
			require.NoError(t, w.findText(t.Context(), id))
			w.is(id, "due", "")
			require.Equal(t, "2", w.jobs("send_text"))
			w.inbox(0)
			require.NoError(t, w.sendText(t.Context(), id))
			w.is(id, "sent", "")
			w.inbox(1)
		})
	}
}

// Ensure that a text is not sent again while the list may still show it late. A list that cannot
// be read shows nothing.
func TestLateAndBrokenLists(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.twilio.Set(func(m *twilio.Manners) { m.LoseResponse, m.ListLag = 1, 45*time.Second })
		id := w.make(phone, "Hello")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.wait(40 * time.Second)
		w.snoozed(w.findText(w.t.Context(), id))
		for _, status := range []int{401, 404, 429, 500, 200} {
			base, _ := w.front(w.twilio.URL(), func(r *http.Response) {
				r.StatusCode = status
				_ = r.Body.Close()
				r.Body = http.NoBody
			})
			w.retarget(base)
			w.wait(30 * time.Second)
			w.snoozed(w.findText(w.t.Context(), id))
			w.is(id, "unclear", "")
		}
		w.retarget("http://127.0.0.1:1")
		w.snoozed(w.findText(w.t.Context(), id))
		w.retarget(w.twilio.URL())
		require.NoError(w.t, w.findText(w.t.Context(), id))
		w.is(id, "sent", "")
		w.inbox(1)
	})
}

// othersText has another program text a phone through the account.
func (w *world) othersText(from, to, body string) {
	w.t.Helper()
	form := url.Values{"From": {from}, "To": {to}, "Body": {body}}
	require.Equal(w.t, http.StatusCreated, w.othersPost(
		w.twilio.URL()+"/2010-04-01/Accounts/"+accountSID+"/Messages.json", form.Encode()))
}

// othersPost has another program post a form to the API of the account. It returns the status.
func (w *world) othersPost(url, form string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, url,
		strings.NewReader(form))
	require.NoError(w.t, err)
	r.SetBasicAuth(accountSID, authToken)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	require.NoError(w.t, res.Body.Close())
	return res.StatusCode
}

// Ensure that a text is found behind many later ones to its phone, and not sent again.
func TestLookUpBehindManyTexts(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.twilio.Set(func(m *twilio.Manners) { m.LoseResponse = 1 })
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(t.Context(), id))
	w.is(id, "unclear", "")
	for range twilioPageSize {
		w.othersText(otherNumber, phone, "Your parcel is on its way.")
	}
	w.wait(text.Quarantine)
	require.NoError(t, w.findText(t.Context(), id))
	w.is(id, "sent", "")
}

// Ensure that a text is found although a trial account puts words before it.
func TestLookUpOfATrialAccount(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.twilio.Set(func(m *twilio.Manners) { m.Trial, m.LoseResponse = true, 1 })
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(t.Context(), id))
	w.is(id, "unclear", "")
	require.Equal(t, "Sent from your Twilio trial account - Hello", w.inbox(1)[0].Body)
	require.NoError(t, w.findText(t.Context(), id))
	w.is(id, "sent", "")
}

// Ensure that a text is found, and not sent twice, although Twilio replaced some of its signs.
func TestLookUpOfASmartlyEncodedText(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.twilio.Set(func(m *twilio.Manners) { m.SmartEncoding, m.LoseResponse = true, 1 })
	id := w.make(phone, "“Bob’s” – reply\u00a0YES…")
	require.NoError(t, w.sendText(t.Context(), id))
	w.is(id, "unclear", "")
	require.Equal(t, `"Bob's" - reply YES...`, w.inbox(1)[0].Body)
	require.NoError(t, w.findText(t.Context(), id))
	w.is(id, "sent", "")
}

// Ensure that only the form of quotes, dashes and blanks makes no difference.
func TestAlike(t *testing.T) {
	t.Parallel()
	require.True(t, alike(`"Code": 123456 - 'ACME'...`, "„Code“:\u00a0123456 — ‘ACME’…"))
	require.True(t, alike("\"ACME\"", "«ACME»\u200b"))
	require.True(t, alike("'ACME'", "´ACME＇"))
	require.False(t, alike("Code: 123457", "Code: 123456"))
	require.False(t, alike("Reply YES.", "Reply YES"))
	require.False(t, alike("\u2713", "\u2717"))
}

// Ensure that only a text of ours that no other text has claimed yet counts as the one that is
// looked for.
func TestLookUpTakesNobodyElsesText(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		send := w.othersText
		send(number, phone, "Hello") // long ago
		w.wait(clocks + time.Second)
		// Our own, with the same words.
		require.NoError(w.t, w.sendText(w.t.Context(), w.make(phone, "Hello")))
		send(number, phone, "Hello!")
		send(number, otherPhone, "Hello")
		send(otherNumber, phone, "Hello")
		// The phone's words, not ours.
		_, err := w.twilio.Phone(phone).ReplyTo(w.t.Context(), number, "Hello")
		require.NoError(w.t, err)

		lost := w.make(phone, "Hello")
		w.twilio.Set(func(m *twilio.Manners) { m.FailNext = 1 })
		require.NoError(w.t, w.sendText(w.t.Context(), lost))
		w.wait(30 * time.Second)
		w.snoozed(w.findText(w.t.Context(), lost))
		w.is(lost, "unclear", "")
		w.wait(30 * time.Second)
		require.NoError(w.t, w.findText(w.t.Context(), lost))
		w.is(lost, "due", "")
	})
}

// Ensure that a worker that died while it was sending leaves a text that is looked up and not
// sent blindly.
func TestInterruptedSending(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		id := w.make(phone, "Hello")
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, due, err := text.Begin(ctx, tx, id)
			require.True(w.t, due)
			return err
		})
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.is(id, "unclear", "")
		require.Equal(w.t, "1", w.jobs("find_text"))
		w.inbox(0)
	})
}

// Ensure that a request that is asked to stop leaves the outcome on disk all the same.
func TestSendingOutlivesItsContext(t *testing.T) {
	t.Parallel()
	w := quick(t)
	ctx, cancel := context.WithCancel(t.Context())
	base, _ := w.front(w.twilio.URL(), func(*http.Response) { cancel() })
	w.retarget(base)
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(ctx, id))
	w.is(id, "sent", "")
	w.inbox(1)
}

func TestTextsOfNobody(t *testing.T) {
	t.Parallel()
	w := quick(t)
	other, err := tenant.FromEnv(w.environ("SMSBRIDGE_TENANT=beta"))
	require.NoError(t, err)
	account, err := tenant.FromEnv(w.environ("TWILIO_ACCOUNT_SID=AC00000000000000000000000000000002"))
	require.NoError(t, err)
	for _, settings := range []tenant.Settings{other, account} {
		id := w.make(phone, "Hello")
		mine := w.Settings
		w.Settings = settings
		require.NoError(t, w.sendText(t.Context(), id))
		w.is(id, "failed", "not configured")
		w.Settings = mine

		id = w.make(phone, "Hello")
		w.twilio.Set(func(m *twilio.Manners) { m.FailNext = 1 })
		require.NoError(t, w.sendText(t.Context(), id))
		w.is(id, "unclear", "")
		w.Settings = settings
		require.NoError(t, w.findText(t.Context(), id))
		w.is(id, "failed", "not configured")
		w.Settings = mine
	}
	w.inbox(0)
	require.NoError(t, w.sendText(t.Context(), store.NewID()), "its row is gone")
}
