package outbound

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the log says once at 50, 80 and 100 % that the budget of a day is used.
func TestBudgetIsLogged(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.tenant().Limits.Day.Segments = 10
		w.sameDay()
		told := 0
		for range 14 {
			w.make(phone, "Hello")
			for _, id := range w.all("SELECT args->>'id' FROM river_job WHERE kind = 'tell_operator'" +
				" ORDER BY id")[told:] {
				require.NoError(w.t, w.work(w.t.Context(), "tell_operator", id))
				told++
			}
		}
		var lines []string
		for line := range strings.Lines(w.log.String()) {
			var said struct{ Msg, Level, Tenant, Event, Detail string }
			require.NoError(w.t, json.Unmarshal([]byte(line), &said))
			if said.Event != "" {
				lines = append(lines, said.Level+" "+said.Msg+" "+said.Tenant+" "+said.Event+": "+said.Detail)
			}
		}
		require.Equal(w.t, []string{
			"WARN limits acme limit.budget: 50 % of the day of the tenant: 5 of 10 segments",
			"WARN limits acme limit.budget: 80 % of the day of the tenant: 8 of 10 segments",
			"WARN limits acme limit.budget: 100 % of the day of the tenant: 10 of 10 segments",
		}, lines)
	})
}
