//go:build !race

package operator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
)

// call makes a request as a script of River's pages does.
func (b *browser) call(method, path, body string) int {
	b.t.Helper()
	r, err := http.NewRequest(method, b.p.url+"/operator/river/api/"+path, strings.NewReader(body))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", b.cookie)
	for name, value := range b.headers {
		r.Header.Set(name, value)
	}
	b.page = b.p.Send(b.t, r)
	return b.page.StatusCode
}

// Ensure that River's own pages show the raw jobs to both roles, on both databases, and no secret.
// Only the role act changes something, from those pages alone, and each time it is recorded.
func TestRiverPages(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	each(t, func(t *testing.T, p pages) {
		id := p.mail(t)
		job := p.One(t, "SELECT CAST(id AS TEXT) FROM river_job")
		ids := `{"ids":["` + job + `"]}`
		see, act := p.login(t, "help"), p.login(t, "anna")
		for _, b := range []*browser{see, act} {
			b.headers["Sec-Fetch-Site"], b.headers["Accept"] = "same-origin", "text/html"
			require.Equal(t, http.StatusOK, b.get("/operator/river/").StatusCode)
			require.Contains(t, b.page.Body, `src="/operator/river/assets/main-`)
			require.Contains(t, b.page.Header.Get("Content-Security-Policy"), "script-src 'self';")
			require.NotContains(t, b.get("/operator/jobs").Header.Get("Content-Security-Policy"), "unsafe")
			require.Contains(t, b.page.Body, `href="/operator/river/"`)
			for _, path := range []string{"jobs", "jobs/" + job, "states", "queues", "features"} {
				require.Equal(t, http.StatusOK, b.call("GET", path, ""), path)
			}
			b.call("GET", "jobs?kinds=examine_mail&state=available", "")
			require.Contains(t, b.page.Body, id)
			require.NotContains(t, b.page.Body, "SECRET")
			require.NotContains(t, b.page.Body, "20123456")
		}
		acts := p.Count(t, "operator_act", "1=1")
		require.Equal(t, http.StatusForbidden, see.call("POST", "jobs/retry", ids))
		require.Contains(t, see.page.Body, "You may look, and not act.")
		require.Equal(t, http.StatusForbidden, see.call("PUT", "queues/default/pause", ""))
		for _, path := range []string{"jobs/cancel", "jobs/delete"} {
			require.Equal(t, http.StatusForbidden, act.call("POST", path, ids), path)
			require.Contains(t, act.page.Body, "The page Jobs drops a job")
		}
		for _, site := range []string{"cross-site", "same-site", "none", ""} {
			act.headers["Sec-Fetch-Site"] = site
			require.Equal(t, http.StatusForbidden, act.call("POST", "jobs/retry", ids), site)
		}
		require.Equal(t, acts, p.Count(t, "operator_act", "1=1"))
		require.Equal(t, 1, p.Count(t, "river_job", "state = 'available'"))

		act.headers["Sec-Fetch-Site"] = "same-origin"
		require.Equal(t, http.StatusOK, act.call("POST", "jobs/retry", ids), act.page.Body)
		require.Equal(t, "anna "+job, p.One(t, "SELECT operator || ' ' || subject FROM operator_act "+
			"WHERE act = 'river.retry'"))
		require.Equal(t, http.StatusForbidden,
			act.call("POST", "jobs/retry", strings.Repeat("1", 1<<20)))
		p.Lines(t)
	})
}
