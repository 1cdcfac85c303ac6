//go:build !race

package main

import (
	"bufio"
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/collector"
)

// The readers of what the bridge says: operators at their pages, a tenant's app that is told of
// events, and a collector of traces.

const (
	canaryHook      = "d2hzZWMtb2YtdGhlLWNhbmFyaWVzLWFuZC1tb3Jl"
	canaryCollector = "collector-6b1f04d97ce2a835"
	// mostCases is of how many cases the pages are read.
	mostCases = 60
)

var (
	canaryLink  = regexp.MustCompile(`href="(/operator[^"]*)"`)
	canaryToken = regexp.MustCompile(`name="token" value="([^"]+)"`)
)

// openReaders has the bridge speak to all of them.
func (m *mine) openReaders() {
	m.t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // it may be cut off
		m.mu.Lock()
		defer m.mu.Unlock()
		m.told = append(m.told, fmt.Sprint(r.URL, r.Header, string(body)))
	}))
	m.t.Cleanup(app.Close)
	env := m.th.env
	env["SMSBRIDGE_EVENTS"], env["SMSBRIDGE_EVENTS_SECRET"] = "app="+app.URL, "whsec_"+canaryHook
	var err error
	m.traces, err = collector.Open()
	require.NoError(m.t, err)
	m.t.Cleanup(m.traces.Close)
	env["SMSBRIDGE_OTLP_URL"] = m.traces.URL()
	env["SMSBRIDGE_OTLP_HEADERS"] = "X-Key=" + canaryCollector
	env["SMSBRIDGE_OPERATOR_ADDR"], err = freeAddr()
	require.NoError(m.t, err)
	env["SMSBRIDGE_OPERATOR_HEADER"] = "X-Forwarded-User"
	env["SMSBRIDGE_OPERATOR_PROXIES"] = "127.0.0.1/32"
	env["SMSBRIDGE_OPERATOR_PEOPLE"] = "*:see"
}

// nothingShown wants no canary in what the bridge logged and in what it sent to strangers. Its app
// knows the phones and codes that it sent, and hears back the phones alone.
func (m *mine) nothingShown(all canaries) {
	m.t.Helper()
	logged := 0
	for _, name := range m.logs {
		log, err := os.ReadFile(name)
		require.NoError(m.t, err)
		require.Empty(m.t, all.in(log), "a log")
		logged += len(log)
	}
	require.Greater(m.t, logged, 10_000)
	require.NotEmpty(m.t, m.responses)
	for _, response := range m.responses {
		require.Empty(m.t, all.in([]byte(response)), response)
	}
	for _, path := range []string{"/metrics", "/version", "/readyz?verbose"} {
		shown := m.watched(path)
		require.NotEmpty(m.t, shown)
		require.Empty(m.t, all.in(shown), path)
	}
	require.NotEmpty(m.t, m.said)
	require.Subset(m.t, []string{"number"}, all.in([]byte(strings.Join(m.said, "\n"))), "the API")
	report := m.run("bugreport", "--out", "-")
	require.Contains(m.t, string(report), `"database": "ok"`)
	require.Empty(m.t, all.in(report), "the report")
	m.pagesShowNothing(all)
	m.eventsShowNothing(all)
	m.tracesShowNothing(all)
}

// glance asks for a page of operators as one who may see.
func (m *mine) glance(
	ctx context.Context, client *http.Client, method, path string, form url.Values,
) *http.Response {
	m.t.Helper()
	at := "http://" + m.th.env["SMSBRIDGE_OPERATOR_ADDR"] + path
	r, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(form.Encode()))
	require.NoError(m.t, err)
	r.Header.Set("X-Forwarded-User", "anna")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(r)
	require.NoError(m.t, err)
	return res
}

// pagesShowNothing wants no canary in any page of operators, nor in what a search finds there. The
// reader may not see whole numbers.
func (m *mine) pagesShowNothing(all canaries) {
	m.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(m.t, err)
	client := &http.Client{Jar: jar}
	read := func(method, path string, form url.Values) (int, string) {
		res := m.glance(m.t.Context(), client, method, path, form)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(m.t, err)
		page := html.UnescapeString(string(body))
		require.Empty(m.t, all.in([]byte(fmt.Sprint(res.Header, page))), path)
		return res.StatusCode, page
	}
	waiting, seen := []string{"/operator/cases"}, map[string]bool{}
	var token string
	var ofCases []string
	for len(waiting) > 0 {
		path := waiting[0]
		waiting = waiting[1:]
		isCase := strings.HasPrefix(path, "/operator/cases/")
		if seen[path] || isCase && len(ofCases) == mostCases {
			continue
		}
		if seen[path] = true; isCase {
			ofCases = append(ofCases, path)
		}
		status, page := read(http.MethodGet, path, nil)
		require.Equal(m.t, http.StatusOK, status, path)
		for _, link := range canaryLink.FindAllStringSubmatch(page, -1) {
			waiting = append(waiting, link[1])
		}
		if found := canaryToken.FindStringSubmatch(page); found != nil {
			token = found[1]
		}
	}
	require.Greater(m.t, len(seen), 6, "there are pages")
	require.NotEmpty(m.t, ofCases)
	form := url.Values{"token": {token}, "for": {canaryPhone(2)}}
	status, _ := read(http.MethodPost, "/operator/search", form)
	require.Equal(m.t, http.StatusOK, status)
	status, _ = read(http.MethodPost, ofCases[0]+"/phone", url.Values{"token": {token}})
	require.Equal(m.t, http.StatusForbidden, status, "the role see reveals nothing")
	m.streamShowsNothing(all, client)
}

// streamShowsNothing wants no canary in the list of cases as it is followed.
func (m *mine) streamShowsNothing(all canaries, client *http.Client) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), storyPatience)
	defer cancel()
	res := m.glance(ctx, client, http.MethodGet, "/operator/cases/live", nil)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 8<<20)
	var event strings.Builder
	for lines.Scan() && lines.Text() != "" {
		event.WriteString(lines.Text() + "\n")
	}
	require.Contains(m.t, event.String(), "/operator/cases/")
	require.Empty(m.t, all.in([]byte(event.String())), "the stream of cases")
}

// eventsShowNothing wants nothing but phones in what the app is told.
func (m *mine) eventsShowNothing(all canaries) {
	m.t.Helper()
	var told string
	require.Eventually(m.t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		told = strings.Join(m.told, "\n")
		return !slices.ContainsFunc([]string{
			"question.asked", "question.confirmed", "verification.approved", "text.delivered",
		}, func(kind string) bool { return !strings.Contains(told, kind) })
	}, storyPatience, 100*time.Millisecond)
	require.Equal(m.t, []string{"number"}, all.in([]byte(told)), "the events")
}

// tracesShowNothing wants no canary in what the collector got.
func (m *mine) tracesShowNothing(all canaries) {
	m.t.Helper()
	wanted := []string{
		"POST /mailgun/:tenant", "POST /v1/verifications", "examine_mail", "send_text", "twilio", "click",
		"callback", "POST /twilio/:tenant/reply",
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), storyPatience)
	defer cancel()
	require.NoError(m.t, m.traces.Wait(ctx, func() bool {
		names := map[string]bool{}
		for _, span := range m.traces.Spans() {
			names[span.Name] = true
		}
		return !slices.ContainsFunc(wanted, func(name string) bool { return !names[name] })
	}))
	for _, body := range m.traces.Bodies() {
		require.Empty(m.t, all.in(body), "a trace")
	}
}
