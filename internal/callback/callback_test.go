package callback_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/callback"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

type bridge struct{ storetest.Bench }

func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(bridge{b}) })
}

// subscribed is a tenant with one address, app, that is told of some types of events.
func subscribed(types ...string) *tenant.Tenant {
	return &tenant.Tenant{Slug: "acme", Events: tenant.Events{
		To: []tenant.Endpoint{{Name: "app", URL: "https://app.acme.example/", Types: types}},
	}}
}

// happens records an event for the addresses of a tenant, and returns their names.
func (b bridge) happens(t *tenant.Tenant, name, subject string) (told []string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		told, err = callback.Record(ctx, tx, t, store.Event{
			ID: store.NewID(), Tenant: t.Slug, Subject: subject, Name: name, At: tx.Now(),
		})
		return err
	})
	return told
}

func (b bridge) claim() (c callback.Callback, found bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, found, err = callback.Claim(ctx, tx, "acme", "app")
		return err
	})
	return c, found
}

func (b bridge) tried(c callback.Callback, r callback.Response) (s callback.State) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		s, err = callback.Tried(ctx, tx, c, r)
		return err
	})
	return s
}

func (b bridge) newest(failed bool) (all []callback.Callback) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		all, err = callback.Newest(ctx, tx, failed, "", 100)
		return err
	})
	return all
}

func (b bridge) waiting() (found bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		found, err = callback.Waiting(ctx, tx, "acme", "app")
		return err
	})
	return found
}

// Ensure that an address is told of what it subscribed to, and of nothing else.
func TestRecord(t *testing.T) {
	each(t, func(b bridge) {
		require.Empty(b, b.happens(&tenant.Tenant{Slug: "acme"}, "text.sent", "x"))
		require.Empty(b, b.happens(subscribed(), "mail.received", "x"))
		require.Empty(b, b.happens(subscribed("text.sent"), "text.delivered", "x"))
		require.Zero(b, b.Count("callback"))
		require.Equal(b, []string{"app"}, b.happens(subscribed(), "limit.budget", "y"))
		require.Equal(b, []string{"app"}, b.happens(subscribed("question.*"), "challenge.open", "z"))
		both := subscribed("text.sent")
		both.Events.To = append(both.Events.To, tenant.Endpoint{Name: "crm", Types: []string{"text.*"}})
		require.Equal(b, []string{"app", "crm"}, b.happens(both, "text.sent", "x"))
		require.Equal(b, []string{"limit.reached y", "question.asked z", "text.sent x", "text.sent x"},
			b.Strings("SELECT type || ' ' || subject FROM callback ORDER BY type"))
	})
}

// Ensure that a callback is claimed once at a time, and is taken up when its worker died.
func TestClaim(t *testing.T) {
	each(t, func(b bridge) {
		_, found := b.claim()
		require.False(b, found)
		b.happens(subscribed(), "text.sent", "x")
		require.True(b, b.waiting())
		claim := func(ctx context.Context, tx *store.Tx) error {
			_, found, err := callback.Claim(ctx, tx, "acme", "app")
			if err == nil && !found {
				err = errors.New("none")
			}
			return err
		}
		won := 0
		for _, err := range b.AtOnce(claim, claim, claim, claim) {
			if err == nil {
				won++
			}
		}
		require.Equal(b, 1, won)
		require.False(b, b.waiting())
		b.Pass(time.Minute - time.Millisecond)
		_, found = b.claim()
		require.False(b, found, "its worker has it still")
		b.Pass(time.Millisecond)
		c, found := b.claim()
		require.True(b, found)
		require.Equal(b, 2, c.Attempts)
	})
}

// Ensure that an app is asked nine times within a day, with growing waits, and that it ends then.
func TestTries(t *testing.T) {
	each(t, func(b bridge) {
		b.happens(subscribed(), "text.sent", "x")
		began, waits := b.Now(), []time.Duration{}
		refused := callback.Response{Host: "app.acme.example", Status: 503, Reason: "answered 503"}
		for try := 1; ; try++ {
			c, found := b.claim()
			require.True(b, found, try)
			require.Equal(b, try, c.Attempts)
			if b.tried(c, refused) == callback.Dead {
				break
			}
			next := b.newest(false)[0].Next
			waits = append(waits, next.Sub(b.Now()))
			b.Pass(next.Sub(b.Now()) - time.Millisecond)
			_, found = b.claim()
			require.False(b, found, "before its time")
			b.Pass(time.Millisecond)
		}
		require.Len(b, waits, 8)
		require.Equal(b, 5*time.Second, waits[0])
		require.True(b, slices.IsSorted(waits))
		require.Greater(b, b.Now().Sub(began), 23*time.Hour)
		require.Less(b, b.Now().Sub(began), callback.Patience)
		dead := b.newest(true)
		require.Len(b, dead, 1)
		require.Equal(b, []any{callback.Dead, 503, "answered 503", "app.acme.example", 9},
			[]any{dead[0].State, dead[0].Status, dead[0].Reason, dead[0].Host, dead[0].Attempts})
		require.Equal(b, b.Now(), dead[0].Ended)
		require.False(b, b.waiting())
	})
}

// Ensure that 2xx and 410 end a callback at once, and that a worker that lost it changes nothing.
func TestEnds(t *testing.T) {
	each(t, func(b bridge) {
		for status, want := range map[int]callback.State{
			204: callback.Delivered, 410: callback.Gone,
		} {
			b.happens(subscribed(), "text.sent", "x")
			c, _ := b.claim()
			r := callback.Response{Status: status}
			if status != 204 {
				r.Reason = "answered 410"
			}
			require.Equal(b, want, b.tried(c, r))
			require.Equal(b, want, b.newest(false)[0].State)
			b.tried(c, callback.Response{Reason: "no answer"})
			require.Equal(b, want, b.newest(false)[0].State, "it is not this worker's any more")
		}
		require.Len(b, b.newest(true), 1)
	})
}

// Ensure that a worker whose lease is over, or whose callback has ended, changes nothing.
func TestLateWorker(t *testing.T) {
	each(t, func(b bridge) {
		b.happens(subscribed(), "text.sent", "x")
		late, _ := b.claim()
		b.Pass(time.Minute)
		c, found := b.claim()
		require.True(b, found)
		responses := []callback.Response{{Reason: "no answer"}, {Status: 204}, {Status: 410, Reason: "x"}}
		unchanged := func(c callback.Callback) {
			b.Helper()
			before := b.newest(false)
			for _, r := range responses {
				b.tried(c, r)
				require.Equal(b, before, b.newest(false), r)
			}
		}
		unchanged(late)
		require.Equal(b, callback.Delivered, b.tried(c, callback.Response{Status: 204}))
		unchanged(c)
		unchanged(late)
	})
}

// Ensure that what waited for a day at an address that takes nothing is given up, and nothing else.
func TestGiveUp(t *testing.T) {
	each(t, func(b bridge) {
		giveUp := func() (n int) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = callback.GiveUp(ctx, tx, "acme", "app", 10)
				return err
			})
			return n
		}
		b.happens(subscribed(), "text.sent", "old")
		b.happens(subscribed(), "text.sent", "claimed")
		b.Pass(callback.Patience)
		require.Zero(b, giveUp())
		b.Pass(time.Millisecond)
		b.claim()
		b.happens(subscribed(), "text.sent", "new")
		require.EqualValues(b, 1, giveUp())
		require.Equal(b, []string{"due", "due", "dead"},
			b.Strings("SELECT state FROM callback ORDER BY state DESC"))
		dead := b.newest(true)[0]
		require.Equal(b, []any{callback.NoDay, b.Now()}, []any{dead.Reason, dead.Ended})
	})
}

// Ensure that one transaction gives up a portion: those that have waited longest. An app that was
// down for days left so many that other transactions would wait.
func TestGiveUpInPortions(t *testing.T) {
	each(t, func(b bridge) {
		for _, subject := range []string{"a", "b", "c", "d", "e"} {
			b.happens(subscribed(), "text.sent", subject)
			b.Pass(time.Second)
		}
		b.Pass(callback.Patience)
		ended := 0
		for _, dead := range [][]string{{"a", "b"}, {"a", "b", "c", "d"}, {"a", "b", "c", "d", "e"}} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				n, err := callback.GiveUp(ctx, tx, "acme", "app", 2)
				require.Equal(b, len(dead)-ended, n)
				ended = len(dead)
				return err
			})
			require.Equal(b, dead,
				b.Strings("SELECT subject FROM callback WHERE state = 'dead' ORDER BY subject"))
		}
	})
}

// Ensure that a replay begins all tries anew under the id of the event, and that only an end is
// replayed.
func TestReplay(t *testing.T) {
	each(t, func(b bridge) {
		b.happens(subscribed(), "text.sent", "x")
		first, _ := b.claim()
		replay := func(id string) error {
			return b.Try(func(ctx context.Context, tx *store.Tx) error {
				return callback.Replay(ctx, tx, id)
			})
		}
		require.ErrorIs(b, replay(first.ID), callback.ErrDue)
		require.ErrorIs(b, replay("none"), callback.ErrUnknown)
		b.tried(first, callback.Response{Status: 410, Reason: "answered 410"})
		b.Pass(100 * time.Hour)
		require.NoError(b, replay(first.ID))
		again, found := b.claim()
		require.True(b, found)
		require.Equal(b, first.EventID, again.EventID)
		require.Equal(b, 1, again.Attempts)
		require.Equal(b, first.At, again.At)
		require.Equal(b, callback.Due, b.tried(again, callback.Response{Reason: "no answer"}))
		b.Pass(5 * time.Second)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			n, err := callback.GiveUp(ctx, tx, "acme", "app", 10)
			require.Zero(b, n, "its day begins with the replay")
			return err
		})
	})
}

// Ensure that pages go on where the one before ended, in both directions.
func TestPages(t *testing.T) {
	each(t, func(b bridge) {
		for range 5 {
			b.happens(subscribed(), "text.sent", "x")
		}
		all := b.newest(false)
		require.Len(b, all, 5)
		require.Empty(b, b.newest(true))
		b.Exec("UPDATE callback SET state = 'dead'")
		b.Exec("UPDATE callback SET state = 'gone' WHERE id = $1", all[3].ID)
		for _, failed := range []bool{false, true} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				page, err := callback.Newest(ctx, tx, failed, all[1].ID, 2)
				require.NoError(b, err)
				require.Len(b, page, 2)
				require.Equal(b, []string{all[2].ID, all[3].ID}, []string{page[0].ID, page[1].ID})
				page, err = callback.After(ctx, tx, failed, all[4].ID, 2)
				require.Len(b, page, 2)
				require.Equal(b, []string{all[3].ID, all[2].ID}, []string{page[0].ID, page[1].ID})
				return err
			})
		}
	})
}

// Ensure that those in a state are found, page by page, and that one is found by its id.
func TestInState(t *testing.T) {
	each(t, func(b bridge) {
		for range 4 {
			b.happens(subscribed(), "text.sent", "x")
		}
		all := b.newest(false)
		b.Exec("UPDATE callback SET state = 'delivered' WHERE id IN ($1, $2)", all[0].ID, all[3].ID)
		in := func(before string, most int, s callback.State) (ids []string) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				page, err := callback.InState(ctx, tx, before, most, s)
				ids = nil
				for _, c := range page {
					ids = append(ids, c.ID)
				}
				return err
			})
			return ids
		}
		require.Equal(b, []string{all[0].ID}, in("", 1, callback.Delivered))
		require.Equal(b, []string{all[3].ID}, in(all[0].ID, 5, callback.Delivered))
		for _, s := range callback.States() {
			require.Len(b, in("", 5, s),
				map[callback.State]int{callback.Delivered: 2, callback.Due: 2}[s], s)
		}
		var one callback.Callback
		get := func(id string) error {
			return b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
				one, err = callback.Get(ctx, tx, id)
				return err
			})
		}
		require.NoError(b, get(all[1].ID))
		require.Equal(b, all[1], one)
		require.ErrorIs(b, get("none"), callback.ErrUnknown)
	})
}

// Ensure that a callback tells of its last tries, also of those before a replay.
func TestTriesAreKept(t *testing.T) {
	each(t, func(b bridge) {
		b.happens(subscribed(), "text.sent", "x")
		began := b.Now()
		gone := callback.Response{Host: "app.acme.example", Status: 410, Reason: "answered 410"}
		for range 22 {
			c, found := b.claim()
			require.True(b, found)
			require.Equal(b, callback.Gone, b.tried(c, gone))
			b.Pass(time.Minute)
			b.Do(func(ctx context.Context, tx *store.Tx) error { return callback.Replay(ctx, tx, c.ID) })
		}
		c, _ := b.claim()
		require.Equal(b, callback.Delivered, b.tried(c, callback.Response{Status: 204}))
		tries := b.newest(false)[0].Tries
		require.Len(b, tries, 20)
		require.Equal(b, callback.Try{At: began.Add(3 * time.Minute), Host: "app.acme.example",
			Status: 410, Reason: "answered 410"}, tries[0])
		require.Equal(b, callback.Try{At: began.Add(22 * time.Minute), Status: 204}, tries[19])
	})
}

// Ensure that each address of each tenant is told of its own events alone. What becomes of one
// leaves the others, also of those that were claimed at the same moment.
func TestAddressesStandApart(t *testing.T) {
	each(t, func(b bridge) {
		addresses := [][2]string{{"acme", "app"}, {"acme", "crm"}, {"beta", "app"}, {"beta", "crm"}}
		for _, a := range addresses {
			asked := subscribed("text.sent")
			asked.Slug, asked.Events.To[0].Name = a[0], a[1]
			require.Equal(b, a[1:], b.happens(asked, "text.sent", a[0]+" "+a[1]))
		}
		b.Pass(callback.Patience + time.Millisecond)
		giveUp := func(slug string) (ended int) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				ended, err = callback.GiveUp(ctx, tx, slug, "app", 10)
				return err
			})
			return ended
		}
		require.EqualValues(b, 1, giveUp("acme"))
		var claimed []callback.Callback
		for _, a := range addresses {
			var told []string
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				for {
					c, found, err := callback.Claim(ctx, tx, a[0], a[1])
					if err != nil || !found {
						return err
					}
					told, claimed = append(told, c.Subject), append(claimed, c)
				}
			})
			if a == addresses[0] {
				require.Empty(b, told)
				continue
			}
			require.Equal(b, []string{a[0] + " " + a[1]}, told)
		}
		are := func(want ...string) {
			b.Helper()
			require.Equal(b, want,
				b.Strings("SELECT state || ' ' || status FROM callback ORDER BY subject"))
		}
		b.tried(claimed[1], callback.Response{Status: 204})
		are("dead 0", "due 0", "delivered 204", "due 0")
		b.tried(claimed[0], callback.Response{Status: 503, Reason: "answered 503"})
		are("dead 0", "due 503", "delivered 204", "due 0")
		b.Pass(callback.Patience + time.Millisecond)
		require.Zero(b, giveUp("beta"), "the app has it")
		are("dead 0", "due 503", "delivered 204", "due 0")
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return callback.Replay(ctx, tx, claimed[1].ID)
		})
		are("dead 0", "due 503", "due 0", "due 0")
	})
}
