package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a response that leads elsewhere is a failure: providers do not follow it, and a
// log-in page before the bridge would respond 200.
//
//test:unwatched
func TestTriggerFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var asked []string
	bridge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		if r.Method == http.MethodPost {
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	}))
	t.Cleanup(bridge.Close)
	var out, errs bytes.Buffer
	status := run(t.Context(), []string{"trigger", "reply", "+4512345678", "YES", "--to", bridge.URL},
		world{stdout: &out, stderr: &errs, environ: tenantEnviron()})
	require.Equal(t, exitFailure, status, out.String())
	require.Contains(t, out.String(), "POST /twilio/acme/reply: 302 Found")
	require.Contains(t, errs.String(), "it leads to another address: 302 Found")
	require.Contains(t, errs.String(), "hint: ")
	require.Equal(t, []string{"POST /twilio/acme/reply"}, asked)
}
