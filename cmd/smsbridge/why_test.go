package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// Ensure that an operator finds a case by whatever id is at hand, and that no answer has a whole
// number when none was given.
//
//test:unwatched
func TestShowByID(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	database := storetest.SQLite(t)
	th, err := openTheater(database)
	require.NoError(t, err)
	t.Cleanup(th.close)
	start(t, th)
	const phone = "+4520123456"
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	require.NoError(t, th.idp.SignUp(ctx, address(phone)))
	texts, err := th.twilio.Phone(phone).Wait(ctx, 1)
	require.NoError(t, err)
	require.NoError(t, th.settle(ctx, database))
	command := func(args ...string) (string, error) {
		said, err := th.command(ctx, args...).CombinedOutput()
		return string(said), err
	}
	said, err := command("show", texts[0].SID)
	require.NoError(t, err, said)
	require.Contains(t, said, "as "+texts[0].SID)
	require.NotContains(t, said, phone)
	id := strings.Fields(said)[1]
	again, err := command("show", id)
	require.NoError(t, err)
	require.Contains(t, again, "mail "+id)
	why, err := command("why", id)
	require.NoError(t, err, why)
	require.Contains(t, why, "the text left")
	said, err = command("show", "SM-nothing")
	require.Error(t, err)
	require.Contains(t, said, "error: nothing here has that id")
}
