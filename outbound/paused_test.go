package outbound

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// Ensure that a worker whose machine paused leaves a text alone that another worker sends by then.
// That holds whatever the provider said to the first request.
func TestPausedWorkerLeavesTheTextToAnother(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for name, first := range map[string]func(m *twilio.Manners){
			"refused": func(m *twilio.Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, 400, 21612 },
			"untried": func(m *twilio.Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, 429, 20429 },
			"unsure":  func(m *twilio.Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, 500, 20500 },
		} {
			v, id := w.verify(phone)
			var (
				asked, ended = make(chan struct{}), make(chan error)
				settled      = make(chan struct{})
				paused       bool
			)
			base, _ := w.front(w.twilio.URL(), func(r *http.Response) {
				switch {
				case r.Request.Method != http.MethodPost:
				case paused: // the second worker's request
					close(asked)
					<-settled
				default:
					paused = true
					w.wait(store.RescueAfter + time.Millisecond)
					assert.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
					w.wait(text.Quarantine)
					assert.NoError(w.t, w.findText(w.t.Context(), id))
					go func() { ended <- w.sendText(w.t.Context(), id) }()
					<-asked
				}
			})
			w.retarget(base)
			w.twilio.Set(first)
			err := w.sendText(w.t.Context(), id)
			meanwhile := w.one("SELECT state FROM text WHERE id = '" + id + "'")
			close(settled)
			require.NoError(w.t, <-ended, name)
			require.NoError(w.t, err, name)
			require.Equal(w.t, "sending", meanwhile, name)
			w.is(id, "sent", "")
			require.Equal(w.t, "pending",
				w.one("SELECT state FROM verification WHERE id = '"+v.ID+"'"), name)
			w.finish(v.ID, "approved")
		}
	})
}
