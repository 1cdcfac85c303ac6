package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that an operator sees which text waits for a provider, and can have it tried at once.
//
//test:unwatched
func TestJobsCommand(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			th, err := openTheater(database(t))
			require.NoError(t, err)
			t.Cleanup(th.close)
			start(t, th)
			th.twilio.Set(func(m *twilio.Manners) {
				m.FailNext, m.FailStatus, m.FailCode = 1000, http.StatusTooManyRequests, 20429
			})
			const phone = "+4520123456"
			ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
			defer cancel()
			jobs := func(args ...string) []store.QueuedJob {
				said, err := th.command(ctx, append([]string{"jobs", "list", "--json"}, args...)...).Output()
				require.NoError(t, err)
				var all []store.QueuedJob
				require.NoError(t, json.Unmarshal(said, &all))
				return all
			}
			require.Empty(t, jobs())
			require.NoError(t, th.idp.SignUp(ctx, address(phone)))
			waitingText := func() store.QueuedJob { // the examination of its mail comes before it
				for {
					require.NoError(t, ctx.Err(), "the text never waited")
					all := jobs()
					if len(all) == 1 && all[0].Kind == "send_text" {
						return all[0]
					}
				}
			}
			waiting := waitingText()
			require.NotEmpty(t, waiting.About)
			require.NotEmpty(t, jobs("--all"))
			said, err := th.command(ctx, "jobs").Output()
			require.NoError(t, err)
			require.Contains(t, string(said), waiting.About)
			require.NotContains(t, string(said), phone)

			th.twilio.Set(func(m *twilio.Manners) { *m = twilio.Manners{} })
			said, err = th.command(ctx, "jobs", "retry", strconv.FormatInt(waiting.ID, 10)).
				CombinedOutput()
			if err == nil {
				require.Contains(t, string(said), "due now")
			} else { // the bridge tries it at this very moment
				require.Contains(t, string(said), "it is done, or a worker has it")
			}
			_, err = th.twilio.Phone(phone).Wait(ctx, 1)
			require.NoError(t, err)
			const dropped = "+4520123457"
			th.twilio.Set(func(m *twilio.Manners) {
				m.FailNext, m.FailStatus, m.FailCode = 1000, http.StatusTooManyRequests, 20429
			})
			require.NoError(t, th.idp.SignUp(ctx, address(dropped)))
			for err = errors.New("not tried"); err != nil; {
				waiting = waitingText()
				said, err = th.command(ctx, "jobs", "drop", strconv.FormatInt(waiting.ID, 10)).
					CombinedOutput()
				if err != nil { // the bridge tried it since it was listed
					require.Contains(t, string(said), "one that was tried again has another id")
				}
			}
			require.Contains(t, string(said), "drops it")
			for len(jobs()) != 0 {
				require.NoError(t, ctx.Err(), "the job was never dropped")
			}
			why, err := th.command(ctx, "why", dropped).Output()
			require.NoError(t, err)
			require.Contains(t, string(why), "no text: dropped by an operator")
			refused, err := th.command(ctx, "jobs", "drop", "999999").CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(refused), "there is no job 999999 to drop")
			refused, err = th.command(ctx, "jobs", "retry", "999999").CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(refused), "no job 999999 can be tried again")
		})
	}
}

// command is a command of the real binary, with the variables of the bridge.
func (th *theater) command(ctx context.Context, args ...string) *exec.Cmd {
	smsbridge := exec.CommandContext(ctx, "smsbridge", args...)
	for name, value := range th.env {
		smsbridge.Env = append(smsbridge.Env, name+"="+value)
	}
	return smsbridge
}
