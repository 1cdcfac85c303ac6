package web_test

import (
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/web"
)

// Ensure that a source is the client's address, and that no client chooses it.
func TestSource(t *testing.T) {
	for _, test := range []struct{ peer, forwarded, want string }{
		{"203.0.113.7:1234", "", "203.0.113.7"},
		{"203.0.113.7:1234", "198.51.100.1", "203.0.113.7"}, // no proxy of ours wrote that
		{"127.0.0.1:1234", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.2:1234", "192.0.2.9, 198.51.100.1", "198.51.100.1"}, // the client wrote the first
		{"10.0.0.2:1234", "", ""},
		{"127.0.0.1:1234", "10.1.1.1", ""},
		{"[2001:db8:1:2:3:4:5:6]:1234", "", "2001:db8:1:2::/64"},
		{"[::1]:1234", "2001:db8:1:2::9", "2001:db8:1:2::/64"},
		{"[::ffff:203.0.113.7]:1234", "", "203.0.113.7"},
		{"not an address", "", ""},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = test.peer
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		got := web.Source(echo.New().NewContext(r, httptest.NewRecorder()))
		require.Equal(t, test.want, got, "%+v", test)
	}
}
