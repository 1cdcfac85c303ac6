//go:build !race

package operator_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/callback"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// callback records an event that an app is told of, after a try that came to a state, and returns
// its id.
func (p pages) callback(t *testing.T, s callback.State) (id string) {
	t.Helper()
	told := &tenant.Tenant{Slug: "acme", Events: tenant.Events{
		To: []tenant.Endpoint{{Name: "app", URL: "https://app.acme.example/hook?key=secret"}},
	}}
	p.Do(t, func(ctx context.Context, tx *store.Tx) error {
		if _, err := callback.Record(ctx, tx, told, store.Event{
			ID: store.NewID(), Tenant: "acme", Subject: "case-" + string(s), Name: "text.delivered",
			At: tx.Now(),
		}); err != nil {
			return err
		}
		c, _, err := callback.Claim(ctx, tx, "acme", "app")
		if err != nil {
			return err
		}
		id = c.ID
		r := callback.Response{Host: "app.acme.example", Status: 410, Reason: "<b>answered</b> 410"}
		if s == callback.Delivered {
			r.Status, r.Reason = 204, ""
		} else if s == callback.Due {
			r.Status = 503
		}
		_, err = callback.Tried(ctx, tx, c, r)
		return err
	})
	return id
}

// Ensure that callbacks are shown by their state, each with its tries, and are told once more on
// demand. What an app is told with is shown nowhere.
func TestCallbacksPage(t *testing.T) {
	each(t, func(t *testing.T, p pages) {
		b := p.login(t, "anna")
		require.Contains(t, b.get("/operator/callbacks").Body, "No app was told of an event")
		due := p.callback(t, callback.Due)
		gone, delivered := p.callback(t, callback.Gone), p.callback(t, callback.Delivered)
		shown := func(query string) (ids []string) {
			t.Helper()
			body := b.get("/operator/callbacks" + query).Body
			require.NotContains(t, body, "secret")
			require.NotContains(t, body, "<b>")
			for _, id := range regexp.MustCompile(`href="/operator/callbacks/([0-9a-f-]{36})"`).
				FindAllStringSubmatch(body, -1) {
				ids = append(ids, id[1])
			}
			return ids
		}
		require.Equal(t, []string{delivered, gone, due}, shown(""))
		require.Equal(t, []string{delivered, gone, due}, shown("?state=%3Cb%3E"), "no such state")
		require.Equal(t, []string{gone}, shown("?state=gone"))
		require.Contains(t, b.page.Body, "<span>&lt;b&gt;answered&lt;/b&gt; 410")
		require.Contains(t, b.page.Body, ">never<")
		require.Equal(t, []string{due}, shown("?state=due"))
		require.Contains(t, b.page.Body, ">in 5 s<")
		require.NotContains(t, b.page.Body, "/replay", "it is due already")
		require.Empty(t, shown("?state=dead"))
		require.Equal(t, []string{due}, shown("?before="+gone))

		body := b.get("/operator/callbacks/" + gone).Body
		require.Contains(t, body, "app of the tenant acme, at app.acme.example")
		require.Contains(t, body, `<td data-label="Response">410</td>`)
		require.NotContains(t, body, "secret")
		res := b.press("/operator/callbacks/" + gone + "/replay")
		require.Equal(t, "/operator/callbacks?done=callback.replay", res.Header.Get("Location"))
		require.Contains(t, b.get(res.Header.Get("Location")).Body, "It is due now")
		require.Equal(t, "due", p.State(t, "callback", gone))
		require.Equal(t, "text.delivered to app of acme",
			p.One(t, "SELECT detail FROM operator_act WHERE act = 'callback.replay'"))
		require.Contains(t, b.get("/operator/callbacks/"+gone).Body,
			`<td data-label="Response">410</td>`, "the tries of before")
		b.get("/operator/callbacks")
		for id, said := range map[string]string{gone: "is due already", "none": "no such callback"} {
			require.Equal(t, http.StatusUnprocessableEntity,
				b.press("/operator/callbacks/"+id+"/replay").StatusCode)
			require.Contains(t, b.page.Body, said)
			b.get("/operator/callbacks")
		}
		require.Equal(t, 1, p.Count(t, "operator_act", "act = 'callback.replay'"))
		require.Equal(t, http.StatusNotFound, b.get("/operator/callbacks/none").StatusCode)
	})
}

// Ensure that the page has more callbacks on the next one, and none when all fit on it: the next
// page would say that there are none at all.
func TestOlderCallbacks(t *testing.T) {
	p := only(t)
	for range 50 {
		p.callback(t, callback.Delivered)
	}
	b := p.login(t, "help")
	body := b.get("/operator/callbacks").Body
	require.Equal(t, 50, strings.Count(body, `data-label="Type"`))
	require.NotContains(t, body, "Older")
	p.callback(t, callback.Delivered)
	older := regexp.MustCompile(`href="(/operator/callbacks\?state=&amp;before=[^"]+)">Older`).
		FindStringSubmatch(b.get("/operator/callbacks").Body)
	require.NotNil(t, older)
	body = b.get(strings.ReplaceAll(older[1], "&amp;", "&")).Body
	require.Equal(t, 1, strings.Count(body, `data-label="Type"`))
	require.NotContains(t, body, "Older")
}

// Ensure that the pages of opt-outs and of what was done name a next page only when there is one.
func TestNextPages(t *testing.T) {
	p := only(t)
	b := p.login(t, "help") // the first act
	for n := range 50 {
		p.Do(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := text.SetOptOut(ctx, tx, text.Said{
				Phone: inboundtest.Number(t, fmt.Sprintf("+45201234%02d", n)), Reach: text.Reach{All: true},
				Via: text.ByLetter, Since: tx.Now(),
			})
			if err == nil && n > 0 {
				err = operator.Record(ctx, tx, operator.Act{Operator: "anna", Act: "hold"})
			}
			return err
		})
	}
	for page, next := range map[string]string{"optouts": "Newer", "audit": "Older"} {
		body := b.get("/operator/" + page).Body
		require.Equal(t, 51, strings.Count(body, "<tr>"), "50 rows and the head")
		require.NotContains(t, body, next, page)
	}
}
