package outbound

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

// Ensure that a phone never gets a tracking link, wherever that leads. It gets the link behind it
// only if that one is a verification by its shape or at an allowed path.
func TestTrackingLinkIsNotHandedOver(t *testing.T) {
	t.Parallel()
	const secret = "abcdefghijklmnop12345678"
	for _, c := range []struct{ path, outcome, given string }{
		{"https://evil.example/", "unknown", ""},
		{"HOST/account/delete?t=" + secret, "unknown", ""},
		{"HOST/oauth/device?user_code=" + secret, "unknown", ""},
		{"HOST/u/reset-verify?ticket=" + secret, "unknown", ""},
		{"HOST/auth/v1/verify?token=" + secret + "&type=magiclink", "needs_user", ""},
		{"HOST/auth/v1/verify?token=" + secret + "&type=invite", "needs_user", ""},
		{"HOST/auth/v1/verify?token=" + secret + "&type=email_change", "needs_user", ""},
		{"HOST/auth/v1/verify?token=" + secret + "&type=email", "unknown", ""}, // or signs in
		{"", "unknown", ""}, // it does not redirect
		{"HOST/lo/verify_email?ticket=" + secret, "unknown", "HOST/lo/verify_email?ticket=" + secret},
		{"HOST/account/confirm?t=" + secret, "unknown", "HOST/account/confirm?t=" + secret},
	} {
		t.Run("to "+c.path, func(t *testing.T) {
			w := quick(t)
			link, _ := w.provider(page(http.StatusOK, "<p>Hello.</p>"))
			host := link[:strings.Index(link, "/lo/")]
			target := strings.Replace(c.path, "HOST", host, 1)
			tracker := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if target != "" {
					http.Redirect(rw, r, target, http.StatusFound)
				}
			}))
			defer tracker.Close()
			settings, err := tenant.FromEnv(w.environ(
				"SMSBRIDGE_IDP_HOSTS="+strings.TrimPrefix(host, "http://"),
				"SMSBRIDGE_LINK_WRAPPERS="+strings.TrimPrefix(tracker.URL, "http://"),
				"SMSBRIDGE_LINK_PATHS=/account/confirm"))
			require.NoError(t, err)
			w.Settings = settings

			id := w.accepted(tracker.URL+"/c/"+secret, challenge.Registration)
			require.NoError(t, w.clickLink(t.Context(), id))
			if c.given != "" {
				w.handedOver(id, c.outcome, target, wording.RelayVerify)
				return
			}
			saying := wording.Unknown
			if c.outcome == "needs_user" {
				saying = wording.NeedsUser
			}
			w.ended(id, "failed", c.outcome, saying)
			require.Equal(t, "0", w.one("SELECT COUNT(*) FROM short_link"))
			require.NotContains(t, w.told(id), "http")
		})
	}
}

// Ensure that a tracking link is not given either when its click was lost or interrupted.
func TestTrackingLinkOfALostClick(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{true, false} {
		w := quick(t)
		settings, err := tenant.FromEnv(w.environ("SMSBRIDGE_LINK_WRAPPERS=track.acme.example"))
		require.NoError(t, err)
		w.Settings = settings
		id := w.accepted("https://track.acme.example/c/abcdefghijklmnop", challenge.Registration)
		if lost {
			w.tooOften("click_link", id)
		} else {
			w.interrupt(id, false)
			w.interrupt(id, false)
			require.NoError(t, w.clickLink(t.Context(), id))
		}
		w.ended(id, "failed", "unknown", wording.Unknown)
		require.Equal(t, "0", w.one("SELECT COUNT(*) FROM short_link"))
	}
}
