package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store/storetest"
)

// Ensure that one id leads through a sign-up: in each line of the log, in the address to which
// Twilio reports on a text, and for the operator.
func TestOneIDFromMailToReceipt(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	database := storetest.SQLite(t)
	th, err := openTheater(database)
	require.NoError(t, err)
	t.Cleanup(th.close)
	bridge := start(t, th)
	const phone = "+4520123456"
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	require.NoError(t, th.idp.SignUp(ctx, address(phone)))
	_, err = th.twilio.Phone(phone).Wait(ctx, 1)
	require.NoError(t, err)
	require.NoError(t, th.settle(ctx, database))
	_, err = th.twilio.Phone(phone).Reply(ctx, "YES")
	require.NoError(t, err)
	texts, err := th.twilio.Phone(phone).Wait(ctx, 2)
	require.NoError(t, err)
	require.NoError(t, th.settle(ctx, database))

	lines := aboutPhones(t, bridge.Stderr.(*os.File).Name())
	var said []string
	id := lines[0]["case"]
	for _, line := range lines {
		require.Equal(t, id, line["case"], line)
		require.Equal(t, "+45******56", line["phone"], line)
		said = append(said, line["msg"].(string))
	}
	// Twilio's report may be quicker than its response.
	require.ElementsMatch(t, []string{
		"mail", "mail examined", "text handed to the provider", "text delivered", "reply",
		"link clicked", "text handed to the provider", "text delivered",
	}, said, "one line a step")
	for _, text := range texts {
		require.Contains(t, text.StatusCallback, "&case="+id.(string))
	}
	shown, err := th.command(ctx, "show", id.(string)).CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(shown), "mail "+id.(string)+" of the tenant acme")
	requireOneCase(t, string(shown), texts)
}

// requireOneCase says that all texts are told in one case.
func requireOneCase(t *testing.T, shown string, texts []twilio.Text) {
	t.Helper()
	told, _, _ := strings.Cut(shown, "\n\n")
	for _, text := range texts {
		require.Contains(t, told, text.SID)
	}
}

// aboutPhones are the lines of a log that are about a phone, and all that are about a request.
func aboutPhones(t *testing.T, file string) (lines []map[string]any) {
	t.Helper()
	log, err := os.Open(file)
	require.NoError(t, err)
	defer log.Close()
	scanner := bufio.NewScanner(log)
	for scanner.Scan() {
		var line map[string]any
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &line), scanner.Text())
		if line["msg"] != "tenant" && line["tenant"] != nil {
			lines = append(lines, line)
		}
	}
	require.NoError(t, scanner.Err())
	return lines
}
