package outbound

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/tenant"
)

// Ensure that the list of texts is read as Twilio lists it: to the last page, however short the
// pages are, up to the bound, and not at all when one page fails.
func TestListMessagesReadsPages(t *testing.T) {
	t.Parallel()
	const path = "/2010-04-01/Accounts/" + accountSID + "/Messages.json"
	for name, test := range map[string]struct {
		pages []int // messages on each
		fails int   // the page that fails, or -1
		want  int
	}{
		"none":           {[]int{0}, -1, 0},
		"short pages":    {[]int{3, 0, 2}, -1, 5},
		"the bound":      {[]int{30, 30, 30}, -1, 50},
		"a page too big": {[]int{80}, -1, 50},
		"a failure":      {[]int{3, 3}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := len(asked)
				asked = append(asked, r.URL.RequestURI())
				if n == test.fails {
					http.Error(w, `{"code": 20500}`, http.StatusInternalServerError)
					return
				}
				fmt.Fprint(w, `{"messages": [`)
				for i := range test.pages[n] {
					fmt.Fprintf(w, `%s{"sid": "SM%d", "body": "b"}`, map[bool]string{true: ","}[i > 0], i)
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
			found, err := listMessages(wire.handler(&owner), phone)
			require.Equal(t, test.fails >= 0, err != nil)
			require.Len(t, found, test.want)
			require.Equal(t, path+"?PageSize=50&To=%2B4520123456", asked[0])
			if len(asked) > 1 {
				require.Equal(t, path+"?Page=1", asked[1])
			}
		})
	}
}
