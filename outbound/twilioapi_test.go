package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/tenant"
)

// Ensure that the list of texts is read as Twilio lists it: to the last page, however short the
// pages are, or to one that is older. It is not read at all when it is too long, or one page fails.
func TestListMessagesReadsPages(t *testing.T) {
	t.Parallel()
	const path = "/2010-04-01/Accounts/" + accountSID + "/Messages.json"
	since := time.Now().Truncate(time.Second)
	for name, test := range map[string]struct {
		pages []int // messages on each
		older int   // how many, from the end of all, were created before the time
		fails int   // the page that fails, or -1
		want  int   // -1 when there are too many
	}{
		"none":        {[]int{0}, 0, -1, 0},
		"short pages": {[]int{3, 0, 2}, 0, -1, 5},
		"mixed pages": {[]int{3, 3, 3, 3}, 8, -1, 9},
		"older ones":  {[]int{50, 50}, 100, -1, 50},
		"the bound":   {[]int{twilioListed, 0}, 0, -1, twilioListed},
		"too many":    {[]int{twilioListed, 1, 1}, 0, -1, -1},
		"a failure":   {[]int{3, 3}, 0, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			total, sent := 0, 0
			for _, n := range test.pages {
				total += n
			}
			twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := len(asked)
				asked = append(asked, r.URL.RequestURI())
				if n == test.fails {
					http.Error(w, `{"code": 20500}`, http.StatusInternalServerError)
					return
				}
				fmt.Fprint(w, `{"messages": [`)
				for i := range test.pages[n] {
					created := since
					if total-sent <= test.older {
						created = since.Add(-time.Second)
					}
					sent++
					fmt.Fprintf(w, `%s{"sid": "SM%d", "date_created": %q}`,
						map[bool]string{true: ","}[i > 0], i, created.Format(time.RFC1123Z))
				}
				next := "null"
				if n+1 < len(test.pages) {
					next = fmt.Sprintf(`"%s?Page=%d"`, path, n+1)
				}
				fmt.Fprintf(w, `], "next_page_uri": %s}`, next)
			}))
			defer twilio.Close()
			wire := &twilioWire{ctx: t.Context(), base: twilio.URL, next: http.DefaultTransport}
			var owner tenant.Tenant
			owner.Sending.Twilio.AccountSID = accountSID
			found, err := listMessages(wire.handler(&owner), phone, since)
			require.Equal(t, test.fails >= 0 || test.want < 0, err != nil)
			require.Equal(t, test.want < 0, errors.Is(err, errTwilioList))
			require.Len(t, found, max(test.want, 0))
			require.Equal(t, path+"?PageSize=50&To=%2B4520123456", asked[0])
			if len(asked) > 1 {
				require.Equal(t, path+"?Page=1", asked[1])
			}
		})
	}
}
