package loopback

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOpenRefusesOtherAddresses(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "127.0.0.1",
		"no such host:1"} {
		_, err := Open(addr)
		require.Error(t, err, addr)
	}
}

func TestServerServesAndCloses(t *testing.T) {
	s, err := Open("")
	require.NoError(t, err)
	s.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path)
	}))
	response, err := http.Get(s.URL() + "/here")
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "/here", string(body))
	require.True(t, s.Pause(t.Context(), 0))

	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.Error(t, s.Context().Err())
	require.False(t, s.Pause(t.Context(), time.Hour))
	_, err = net.Dial("tcp", s.Host())
	require.Error(t, err)
}

// A simulator that cannot get its second address closes a server that has not begun to serve.
func TestCloseBeforeServe(t *testing.T) {
	s, err := Open("")
	require.NoError(t, err)
	_, err = Open(s.Host())
	require.Error(t, err, "the address is taken")
	require.NoError(t, s.Close())
	again, err := Open(s.Host())
	require.NoError(t, err, "the address is free again")
	require.NoError(t, again.Close())
}

func TestControlReachesLoopbackOnly(t *testing.T) {
	require.NoError(t, Control("tcp", "127.0.0.1:80", nil))
	require.NoError(t, Control("tcp", "[::1]:80", nil))
	require.NoError(t, Control("tcp", "[::ffff:127.0.0.1]:80", nil))
	for _, address := range []string{"192.0.2.1:80", "10.0.0.1:80", "169.254.169.254:80", "nonsense"} {
		require.ErrorContains(t, Control("tcp", address, nil), "loopback only", address)
	}
}
