package mailgun

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/mailgun/mailgun-go/v4"
	"github.com/mailgun/mailgun-go/v4/events"
	"github.com/stretchr/testify/require"
)

// testClock starts at a fixed second and is moved by hand.
type testClock struct{ now time.Time }

func (c *testClock) Now() time.Time { return c.now }

// openEventful opens a simulator with n stored mails a minute apart, to acme+0@, acme+1@, …;
// the clock stands a minute after the last.
func openEventful(t testing.TB, n int) (*Account, *testClock) {
	t.Helper()
	clock := &testClock{time.Unix(1700000000, 0)}
	m := openTest(t, Config{Now: clock.Now})
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{"store()"}}))
	for i := range n {
		require.NoError(t, m.Deliver(testContext(t), testFrom, []string{testTo(i)}, testMail()))
		clock.now = clock.now.Add(time.Minute)
	}
	return m, clock
}

func testTo(i int) string { return fmt.Sprintf("acme+%d@sms.acme.example", i) }

// eventPage asks for one page and returns the recipients' numbers and the page's neighbors.
func eventPage(t testing.TB, m *Account, at string) (numbers []int, paging map[string]string) {
	t.Helper()
	status, body := call(t, m, http.MethodGet, at)
	require.Equal(t, http.StatusOK, status, body)
	var page struct {
		Items []struct {
			Message struct {
				Recipients []string `json:"recipients"`
			} `json:"message"`
		} `json:"items"`
		Paging map[string]string `json:"paging"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &page))
	numbers = []int{}
	for _, item := range page.Items {
		var n int
		_, err := fmt.Sscanf(item.Message.Recipients[0], "acme+%d@", &n)
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	return numbers, page.Paging
}

func eventsURL(m *Account, parameters url.Values) string {
	return m.URL() + "/v3/" + m.Domain() + "/events?" + parameters.Encode()
}

// Time range and direction. Mail i arrived i minutes after second 1700000000.
func TestEventOrder(t *testing.T) {
	m, clock := openEventful(t, 4)
	now, hourAgo := clock.now.UTC().Format(http.TimeFormat),
		clock.now.Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, test := range []struct {
		parameters url.Values
		want       []int
	}{
		{url.Values{}, []int{3, 2, 1, 0}},
		{url.Values{"ascending": {"yes"}}, []int{0, 1, 2, 3}},
		{url.Values{"ascending": {"no"}}, []int{3, 2, 1, 0}},
		{url.Values{"begin": {now}, "end": {hourAgo}}, []int{3, 2, 1, 0}},
		{url.Values{"begin": {hourAgo}, "end": {now}}, []int{0, 1, 2, 3}},
		{url.Values{"begin": {"1700000060"}, "end": {"1700000120"}}, []int{1, 2}},
		{url.Values{"begin": {"1700000120.5"}, "end": {"1700000059"}, "ascending": {"no"}}, []int{2, 1}},
		{url.Values{"begin": {"1700000120"}, "ascending": {"yes"}}, []int{2, 3}},
		{url.Values{"begin": {"1700000120"}, "ascending": {"no"}}, []int{2, 1, 0}},
		{url.Values{"end": {"1700000060"}, "ascending": {"yes"}}, []int{0, 1}},
		{url.Values{"limit": {"2"}}, []int{3, 2}},
	} {
		test.parameters.Set("event", "stored")
		got, _ := eventPage(t, m, eventsURL(m, test.parameters))
		require.Equal(t, test.want, got, test.parameters.Encode())
	}
}

func TestEventRefusals(t *testing.T) {
	m, _ := openEventful(t, 1)
	for _, parameters := range []url.Values{
		{"begin": {"yesterday"}}, {"end": {"NaN"}}, {"begin": {"-1"}, "end": {"5"}},
		{"begin": {"1700000000"}}, {"limit": {"301"}}, {"limit": {"0"}},
		{"limit": {"x"}}, {"ascending": {"maybe"}}, {"recipent": {"a@b.example"}},
		{"begin": {"2"}, "end": {"1"}, "ascending": {"yes"}}, {"begin": {"1"}, "end": {"2"},
			"ascending": {"no"}},
	} {
		status, body := call(t, m, http.MethodGet, eventsURL(m, parameters))
		require.Equal(t, http.StatusBadRequest, status, "%s %s", parameters.Encode(), body)
	}
	status, _ := call(t, m, http.MethodGet, m.URL()+"/v3/"+m.Domain()+"/events/notapage")
	require.Equal(t, http.StatusBadRequest, status)
}

func TestEventFilters(t *testing.T) {
	m, _ := openEventful(t, 3)
	for _, test := range []struct {
		name, value string
		want        []int
	}{
		{"recipients", "acme+1@sms.acme.example", []int{1}},
		{"recipients", "ACME+1@sms.acme.example", []int{1}},
		{"recipients", "acme+1", []int{}},
		{"recipients", `"acme+1@sms.acme.example" OR acme+2@sms.acme.example`, []int{2, 1}},
		{"recipients", "NOT acme+1@sms.acme.example", []int{2, 0}},
		{"recipient", "acme+1@sms.acme.example", []int{}},
		{"from", "no-reply@acme.example", []int{2, 1, 0}},
		{"from", "no-reply@acme.example AND NOT no-reply@acme.example", []int{}},
		{"to", testPhone, []int{2, 1, 0}},
		{"message-id", "20231114.1@acme.example", []int{2, 1, 0}},
		{"message-id", "<20231114.1@acme.example>", []int{}},
		{"subject", "din KONTO", []int{2, 1, 0}},
		{"subject", "reset", []int{}},
		{"size", ">10", []int{2, 1, 0}},
		{"size", "<10", []int{}},
		{"size", "10", []int{}},
		{"size", "big", []int{}},
		{"attachment", "terms.pdf", []int{}},
		{"tags", "x", []int{}},
	} {
		got, _ := eventPage(t, m, eventsURL(m, url.Values{"event": {"stored"}, test.name: {test.value}}))
		require.Equal(t, test.want, got, "%s=%s", test.name, test.value)
	}
	got, _ := eventPage(t, m, eventsURL(m, url.Values{"recipient": {"acme+1@sms.acme.example"}}))
	require.Equal(t, []int{1}, got, "the accepted event has one recipient")
}

// Whatever the page size and direction, following next to the empty page sees each event once,
// and previous leads all the way back.
func TestEventPaging(t *testing.T) {
	m, _ := openEventful(t, 7)
	for n := range 2 * 9 {
		parameters := url.Values{"event": {"stored"}, "ascending": {[]string{"yes", "no"}[n%2]},
			"limit": {fmt.Sprint(1 + n/2)}}
		var forward, backward []int
		at := eventsURL(m, parameters)
		var paging map[string]string
		for range 9 {
			var numbers []int
			numbers, paging = eventPage(t, m, at)
			if len(numbers) == 0 {
				break
			}
			forward = append(forward, numbers...)
			at = paging["next"]
		}
		want := []int{0, 1, 2, 3, 4, 5, 6}
		if parameters.Get("ascending") == "no" {
			slices.Reverse(want)
		}
		require.Equal(t, want, forward)
		for range 9 {
			numbers, back := eventPage(t, m, paging["previous"])
			if len(numbers) == 0 {
				break
			}
			backward = append(numbers, backward...)
			paging = back
		}
		require.Equal(t, want, backward)
		first, _ := eventPage(t, m, paging["first"])
		last, _ := eventPage(t, m, paging["last"])
		require.Equal(t, want[0], first[0])
		require.Equal(t, want[6], last[len(last)-1])
	}
}

// Events appear late, and, if the lag changes, after younger ones; or each pair the wrong way
// round.
func TestEventLag(t *testing.T) {
	m, clock := openEventful(t, 0)
	deliver := func(i int, lag time.Duration) {
		m.Set(func(manners *Manners) { manners.EventLag = lag })
		require.NoError(t, m.Deliver(testContext(t), "", []string{testTo(i)}, testMail()))
		clock.now = clock.now.Add(time.Second)
	}
	stored := url.Values{"event": {"stored"}, "ascending": {"yes"}}
	deliver(0, 10*time.Second)
	deliver(1, 0)
	got, _ := eventPage(t, m, eventsURL(m, stored))
	require.Equal(t, []int{1}, got)
	clock.now = clock.now.Add(8 * time.Second)
	deliver(2, 0)
	got, _ = eventPage(t, m, eventsURL(m, stored))
	require.Equal(t, []int{0, 1, 2}, got)
	m.Set(func(manners *Manners) { manners.EventsOutOfOrder = true })
	got, _ = eventPage(t, m, eventsURL(m, stored))
	require.Equal(t, []int{1, 0, 2}, got)
}

// Mailgun's own library finds a stored mail by its recipient, newest first, and fetches it.
func TestEventsWithLibrary(t *testing.T) {
	m, clock := openEventful(t, 3)
	it := libraryClient(m).ListEvents(&mailgun.ListEventOptions{
		Begin: clock.now, End: clock.now.Add(-8 * time.Hour), Limit: 2,
		Filter: map[string]string{"event": "stored"},
	})
	var found []*events.Stored
	var page []mailgun.Event
	for it.Next(testContext(t), &page) {
		for _, event := range page {
			found = append(found, event.(*events.Stored))
		}
	}
	require.NoError(t, it.Err())
	require.Len(t, found, 3)
	newest := found[0]
	require.Equal(t, []string{testTo(2)}, newest.Message.Recipients)
	require.Equal(t, "20231114.1@acme.example", newest.Message.Headers.MessageID)
	require.Equal(t, "Bekræft din konto", newest.Message.Headers.Subject)
	require.Equal(t, clock.now.Add(-time.Minute).Unix(), newest.GetTimestamp().Unix())
	require.NotEqual(t, found[1].GetID(), newest.GetID())
	require.Equal(t, m.Stored()[2].Key, newest.Storage.Key)
	message, err := libraryClient(m).GetStoredMessage(testContext(t), newest.Storage.URL)
	require.NoError(t, err)
	require.Equal(t, testTo(2), message.Recipients)

	all := libraryClient(m).ListEvents(nil)
	require.True(t, all.Next(testContext(t), &page))
	require.Len(t, page, 6, "accepted events parse too")
	require.False(t, all.Next(testContext(t), &page), "the pages end")
	require.NoError(t, all.Err())
}
