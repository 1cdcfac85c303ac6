package mailgun

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailgun/mailgun-go/v4"
	"github.com/stretchr/testify/require"
)

// call makes an API request with the key and returns status and body.
func call(t testing.TB, m *Account, method, at string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(testContext(t), method, at, nil)
	require.NoError(t, err)
	request.SetBasicAuth("api", m.APIKey())
	if len(header) == 2 {
		request.Header.Set(header[0], header[1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

// openStoring opens a simulator that stores every mail, and stores one.
func openStoring(t testing.TB, config Config, mime []byte) (*Account, StoredMail) {
	t.Helper()
	m := openTest(t, config)
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{"store()"}}))
	require.NoError(t, m.Deliver(testContext(t), testFrom, []string{testPhone}, mime))
	return m, m.Stored()[0]
}

// libraryClient is Mailgun's own library, pointed at the simulator.
func libraryClient(m *Account) *mailgun.MailgunImpl {
	client := mailgun.NewMailgun(m.Domain(), m.APIKey())
	client.SetAPIBase(m.URL() + "/v3")
	client.SetClient(&http.Client{Timeout: 10 * time.Second})
	return client
}

// The stored mail as Mailgun's own library reads it.
func TestStoredWithLibrary(t *testing.T) {
	m, stored := openStoring(t, Config{}, testAttached())
	message, err := libraryClient(m).GetStoredMessage(testContext(t), stored.URL)
	require.NoError(t, err)
	require.Equal(t, testPhone, message.Recipients)
	require.Equal(t, testFrom, message.Sender)
	require.Equal(t, "no-reply@acme.example", message.From)
	require.Equal(t, "Welcome", message.Subject)
	require.Equal(t, "Hello & welcome Second", message.BodyPlain)
	require.Contains(t, message.BodyHtml, `href="https://acme.example/x"`)
	require.Len(t, message.Attachments, 2)
	require.Equal(t, "attachment", message.ContentIDMap["<logo@acme>"].Name)
	require.Contains(t, message.MessageHeaders, []string{"Subject", "Welcome"})
	require.Empty(t, message.MessageUrl)

	attachment, err := libraryClient(m).GetStoredAttachment(testContext(t), message.Attachments[1].Url)
	require.NoError(t, err)
	require.Equal(t, "pdf", string(attachment))

	raw, err := libraryClient(m).GetStoredMessageRaw(testContext(t), stored.URL)
	require.NoError(t, err)
	require.Equal(t, string(stored.MIME), raw.BodyMime)
	require.Equal(t, testPhone, raw.Recipients)
}

func TestStoredRefusals(t *testing.T) {
	m, stored := openStoring(t, Config{}, testAttached())
	for at, want := range map[string]int{
		stored.URL:                     200,
		stored.URL + "x":               404,
		stored.URL + "/attachments/0":  200,
		stored.URL + "/attachments/2":  404,
		stored.URL + "/attachments/-1": 404,
		strings.Replace(stored.URL, m.Domain(), "other.example", 1): 404,
		// A URL that was rebuilt on the API host is refused.
		strings.Replace(stored.URL, m.StorageURL(), m.URL(), 1):                400,
		m.StorageURL() + "/v3/" + m.Domain() + "/events":                       404,
		m.URL() + "/v3/" + m.Domain() + "/stats":                               404,
		m.URL() + "/v3/other.example/events":                                   404,
		m.URL() + "/v2/routes":                                                 404,
		m.URL() + "/v3/routes/match?address=" + url.QueryEscape("a@b.example"): 200,
	} {
		status, body := call(t, m, http.MethodGet, at)
		require.Equal(t, want, status, "%s %s", at, body)
	}
	response, err := http.Get(stored.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

// DELETE works, or is refused in the two ways that it may be; the mail is gone only in the first.
func TestDelete(t *testing.T) {
	for knob, want := range map[int]int{0: 200, 200: 200, 404: 404, 405: 405} {
		m, stored := openStoring(t, Config{}, testMail())
		m.Set(func(manners *Manners) { manners.DeleteStatus = knob })
		status, _ := call(t, m, http.MethodDelete, stored.URL)
		require.Equal(t, want, status)
		left := 1
		if want == 200 {
			left = 0
			status, body := call(t, m, http.MethodDelete, stored.URL)
			require.Equal(t, 404, status)
			require.JSONEq(t, `{"message":"Message not found"}`, body)
		}
		require.Len(t, m.Stored(), left)
	}
}

// A mail is there until its retention is over.
func TestRetention(t *testing.T) {
	now := time.Unix(1700000000, 0)
	m, stored := openStoring(t, Config{Now: func() time.Time { return now }}, testMail())
	m.Set(func(manners *Manners) { manners.Retention = time.Hour })
	now = now.Add(time.Hour - 1)
	status, _ := call(t, m, http.MethodGet, stored.URL)
	require.Equal(t, 200, status)
	now = now.Add(1)
	status, body := call(t, m, http.MethodGet, stored.URL)
	require.Equal(t, 404, status)
	require.JSONEq(t, `{"message":"Message not found"}`, body)
	require.Empty(t, m.Stored())
}

// With collisions a decoder that ignores case believes the mail's author; one that reads exact
// names never does.
func TestHeaderCollisions(t *testing.T) {
	hostile := append([]byte("Recipients: evil@acme.example\nSENDER: "+
		"evil@acme.example\nrecipients: worse@acme.example\n"), testMail()...)
	for _, collide := range []bool{false, true} {
		m, stored := openStoring(t, Config{}, hostile)
		m.Set(func(manners *Manners) { manners.HeaderCollisions = collide })
		_, body := call(t, m, http.MethodGet, stored.URL)
		var careless struct {
			Recipients string `json:"recipients"`
			Sender     string `json:"sender"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &careless))
		require.Equal(t, collide, careless.Recipients == "evil@acme.example")
		require.Equal(t, collide, careless.Sender == "evil@acme.example")
		var exact map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(body), &exact))
		require.Equal(t, strconv.Quote(testPhone), string(exact["recipients"]))
		require.Equal(t, strconv.Quote(testFrom), string(exact["sender"]))
	}
}

// FailNext counts down over the API and the stored mails alike.
func TestFailNext(t *testing.T) {
	m, stored := openStoring(t, Config{}, testMail())
	for knob, want := range map[int]int{0: 500, 401: 401, 429: 429, 503: 503} {
		m.Set(func(manners *Manners) { manners.FailNext, manners.FailStatus = 2, knob })
		for _, at := range []string{stored.URL, m.URL() + "/v3/routes"} {
			status, body := call(t, m, http.MethodGet, at)
			require.Equal(t, want, status)
			require.Contains(t, body, "message")
		}
		status, _ := call(t, m, http.MethodGet, stored.URL)
		require.Equal(t, 200, status)
	}
}

// A slow API runs into the caller's time-out, a slow post stays away; Close waits for neither.
func TestSlow(t *testing.T) {
	m, stored := openStoring(t, Config{}, testMail())
	receiver := newReceiver(t, 200)
	require.NoError(t, m.AddRoute(Route{Expression: "match_recipient('acme')",
		Actions: []string{`forward("` + receiver.URL + `")`}}))
	m.Set(func(manners *Manners) { manners.Slow = time.Hour })
	require.NoError(t, m.Deliver(testContext(t), "", []string{testPhone}, testMail()))
	client := http.Client{Timeout: 20 * time.Millisecond}
	_, err := client.Get(stored.URL)
	var timeout interface{ Timeout() bool }
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
	require.NoError(t, m.Close())
	require.Empty(t, receiver.all())
	require.Equal(t, ErrClosed.Error(), m.Posts()[0].Error)
}

// The life of a route as Mailgun's own library lives it.
func TestRoutesWithLibrary(t *testing.T) {
	m := openTest(t, Config{})
	client, ctx := libraryClient(m), testContext(t)
	created, err := client.CreateRoute(ctx, mailgun.Route{
		Priority: 3, Description: "smsbridge:acme", Expression: `match_recipient("acme\+.*")`,
		Actions: []string{`store(notify="http://127.0.0.1:9/")`, `stop()`},
	})
	require.NoError(t, err)
	require.NotEmpty(t, created.Id)
	require.Equal(t, []string{`store(notify="http://127.0.0.1:9/")`, `stop()`}, created.Actions)
	require.False(t, created.CreatedAt.IsZero())

	updated, err := client.UpdateRoute(ctx, created.Id, mailgun.Route{Description: "changed"})
	require.NoError(t, err)
	require.Equal(t, "changed", updated.Description)
	got, err := client.GetRoute(ctx, created.Id)
	require.NoError(t, err)
	require.Equal(t, updated, got)
	require.Equal(t, created.Expression, got.Expression, "what was not given stays")

	_, err = client.UpdateRoute(ctx, created.Id, mailgun.Route{Expression: "nonsense"})
	require.Equal(t, http.StatusBadRequest, mailgun.GetStatusFromErr(err))
	_, err = client.CreateRoute(ctx, mailgun.Route{Expression: "catch_all()",
		Actions: []string{"nonsense()"}})
	require.Equal(t, http.StatusBadRequest, mailgun.GetStatusFromErr(err))

	for range 4 {
		_, err = client.CreateRoute(ctx, mailgun.Route{Expression: "catch_all()",
			Actions: []string{"store()"}})
		require.NoError(t, err)
	}
	var ids []string
	var page []mailgun.Route
	for it := client.ListRoutes(&mailgun.ListOptions{Limit: 2}); it.Next(ctx, &page); {
		for _, route := range page {
			ids = append(ids, route.Id)
		}
		require.Equal(t, 5, it.TotalCount)
	}
	require.Len(t, ids, 5)
	require.Equal(t, created.Id, ids[4], "the highest number comes last")

	require.NoError(t, client.DeleteRoute(ctx, created.Id))
	require.Equal(t, http.StatusNotFound, mailgun.GetStatusFromErr(client.DeleteRoute(ctx,
		created.Id)))
	_, err = client.GetRoute(ctx, created.Id)
	require.Equal(t, http.StatusNotFound, mailgun.GetStatusFromErr(err))
	_, err = client.UpdateRoute(ctx, created.Id, mailgun.Route{Description: "x"})
	require.Equal(t, http.StatusNotFound, mailgun.GetStatusFromErr(err))
}

func TestRouteParameters(t *testing.T) {
	m := openTest(t, Config{})
	require.NoError(t, m.AddRoute(Route{ID: "r1", Expression: `match_recipient("acme\+")`,
		Actions: []string{"stop()"}}))
	for query, want := range map[string]int{
		"?limit=1000": 200, "?limit=1001": 400, "?limit=0": 400, "?limit=x": 400, "?skip=-1": 400,
		"?skip=5": 200,
		"/match?address=" + url.QueryEscape(testPhone): 200, "/match?address=x": 404,
	} {
		status, _ := call(t, m, http.MethodGet, m.URL()+"/v3/routes"+query)
		require.Equal(t, want, status, query)
	}
	status, body := call(t, m, http.MethodGet, m.URL()+"/v3/routes?limit=1001")
	require.Equal(t, 400, status)
	require.JSONEq(t, `{"message":"The 'limit' parameter can't be larger than 1000"}`, body)
	status, _ = call(t, m, http.MethodPut, m.URL()+"/v3/routes/r1?priority=first")
	require.Equal(t, 400, status)
}
