//go:build !race

package verification

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Whatever is guessed, in whatever order and over whatever time, no 24 hours have more than 30
// comparisons of one phone.
func TestGuessesOfAnyDay(t *testing.T) {
	longtest.Skip(t)
	b := bench{storetest.OpenBench(t, storetest.SQLite(t))}
	rapid.Check(t, func(t *rapid.T) {
		phone := b.Phone()
		var compared []time.Time
		var open []Verification
		classes := []Asker{
			{}, AskedBy(App, "key", "a"), AskedBy(App, "key", "b"), AskedBy(Claim, "c"), typedBy("d"),
			typedBy("e"),
		}
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				r := b.request()
				r.Phone, r.Limits.Attempts, r.Limits.Life = phone, 1000, 48*time.Hour
				r.Asker = rapid.SampledFrom(classes).Draw(t, "who")
				_ = b.Try(func(ctx context.Context, tx *store.Tx) error {
					v, _, err := Start(ctx, tx, r)
					if err == nil {
						open = append(open, v)
					}
					return err
				})
			},
			"guess": func(t *rapid.T) {
				if len(open) == 0 {
					t.Skip()
				}
				v := rapid.SampledFrom(open).Draw(t, "verification")
				door := rapid.SampledFrom([]string{"api", ByText}).Draw(t, "door")
				for range rapid.IntRange(1, 12).Draw(t, "times") {
					if b.present(v, at(door, wrong)).Verdict == Wrong {
						compared = append(compared, b.Now())
					}
				}
			},
			"pass": func(t *rapid.T) {
				b.Pass(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
			},
			"": func(t *rapid.T) {
				young := 0
				for _, when := range compared {
					if b.Now().Sub(when) < 24*time.Hour {
						young++
					}
				}
				require.LessOrEqual(t, young, 30)
			},
		})
	})
}
