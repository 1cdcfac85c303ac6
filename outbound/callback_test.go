package outbound

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/callback"
	"smsbridge/internal/challenge"
	"smsbridge/internal/price"
	"smsbridge/internal/settings"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

const eventSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// subscribe has an app listen for some types of events, at the address with the name app.
func subscribe(w *world, types ...string) *callbackApp {
	app := listen(w.t, w)
	w.tenant().API.Callback = tenant.Callback{}
	w.tenant().Events = tenant.Events{
		To:      []tenant.Endpoint{{Name: "app", URL: app.URL, Types: types}},
		Secrets: []settings.Secret{settings.NewSecret(eventSecret)},
	}
	return app
}

var toApp = place{"acme", "app"}

// tellApp does what is due for the app, as a lane does.
func (w *world) tellApp() {
	w.t.Helper()
	if w.lane(toApp).enter(w.clock()) {
		w.workLane(w.t.Context(), toApp)
	}
}

// heard are the events that the app was sent.
func (l *callbackApp) heard(t *testing.T) (all []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, body := range l.bodies {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &m))
		all = append(all, m)
	}
	return all
}

func (l *callbackApp) types(t *testing.T) (all []string) {
	for _, m := range l.heard(t) {
		all = append(all, m["type"].(string))
	}
	return all
}

// tolerant takes out of an event what a receiver must pass over.
func tolerant(m map[string]any) map[string]any {
	delete(m, "extra")
	delete(m["data"].(map[string]any), "extra")
	return m
}

// Ensure that an app is told what happens to a question, with the id of the case, the phone and how
// it ended. No link and no code is in it.
func TestEventsOfAQuestion(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := subscribe(w, "question.*")
		link := "http://" + w.idp.Host() + "/verify?ticket=very-secret"
		id := w.accepted(link, challenge.Registration)
		require.NoError(w.t, w.clickLink(w.t.Context(), id))
		w.tellApp()
		require.Equal(w.t, []string{"question.asked", "question.accepted", "question.failed"},
			app.types(w.t))
		events := app.heard(w.t)
		mail := w.one("SELECT mail_id FROM challenge")
		require.Equal(w.t, map[string]any{
			"type": "question.failed", "timestamp": w.clock().UTC().Format(time.RFC3339Nano),
			"data": map[string]any{
				"id": id, "case": mail, "phone": phone, "purpose": "registration",
				"outcome": w.one("SELECT outcome FROM challenge"),
			},
		}, tolerant(events[2]))
		for _, body := range app.bodies {
			require.NotContains(w.t, body, "secret")
			shown := strings.ReplaceAll(storetest.WithoutIDs(body), phone, "PHONE")
			require.NotContains(w.t, shown, w.one("SELECT reply_code FROM challenge"))
		}
		require.Equal(w.t, []string{"delivered"}, w.all("SELECT DISTINCT state FROM callback"))
	})
}

// Ensure that an app is told of a verification with its own reference.
func TestEventsOfAVerification(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := subscribe(w)
		v := w.verified()
		w.tellApp()
		require.Equal(w.t, []string{"verification.started", "verification.approved"},
			app.types(w.t)[:2])
		require.Equal(w.t, map[string]any{
			"id": v.ID, "case": v.ID, "reference": "order 66", "door": "api", "phone": phone,
		}, tolerant(app.heard(w.t)[1])["data"])
		for _, body := range app.bodies {
			require.NotContains(w.t, body, "482913")
		}
	})
}

// Ensure that an app is told why a text did not arrive.
func TestEventsOfAText(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := subscribe(w, "text.*", "limit.*")
		id := w.make(phone, "Hello.")
		w.exec("INSERT INTO opt_out (account, sender, phone, since, id, tenant, number, via, recorder,"+
			" recorded_at) VALUES ($1, $2, $3, 1, 'o', '', '', 'reply', '', 0)",
			w.line().Account, w.line().Sender, phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return tx.Record(ctx, "acme", store.NewID(), "limit.budget", "80 % of the day")
		})
		w.tellApp()
		events := app.heard(w.t)
		require.Len(w.t, events, 2)
		require.Equal(w.t, map[string]any{
			"id": id, "phone": phone, "purpose": "outcome", "reason": "opted out", "segments": 1.0,
		}, tolerant(events[0])["data"])
		require.Equal(w.t, "80 % of the day", events[1]["data"].(map[string]any)["reason"])
		require.NotContains(w.t, app.bodies[1], "phone")
	})
}

// Ensure that a retry and a replay have the id of the event and say the same. Each has the time of
// the try, and a signature of each key.
func TestEventsAreRepeated(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := subscribe(w, "verification.approved")
		w.tenant().Events.Secrets = append(w.tenant().Events.Secrets,
			settings.NewSecret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"))
		w.verified()
		event := w.one("SELECT event_id FROM callback")
		app.answer(http.StatusInternalServerError)
		w.tellApp()
		w.tellApp()
		require.Len(w.t, app.bodies, 1, "it is not time yet")
		app.answer(http.StatusFound)
		w.wait(5 * time.Second)
		w.tellApp()
		require.Len(w.t, app.bodies, 2, "a redirect is not followed")
		app.answer(http.StatusOK)
		w.wait(time.Minute)
		w.tellApp()
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return callback.Replay(ctx, tx, w.one("SELECT id FROM callback"))
		})
		w.wait(time.Hour)
		w.tellApp()
		require.Len(w.t, app.bodies, 4)
		stamps := map[string]bool{}
		for i, header := range app.headers {
			require.Equal(w.t, event, header.Get("webhook-id"))
			require.Equal(w.t, app.bodies[0], app.bodies[i])
			stamps[header.Get("webhook-timestamp")] = true
			require.Len(w.t, strings.Fields(header.Get("webhook-signature")), 2)
		}
		require.Len(w.t, stamps, 4)
		want := http.Header{}
		Sign(want, w.tenant().Events.Keys(), event, w.clock(), []byte(app.bodies[3]))
		require.Equal(w.t, want.Get("webhook-signature"), app.headers[3].Get("webhook-signature"))
	})
}

// Ensure that a retry says what the try before said. Meanwhile a provider corrected the segments of
// a text, and the link of a later mail took the place of the question's.
func TestRetriesSayTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := subscribe(w, "question.accepted", "text.sent")
		app.answer(http.StatusInternalServerError)
		id := w.sent("Hello.")
		w.accepted("http://"+w.idp.Host()+"/verify?ticket=none", challenge.Registration)
		w.tellApp()
		require.Len(w.t, app.bodies, 2)
		w.do(func(ctx context.Context, tx *store.Tx) error {
			told, err := price.ReadTold("0.02", price.USD, 2)
			require.NoError(w.t, err)
			return text.SetPrice(ctx, tx, id, "twilio", told, 0)
		})
		w.exec("UPDATE challenge SET mail_id = 'later'")
		require.Equal(w.t, "2", w.one("SELECT segments FROM text WHERE id = '"+id+"'"))
		app.answer(http.StatusOK)
		w.wait(5 * time.Second)
		w.tellApp()
		require.Len(w.t, app.bodies, 4)
		require.ElementsMatch(w.t, app.bodies[:2], app.bodies[2:])
	})
}

// Ensure that 410 ends the tries of an event, that it is logged, and that the next event is told.
func TestGoneEndsAnEvent(t *testing.T) {
	t.Parallel()
	w := quick(t)
	app := subscribe(w, "verification.approved")
	app.answer(http.StatusGone)
	w.verified()
	w.tellApp()
	w.wait(time.Hour)
	w.tellApp()
	require.Len(t, app.bodies, 1)
	require.Equal(t, "gone 410", w.one("SELECT state || ' ' || status FROM callback"))
	require.Contains(t, w.log.String(), "not told of an event any more")
	w.verified()
	w.tellApp()
	require.Len(t, app.bodies, 2)
}

// Ensure that an address that fails again and again rests, longer each time, with all that waits
// for it. What has waited for a day is given up.
func TestAddressRests(t *testing.T) {
	t.Parallel()
	w := quick(t)
	app := subscribe(w, "verification.approved")
	app.answer(http.StatusServiceUnavailable)
	for range 5 {
		w.verified()
	}
	w.tellApp()
	require.Len(t, app.bodies, restAfter)
	w.wait(shortestRest - time.Millisecond)
	w.tellApp()
	require.Len(t, app.bodies, restAfter)
	w.wait(time.Millisecond)
	w.tellApp()
	require.Len(t, app.bodies, restAfter+1, "one more failure, and it rests again")
	w.wait(2*shortestRest - time.Millisecond)
	w.tellApp()
	require.Len(t, app.bodies, restAfter+1)
	w.wait(25 * time.Hour)
	w.tellApp()
	require.Len(t, app.bodies, restAfter+2)
	require.Equal(t, "4", w.one("SELECT COUNT(*) FROM callback WHERE state = 'dead'"))
	require.Contains(t, w.log.String(), callback.NoDay)
	app.answer(http.StatusOK)
	w.wait(time.Hour)
	w.tellApp()
	require.Equal(t, "1", w.one("SELECT COUNT(*) FROM callback WHERE state = 'delivered'"))
	w.verified()
	w.tellApp()
	require.Equal(t, "2", w.one("SELECT COUNT(*) FROM callback WHERE state = 'delivered'"))
}

// Ensure that all that has waited for a day is given up at once, in several transactions. One line
// of the log says how many.
func TestAllOverdueAreGivenUp(t *testing.T) {
	t.Parallel()
	w := quick(t)
	app := subscribe(w, "verification.approved")
	app.answer(http.StatusServiceUnavailable)
	w.verified()
	w.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450) " +
		"INSERT INTO callback (id, event_id, tenant, endpoint, type, subject, detail, state, host, " +
		"attempts, status, reason, at, due_at, next_at, ended_at) " +
		"SELECT c.id || '-' || n.i, c.event_id, c.tenant, c.endpoint, c.type, c.subject, c.detail, " +
		"c.state, c.host, c.attempts, c.status, c.reason, c.at, c.due_at, c.next_at, c.ended_at " +
		"FROM callback c, n")
	w.wait(25 * time.Hour)
	w.tellApp()
	require.Len(t, app.bodies, restAfter)
	require.Equal(t, "448", w.one("SELECT COUNT(*) FROM callback WHERE state = 'dead'"))
	require.Equal(t, 1, strings.Count(w.log.String(), callback.NoDay))
	require.Contains(t, w.log.String(), `"events":448`)
}

// Ensure that the rests of a lane double and end, that one success ends them, and that no more than
// two work in it. One that found nothing goes on when more became due meanwhile.
func TestLane(t *testing.T) {
	t.Parallel()
	var l lane
	now := time.Now()
	require.True(t, l.enter(now))
	require.True(t, l.enter(now))
	require.False(t, l.enter(now))
	require.False(t, l.leave(), "more became due")
	require.True(t, l.leave())
	l.stop()
	require.Zero(t, l.busy)
	for range restAfter - 1 {
		require.True(t, l.tried(false, now))
	}
	for _, rest := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		require.False(t, l.tried(false, now))
		require.Equal(t, rest*time.Second, l.rests.Sub(now))
		require.False(t, l.enter(now.Add(rest*time.Second-1)))
	}
	require.True(t, l.tried(true, now))
	require.True(t, l.enter(now))
}

// Ensure that a process that serves tells an event at once, before any sweep. A receiver that does
// not respond delays no other address.
func TestEventsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := subscribe(w, "verification.approved")
		hangs, end := make(chan struct{}), make(chan struct{})
		slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			hangs <- struct{}{}
			<-end
		})
		server := httptest.NewServer(slow)
		w.t.Cleanup(server.Close)
		w.tenant().Events.To = append(w.tenant().Events.To,
			tenant.Endpoint{Name: "slow", URL: server.URL})
		require.NoError(w.t, w.Store.Start(w.t.Context()))
		w.verified()
		<-hangs
		require.Eventually(w.t, func() bool { return len(app.types(w.t)) == 1 }, time.Minute,
			time.Millisecond)
		close(end)
		go func() {
			for range hangs { // the others
			}
		}()
		require.NoError(w.t, w.Store.Stop(context.Background()))
	})
}

// Ensure that a sweep wakes the lanes of what is due.
func TestSweepWakes(t *testing.T) {
	t.Parallel()
	w := quick(t)
	app := subscribe(w, "verification.approved")
	w.verified() // while no queue is worked
	require.NoError(t, w.Store.Start(t.Context()))
	require.NoError(t, w.work(t.Context(), "sweep", ""))
	require.Eventually(t, func() bool { return len(app.types(t)) == 1 }, time.Minute,
		time.Millisecond)
	require.NoError(t, w.Store.Stop(context.Background()))
}

// Ensure that of a person who was erased no app is told any more.
func TestErasedPersonIsNotTold(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := subscribe(w, "verification.approved", "question.asked", "text.failed")
		v := w.verified()
		id := w.accepted("http://"+w.idp.Host()+"/verify?ticket=none", challenge.Registration)
		require.NoError(w.t, w.clickLink(w.t.Context(), id))
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return tx.Record(ctx, "acme", "gone", "text.failed", "")
		})
		_, err := w.Store.ErasePhone(w.t.Context(), v.Phone)
		require.NoError(w.t, err)
		w.tellApp()
		require.Empty(w.t, app.bodies)
		require.Equal(w.t, "3", w.one("SELECT COUNT(*) FROM callback WHERE state = 'withdrawn'"))
		w.verified()
		w.wait(time.Hour)
		_, n, err := w.Store.Pseudonymize(w.t.Context(), "verification", "", w.clock())
		require.NoError(w.t, err)
		require.Equal(w.t, 1, n)
		w.tellApp()
		require.Empty(w.t, app.bodies, "a digest stands for the number")
	})
}

// Ensure that no private address is told, unless the tenant allows it, and that what waits for an
// address that the settings lost stays.
func TestEventsAreGuarded(t *testing.T) {
	t.Parallel()
	w := quick(t)
	app := subscribe(w, "verification.approved")
	w.verified()
	w.tenant().Links.UnsafeAllow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	w.tellApp()
	require.Empty(t, app.bodies)
	require.Equal(t, errAddress.Error(), w.one("SELECT reason FROM callback"))
	to := w.tenant().Events.To
	w.tenant().Events.To = nil
	w.wait(5 * time.Second)
	w.tellApp()
	require.Equal(t, "due 1", w.one("SELECT state || ' ' || attempts FROM callback"))
	w.tenant().Events.To, w.tenant().Links.UnsafeAllow = to, []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8")}
	w.tellApp()
	require.Len(t, app.bodies, 1)
}

// Ensure that an event costs the transaction that records it one statement for each address, and
// nothing while no address subscribed to it.
func TestCostOfEvents(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		cost := func() int {
			var n int
			w.do(func(ctx context.Context, tx *store.Tx) error {
				watched := storetest.Watch(tx)
				err := tx.Record(ctx, "acme", "x", "text.sent", "")
				n = len(watched.Names)
				return err
			})
			return n
		}
		require.Zero(w.t, cost(), "the commit writes the timeline")
		subscribe(w, "question.*")
		require.Zero(w.t, cost())
		subscribe(w, "text.sent")
		require.Equal(w.t, 1, cost())
		w.tenant().Events.To = append(w.tenant().Events.To, tenant.Endpoint{Name: "crm"})
		require.Equal(w.t, 2, cost())
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM river_job"), "the queue has none")
	})
}
