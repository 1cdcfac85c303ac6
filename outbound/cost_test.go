package outbound

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a flow (mail, text, yes, click, outcome) stays cheap on what no machine changes: the
// statements of its transactions, and the rows that it leaves. A number that falls is to be lowered
// here.
func TestCostOfAFlow(t *testing.T) {
	each(t, func(w *world) {
		statements, f := map[string]int{}, w.newFlow(1)
		for _, step := range f.steps() {
			var watched *storetest.Statements
			w.do(func(ctx context.Context, tx *store.Tx) error {
				watched = storetest.Watch(tx)
				return f.take(ctx, tx, step)
			})
			statements[step.name] = len(watched.Names) // those of its commit, too
		}
		require.Equal(w.t, map[string]int{
			"mail": 3, "examined, prompt begun": 15, "prompt sent": 2, "yes": 7, "click begun": 3,
			"click ended, outcome begun": 10, "outcome sent": 2,
		}, statements)

		require.Equal(w.t, []string{"click_link", "delete_mail", "examine_mail"},
			w.all("SELECT kind FROM river_job ORDER BY kind"), "one row each, and none for a text")
		rows := map[string]int{}
		for _, table := range strings.Fields("mail challenge text reply seen event short_link") {
			n, err := strconv.Atoi(w.one("SELECT COUNT(*) FROM " + table))
			require.NoError(w.t, err)
			rows[table] = n
		}
		require.Equal(w.t, map[string]int{
			"mail": 1, "challenge": 1, "text": 2, "reply": 1, "seen": 1, "event": 11, "short_link": 0,
		}, rows)
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM mail WHERE packed IS NOT NULL"))
	})
}
