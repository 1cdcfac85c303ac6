package verification

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// as changes a request to be of a door and an asker.
func as(door string, who Asker) func(*Request) {
	return func(r *Request) { r.Door, r.Asker, r.Limits.Attempts = door, who, 1000 }
}

// typedBy is a person who types numbers.
func typedBy(subject string) Asker { return AskedBy(Typed, "login.example", subject) }

// present presents a code.
func (b bench) present(v Verification, p Presented) (c Checked) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = Check(ctx, tx, v.Tenant, v.ID, p)
		return err
	})
	return c
}

// begin starts a verification, or returns why not.
func (b bench) begin(change func(*Request)) error {
	r := b.request()
	change(&r)
	return b.Try(func(ctx context.Context, tx *store.Tx) error {
		_, _, err := Start(ctx, tx, r)
		return err
	})
}

// Ensure that a person who types a stranger's number and wrong codes blocks that number for typed
// numbers alone. The identity provider, an app and the phone itself are not locked out.
func TestTypedNumbersLockOutNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for n := range 5 {
			v := b.start(as("auth0", typedBy(fmt.Sprint("thief", n))))
			require.Equal(t, Wrong, b.present(v, at("auth0", wrong)).Verdict)
		}
		require.ErrorIs(t, b.begin(as("auth0", typedBy("owner"))), ErrBlocked)

		for door, who := range map[string]Asker{
			"auth0": AskedBy(Claim, "login.example", "owner"), "api": {}, "flowroute": {}, "durable": {},
		} {
			v := b.start(as(door, who))
			require.Equal(t, Right, b.present(v, at(door, right)).Verdict, door)
			v = b.start(as(door, who))
			require.Equal(t, Right, b.present(v, at(ByText, right)).Verdict, "%s, by text", door)
		}
	})
}

// Ensure that no class spends another's share: each is used up alone, and the others go on.
func TestEachClassHasItsShare(t *testing.T) {
	shares := map[string]int{"claim": 10, "app": 10, "typed": 5, "reply": 5}
	each(t, func(t *testing.T, b bench) {
		sum := 0
		for class, most := range shares {
			sum += most
			phone := b.Phone()
			start := func(who Asker, door string) Verification {
				return b.start(func(r *Request) {
					as(door, who)(r)
					r.Phone = phone
				})
			}
			// Before the class is used up, because a verification is refused afterwards.
			open := map[string]Verification{
				"claim": start(AskedBy(Claim, "x"), "auth0"), "app": start(Asker{}, "api"),
				"typed": start(AskedBy(Typed), "auth0"), "reply": start(Asker{}, "api"),
			}
			present := func(class, code string) Verdict {
				p := at(open[class].Door, code)
				if class == "reply" {
					p.Door = ByText
				}
				return b.present(open[class], p).Verdict
			}
			for range most {
				require.Equal(t, Wrong, present(class, wrong), class)
			}
			require.Equal(t, Blocked, present(class, right), class)
			for other := range shares {
				if other != class {
					require.Equal(t, Right, present(other, right), "%s after %s", other, class)
				}
			}
		}
		require.Equal(t, 30, sum, "the package comment counts with this")
	})
}

// Ensure that of 300 guesses that come at once, through all doors and for all who ask, 30 are
// compared. Of each class that is its share.
func TestGuessesOverAllClassesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		type way struct {
			class string
			v     Verification
			p     Presented
		}
		var ways []way
		add := func(class, door string, who Asker) {
			v := b.start(as(door, who))
			ways = append(ways, way{class, v, Presented{door, wrong, fmt.Sprint("192.0.2.", len(ways))}})
			ways = append(ways, way{"reply", v, at(ByText, wrong)})
		}
		for n := range 6 {
			who := fmt.Sprint("user", n)
			add("claim", "auth0", AskedBy(Claim, who))
			add("typed", "auth0", typedBy(who))
			add("app", "api", AskedBy(App, "key", who))
			add("app", []string{"api", "flowroute", "durable"}[n%3], Asker{})
		}
		var mutex sync.Mutex
		compared := map[string]int{}
		race(300, func(i int) {
			w := ways[i%len(ways)]
			var c Checked
			err := b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
				c, err = Check(ctx, tx, w.v.Tenant, w.v.ID, w.p)
				return err
			})
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				t.Error(err)
			}
			if c.Verdict == Wrong {
				compared[w.class]++
			}
		})
		require.Equal(t, map[string]int{"claim": 10, "app": 10, "typed": 5, "reply": 5}, compared)
		for _, w := range ways {
			w.p.Code = right
			require.Equal(t, Blocked, b.present(w.v, w.p).Verdict, w.class)
		}
		for class, who := range map[string]Asker{
			"claim": AskedBy(Claim, "new"), "app": AskedBy(App, "key", "new"), "typed": typedBy("new"),
		} {
			require.ErrorIs(t, b.begin(as("auth0", who)), ErrBlocked, class)
		}
	})
}

// Ensure that a person who types numbers waits longer after each wrong code, whatever the phone,
// and never longer than five minutes. Codes that are not compared prolong nothing.
func TestPausesOfOnePerson(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		try := func(code string) Checked {
			v := b.start(func(r *Request) {
				as("auth0", typedBy("thief"))(r)
				r.Phone = b.Phone()
			})
			return b.present(v, at("auth0", code))
		}
		require.Equal(t, Wrong, try(wrong).Verdict)
		require.Equal(t, Wrong, try(wrong).Verdict)
		for _, seconds := range []int{5, 10, 20, 40, 80, 160, 300, 300} {
			v := b.start(func(r *Request) {
				as("auth0", typedBy("thief"))(r)
				r.Phone = b.Phone()
			})
			require.Equal(t, Wrong, b.present(v, at("auth0", wrong)).Verdict)
			c := b.present(v, at("auth0", right))
			require.Equal(t, Paused, c.Verdict, "not even the right code is compared")
			require.Equal(t, b.Now().Add(time.Duration(seconds)*time.Second), c.Until)
			require.ErrorIs(t, b.begin(as("auth0", typedBy("thief"))), ErrPaused, "nor a text sent")
			require.NoError(t, b.begin(as("auth0", typedBy("another"))))
			require.NoError(t, b.begin(as("auth0", AskedBy(Claim, "login.example", "thief"))))
			b.Pass(c.Until.Sub(b.Now()) - time.Millisecond)
			require.Equal(t, Paused, b.present(v, at("auth0", wrong)).Verdict)
			b.Pass(time.Millisecond)
		}
		b.Pass(GuessMemory)
		require.Equal(t, Right, try(right).Verdict)
	})
}

// Ensure that many subjects at one source wait as well, and none at another source.
func TestPausesOfOneSource(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		guess := func(n int, source, code string) Checked {
			v := b.start(func(r *Request) {
				as("auth0", typedBy(fmt.Sprint("subject", n)))(r)
				r.Phone = b.Phone()
			})
			return b.present(v, Presented{"auth0", code, source})
		}
		for n := range 11 {
			require.Equal(t, Wrong, guess(n, "203.0.113.7", wrong).Verdict)
		}
		c := guess(11, "203.0.113.7", right)
		require.Equal(t, Paused, c.Verdict)
		require.Equal(t, b.Now().Add(2*time.Second), c.Until)
		require.ErrorIs(t, b.begin(func(r *Request) {
			as("auth0", typedBy("new"))(r)
			r.Source = "203.0.113.7"
		}), ErrPaused)
		require.Equal(t, Right, guess(12, "198.51.100.1", right).Verdict)
		for n := range 11 {
			require.Equal(t, Wrong, guess(20+n, "", wrong).Verdict)
		}
		require.Equal(t, Right, guess(13, "", right).Verdict, "sources that are not known share none")
		b.Pass(2 * time.Second)
		require.Equal(t, Right, guess(14, "203.0.113.7", right).Verdict)
		require.NotContains(t, fmt.Sprint(b.Strings("SELECT who FROM pause")), "203.0.113.7")
		require.NotContains(t, fmt.Sprint(b.Strings("SELECT who FROM pause")), "subject1")
	})
}

// Ensure that pauses grow and have a bound, however many wrong codes there were.
func TestPauseGrows(t *testing.T) {
	for _, p := range []pause{ofOnePerson(), ofOneSource()} {
		var all guesses
		last := time.Duration(0)
		for n := range 200 {
			all = append(all, storetest.Start)
			wait := max(0, p.until(all).Sub(storetest.Start))
			require.GreaterOrEqual(t, wait, last)
			require.LessOrEqual(t, wait, p.longest)
			require.Equal(t, n+1 > p.free, wait > 0)
			last = wait
		}
		require.Equal(t, p.longest, last)
		all = all[:mostPauses]
		require.Equal(t, p.longest, p.until(all).Sub(storetest.Start), "so many are kept")
		require.LessOrEqual(t, p.longest, 5*time.Minute)
	}
}

// Ensure that an app's user has half of the app's share, so that the others have the rest.
func TestSubjectOfAnApp(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		mine, yours := AskedBy(App, "key", "mine"), AskedBy(App, "key", "yours")
		v, other := b.start(as("api", mine)), b.start(as("api", yours))
		for range 5 {
			require.Equal(t, Wrong, b.present(v, at("api", wrong)).Verdict)
		}
		require.Equal(t, Blocked, b.present(v, at("api", right)).Verdict)
		require.ErrorIs(t, b.begin(as("api", mine)), ErrBlocked)
		require.NoError(t, b.begin(as("api", Asker{})))
		require.Equal(t, Right, b.present(other, at("api", right)).Verdict)
		require.NotContains(t, fmt.Sprint(b.Strings("SELECT subject || '' FROM verification")), "mine")
	})
}

// The table of which door may check what: each code at its own door and by text, Auth0's own
// nowhere.
func TestWhichDoorMayCheck(t *testing.T) {
	doors := []string{"api", "flowroute", "durable", "auth0", "auth0_phone", ByText}
	may := map[string][]string{
		"api": {"api", ByText}, "flowroute": {"flowroute", ByText}, "durable": {"durable", ByText},
		"auth0": {"auth0", ByText}, "auth0_phone": {},
	}
	each(t, func(t *testing.T, b bench) {
		for started, allowed := range may {
			for _, door := range doors {
				v := b.start(func(r *Request) {
					r.Door, r.Phone, r.ComparedElsewhere = started, b.Phone(), started == "auth0_phone"
				})
				for _, code := range []string{wrong, right} {
					err := b.Try(func(ctx context.Context, tx *store.Tx) error {
						_, err := Check(ctx, tx, v.Tenant, v.ID, at(door, code))
						return err
					})
					now := b.get(v)
					if slices.Contains(allowed, door) {
						require.NoError(t, err, "%s at %s", started, door)
						require.Equal(t, code == right, now.State == Approved)
						continue
					}
					require.ErrorIs(t, err, ErrUnknown, "%s at %s", started, door)
					require.Zero(t, now.Attempts)
					require.Equal(t, Pending, now.State)
				}
			}
		}
	})
}
