package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// Ensure that a question which a bridge on SQLite asked is answered at one on PostgreSQL. Its key
// is the one that lay beside the SQLite file.
//
//test:unwatched
func TestMoveToPostgreSQL(t *testing.T) {
	t.Parallel()
	to := storetest.PostgreSQL(t)
	file := "sqlite:" + storetest.Folder(t) + "/bridge.db"
	th, err := openTheater(file)
	require.NoError(t, err)
	t.Cleanup(th.close)
	delete(th.env, "SMSBRIDGE_KEY") // the bridge makes one beside the file
	th.env["SMSBRIDGE_DATABASE"] = file
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	const phone = "+4520123456"
	bridge := start(t, th)
	require.NoError(t, th.idp.SignUp(ctx, address(phone)))
	_, err = th.twilio.Phone(phone).Wait(ctx, 1)
	require.NoError(t, err)
	move := func(to string) string {
		said, _ := th.command(ctx, "move", "--to", to).CombinedOutput()
		return string(said)
	}
	require.Contains(t, move(to), "another smsbridge")
	require.NoError(t, th.settle(ctx, file))
	require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
	require.NoError(t, bridge.Wait())

	require.Contains(t, move(file), "hint: write it as postgres://")
	said := move(to)
	require.Contains(t, said, "all of it is there now")
	require.Contains(t, said, "challenge")
	require.Contains(t, move(to), "error: the PostgreSQL database has rows of a bridge already")

	key, err := os.ReadFile(strings.TrimPrefix(file, "sqlite:") + ".key")
	require.NoError(t, err)
	th.env["SMSBRIDGE_DATABASE"], th.env["SMSBRIDGE_KEY"] = to, strings.TrimSpace(string(key))
	require.Contains(t, move(to), "hint: run it with the settings that the bridge had before")
	start(t, th)
	_, err = th.twilio.Phone(phone).Reply(ctx, "YES")
	require.NoError(t, err)
	texts, err := th.twilio.Phone(phone).Wait(ctx, 2)
	require.NoError(t, err)
	require.Contains(t, texts[1].Body, "confirmed")
}
