//go:build !race

package main

import (
	"bufio"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
)

// Ensure that tail prints each step of a flow with its case and without the number, and ends with
// the signal.
func TestTail(t *testing.T) {
	longtest.Skip(t)
	eachTheater(t, func(t *testing.T, ctx context.Context, th *theater) {
		start(t, th)
		tail := th.command(ctx, "tail", "--tenant", "acme")
		out, err := tail.StdoutPipe()
		require.NoError(t, err)
		complaints, err := tail.StderrPipe()
		require.NoError(t, err)
		require.NoError(t, tail.Start())
		t.Cleanup(func() { _ = tail.Process.Kill() })
		ready := bufio.NewScanner(complaints)
		require.True(t, ready.Scan())
		require.Contains(t, ready.Text(), "following")

		const phone = "+4520123456"
		require.NoError(t, th.idp.SignUp(ctx, address(phone)))
		_, err = th.twilio.Phone(phone).Wait(ctx, 1)
		require.NoError(t, err)
		_, err = th.twilio.Phone(phone).Reply(ctx, "YES")
		require.NoError(t, err)
		// A quick phone answers before the bridge has recorded that its text went out.
		awaited := []string{"mail.received", "challenge.open", "text.sent", "challenge.confirmed"}
		of := map[string]string{} // a step -> its case
		untold := func(step string) bool { return of[step] == "" }
		var told []string
		for lines := bufio.NewScanner(out); slices.ContainsFunc(awaited, untold) && lines.Scan(); {
			line := lines.Text()
			told = append(told, line)
			require.Regexp(t, `^\d\d:\d\d:\d\dZ acme \+45\*+56 [a-z.]+ [0-9a-f-]{36}(: .+)?$`, line)
			words := strings.Fields(line)
			of[words[3]] = strings.TrimSuffix(words[4], ":")
		}
		all := strings.Join(told, "\n")
		require.NotContains(t, all, phone[1:])
		for _, step := range awaited {
			require.NotEmpty(t, of[step], "%s is told: %s", step, all)
			require.Equal(t, of["mail.received"], of[step], "one case: %s", all)
		}
		require.NoError(t, tail.Process.Signal(os.Interrupt))
		require.NoError(t, tail.Wait())
		said, err := th.command(ctx, "tail", "--tenant", "other").CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(said), "write one of: acme")
	})
}
