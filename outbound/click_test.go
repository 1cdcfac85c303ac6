package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/longtest"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

// provider responds to links as the test says, and counts them.
func (w *world) provider(serve http.HandlerFunc) (link string, clicks *atomic.Int32) {
	w.t.Helper()
	clicks = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		clicks.Add(1)
		serve(rw, r)
	}))
	w.t.Cleanup(server.Close)
	w.trust(server.URL)
	return server.URL + "/lo/verify_email?ticket=abcdefghijklmnop12345678", clicks
}

// trust lets links lead to a server.
func (w *world) trust(serverURL string) {
	w.t.Helper()
	settings, err := tenant.FromEnv(
		w.environ("SMSBRIDGE_IDP_HOSTS=" + strings.TrimPrefix(serverURL, "http://")),
	)
	require.NoError(w.t, err)
	w.Settings = settings
}

// ended shows how a challenge ended, that its link is gone, and what its phone is told.
func (w *world) ended(id, state, outcome string, saying wording.Saying) {
	w.t.Helper()
	c := w.challenge(id)
	require.Equal(
		w.t, []string{state, outcome, ""}, []string{string(c.State), string(c.Outcome), w.link(id)},
	)
	require.NotZero(w.t, c.Ended)
	require.Equal(w.t, w.tenant().Say("", saying, wording.Fill{}), w.told(id))
	require.Equal(w.t, "1", w.jobs("delete_mail"))
}

// handedOver shows that a click failed and that its phone got the link all the same. The short link
// lives as long as the question.
func (w *world) handedOver(id, outcome, link string, saying wording.Saying) {
	w.t.Helper()
	c := w.challenge(id)
	require.Equal(
		w.t, []string{"failed", outcome, ""}, []string{string(c.State), string(c.Outcome), w.link(id)},
	)
	told := w.told(id)
	start := w.tenant().ShortURL("")
	_, rest, found := strings.Cut(told, start)
	require.True(w.t, found, told)
	token := rest[:shortlink.Length]
	require.Equal(w.t, w.tenant().Say("", saying, wording.Fill{
		Link: start + token, Life: 10 * time.Minute,
	}), told)
	require.NotContains(w.t, told, "confirmed")
	var led shortlink.Link
	w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		led, err = shortlink.Get(ctx, tx, token)
		return err
	})
	require.Equal(w.t, link, led.URL)
	require.Equal(w.t, c.Expires, led.Expires)
	require.Equal(w.t, "1", w.jobs("delete_mail"))
}

func redirect(params string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "https://app.acme.example/welcome?"+params, http.StatusFound)
	}
}

func page(status int, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

func TestClickOutcomes(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	message := func(text string) http.HandlerFunc {
		return redirect("success=false&message=" + url.QueryEscape(text))
	}
	cases := map[string]struct {
		serve   http.HandlerFunc
		purpose challenge.Purpose
		state   string
		saying  wording.Saying
	}{
		"confirmed": {
			redirect(
				"success=true&message=Your+email+was+verified",
			), challenge.Registration, "confirmed", wording.ConfirmedRegistration,
		},
		"unapproved": {
			page(200, "<p>Your email was verified. Your account awaits an administrator's approval.</p>"),
			challenge.Registration, "confirmed", wording.Unapproved,
		},
		"already": {
			message("This account is already verified"), challenge.Registration, "confirmed",
			wording.Already,
		},
		"used": {
			message("This URL can be used only once"), challenge.Registration, "failed", wording.Used,
		},
		"expired": {message("Access expired"), challenge.Registration, "failed", wording.LinkExpired},
		"refused": {
			page(
				http.StatusNotFound, "<p>There is nothing here.</p>",
			), challenge.Registration, "failed", wording.Refused,
		},
		"needs_user": {
			page(
				http.StatusOK, `<form method="post"><input type="password" name="p"></form>`,
			), challenge.Registration, "failed", wording.RelayVerify,
		},
		"unknown": {
			page(http.StatusOK, "<p>Hello.</p>"), challenge.Registration, "failed", wording.RelayVerify,
		},
		"unreachable": {nil, challenge.Registration, "failed", wording.Unreachable},
	}
	for outcome, c := range cases {
		t.Run(outcome, func(t *testing.T) {
			w := quick(t)
			link, clicks := w.provider(c.serve)
			if c.serve == nil {
				// Which no rule allows, so that nothing is tried again.
				link = "https://elsewhere.example/lo/verify_email?ticket=x"
			}
			id := w.accepted(link, c.purpose)
			require.NotContains(t, w.link(id), "ticket")
			require.NoError(t, w.clickLink(t.Context(), id))
			if c.saying == wording.RelayVerify {
				w.handedOver(id, outcome, link, c.saying)
			} else {
				w.ended(id, c.state, outcome, c.saying)
			}
			before := clicks.Load()
			require.NoError(t, w.clickLink(t.Context(), id)) // a reminder may come again
			require.Equal(t, before, clicks.Load())
			require.Equal(t, "1", w.one("SELECT COUNT(*) FROM text WHERE purpose = 'outcome'"))
		})
	}
	t.Run("a password", func(t *testing.T) {
		w := quick(t)
		link, _ := w.provider(redirect("success=true&message=You+can+now+login+to+the+application" +
			"+with+the+new+password."))
		id := w.accepted(reset(link), challenge.Password)
		require.NoError(t, w.clickLink(t.Context(), id))
		w.ended(id, "confirmed", "confirmed", wording.ConfirmedPassword)
	})
	t.Run("a password on a page", func(t *testing.T) {
		w := quick(t)
		link, clicks := w.provider(page(http.StatusOK,
			`<form method="post"><input type="password" name="p"></form>`))
		id := w.accepted(reset(link), challenge.Password)
		require.NoError(t, w.clickLink(t.Context(), id))
		require.EqualValues(t, 1, clicks.Load())
		w.handedOver(id, "needs_user", reset(link), wording.RelayReset)
	})
}

// reset makes a link that resets of one that verifies.
func reset(link string) string { return strings.Replace(link, "verify_email", "reset", 1) }

// Nothing but words about a password says that one was changed. A link that leads to a page is not
// even opened, whatever the question was.
func TestPasswordIsNotConfirmedWhileNothingChanged(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]http.HandlerFunc{
		"no error":         redirect("ok=1"),
		"success alone":    redirect("success=true"),
		"about an address": redirect("success=true&message=Your+email+was+verified"),
		"a session":        redirect("access_token=a#access_token=b&refresh_token=c"),
		"a page":           page(http.StatusOK, "<p>Your email has been verified.</p>"),
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t)
			link, clicks := w.provider(serve)
			id := w.accepted(reset(link), challenge.Password)
			require.NoError(t, w.clickLink(t.Context(), id))
			require.EqualValues(t, 1, clicks.Load())
			w.handedOver(id, "unknown", reset(link), wording.RelayReset)
		})
	}
	for _, path := range []string{
		"/auth/v1/verify?token=t1&type=recovery&redirect_to=%2F",
		"/api/auth/reset-password/a1b2c3d4e5f6?callbackURL=%2F", "/u/reset-verify?ticket=t1",
	} {
		w := quick(t)
		link, clicks := w.provider(redirect("ok=1"))
		link = link[:strings.Index(link, "/lo/")] + path
		id := w.accepted(link, challenge.Password)
		require.NoError(t, w.clickLink(t.Context(), id))
		require.Zero(t, clicks.Load(), path)
		w.handedOver(id, "needs_user", link, wording.RelayReset)
	}
}

// Each kind of link that the pretend identity provider mails, clicked for real.
func TestClickRealLinks(t *testing.T) {
	t.Parallel()
	for _, answer := range []idp.Provider{
		idp.Auth0Classic, idp.Auth0ClassicPage, idp.Auth0Universal, idp.Keycloak,
	} {
		t.Run(string(answer), func(t *testing.T) {
			w := quick(t)
			w.idp.Set(func(m *idp.Manners) { m.Provider = answer })
			w.signUp(address)
			id := w.accepted(w.idp.Mails()[0].Link, challenge.Registration)
			require.NoError(t, w.clickLink(t.Context(), id))
			w.ended(id, "confirmed", "confirmed", wording.ConfirmedRegistration)
			require.True(t, w.idp.Verified(address))
			posts := 0
			for _, r := range w.idp.Requests() {
				require.NotEqual(t, http.MethodHead, r.Method)
				if r.Method == http.MethodPost {
					posts++
				}
			}
			require.Equal(t, map[bool]int{true: 1}[answer == idp.Auth0Universal], posts)
		})
	}
}

// Ensure that a click that reached no server is put back while there is patience, and told of
// afterwards.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		server := httptest.NewServer(redirect("success=true"))
		address := server.Listener.Addr().String()
		w.trust(server.URL)
		server.Close()
		id := w.accepted(
			"http://"+address+"/lo/verify_email?ticket=abcdefghijklmnop12345678", challenge.Registration,
		)
		for range 4 {
			w.snoozed(w.clickLink(w.t.Context(), id))
			c := w.challenge(id)
			require.EqualValues(w.t, "accepted", c.State)
			require.Equal(w.t, "0", w.one("SELECT clicks FROM challenge"))
			require.NotEmpty(w.t, w.link(id))
			w.wait(70 * time.Second)
		}
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM text WHERE purpose = 'outcome'"))
		w.wait(30 * time.Second)
		require.NoError(w.t, w.clickLink(w.t.Context(), id))
		w.ended(id, "failed", "unreachable", wording.Unreachable)
	})
}

// Ensure that a click which the end of the process cuts off, before its request has left, is put
// back.
func TestClickThatIsCutOffBeforeItsRequest(t *testing.T) {
	t.Parallel()
	w := quick(t)
	host, err := net.Listen("tcp", "127.0.0.1:0") // it never says a word of TLS
	require.NoError(t, err)
	defer host.Close()
	w.trust(host.Addr().String())
	id := w.accepted(
		"https://"+host.Addr().String()+"/lo/verify_email?ticket=abcdefghijklmnop12345678",
		challenge.Registration,
	)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		if conn, err := host.Accept(); err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	w.snoozed(w.clickLink(ctx, id))
	require.EqualValues(t, "accepted", w.challenge(id).State)
	require.NotEmpty(t, w.link(id))
}

// A provider that took the request and then said nothing may have done what was asked: that is
// not tried again.
func TestNoAnswerIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	w := quick(t)
	link, clicks := w.provider(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
	id := w.accepted(link, challenge.Registration)
	require.NoError(t, w.clickLink(t.Context(), id))
	require.EqualValues(t, 1, clicks.Load())
	w.handedOver(id, "unknown", link, wording.RelayVerify)
}

// interrupt begins a click as a worker that then dies; after submitting says whether it had
// recorded that a form was about to be sent.
func (w *world) interrupt(id string, submitting bool) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) error {
		c, due, err := challenge.BeginClick(ctx, tx, id)
		require.True(w.t, due)
		if err == nil && submitting {
			err = challenge.Submit(ctx, tx, id, c.Challenge.MailID)
		}
		return err
	})
	require.EqualValues(w.t, "clicking", w.challenge(id).State)
}

func TestInterruptedClick(t *testing.T) {
	t.Parallel()
	used := redirect("success=false&message=" + url.QueryEscape("This URL can be used only once"))
	t.Run("used up by ourselves", func(t *testing.T) {
		each(t, func(w *world) {
			link, clicks := w.provider(used)
			id := w.accepted(link, challenge.Registration)
			w.interrupt(id, false)
			require.NoError(w.t, w.clickLink(w.t.Context(), id))
			require.EqualValues(w.t, 1, clicks.Load())
			w.ended(id, "confirmed", "already", wording.Already)
		})
	})
	t.Run("before anything was sent", func(t *testing.T) {
		w := quick(t)
		link, _ := w.provider(redirect("success=true&message=Your+email+was+verified"))
		id := w.accepted(link, challenge.Registration)
		w.interrupt(id, false)
		require.NoError(t, w.clickLink(t.Context(), id))
		w.ended(id, "confirmed", "confirmed", wording.ConfirmedRegistration)
	})
	t.Run("twice", func(t *testing.T) {
		w := quick(t)
		link, clicks := w.provider(redirect("success=true"))
		id := w.accepted(link, challenge.Registration)
		w.interrupt(id, false)
		w.interrupt(id, false)
		require.NoError(t, w.clickLink(t.Context(), id))
		require.Zero(t, clicks.Load(), "interrupted as often as is allowed")
		w.handedOver(id, "unknown", link, wording.RelayVerify)
	})
	t.Run("put back, and used up by the person", func(t *testing.T) {
		w := quick(t)
		server := httptest.NewUnstartedServer(used)
		at := server.Listener.Addr().String()
		require.NoError(t, server.Listener.Close())
		w.trust("http://" + at)
		id := w.accepted(
			"http://"+at+"/lo/verify_email?ticket=abcdefghijklmnop12345678", challenge.Registration,
		)
		w.snoozed(w.clickLink(t.Context(), id)) // reached no server, which is no interruption
		var err error
		server.Listener, err = net.Listen("tcp", at)
		require.NoError(t, err)
		server.Start()
		defer server.Close()
		require.NoError(t, w.clickLink(t.Context(), id))
		w.ended(id, "failed", "used", wording.Used)
	})
	t.Run("around a form", func(t *testing.T) {
		each(t, func(w *world) {
			w.idp.Set(func(m *idp.Manners) { m.Provider = idp.Auth0Universal })
			w.signUp(address)
			id := w.accepted(w.idp.Mails()[0].Link, challenge.Registration)
			w.interrupt(id, true)
			require.NoError(w.t, w.clickLink(w.t.Context(), id))
			require.False(w.t, slices.ContainsFunc(w.idp.Requests(), func(r idp.Request) bool {
				return r.Method == http.MethodPost
			}))
			require.NotEmpty(w.t, w.idp.Requests())
			link := strings.TrimSuffix(w.idp.Mails()[0].Link, "#") // as a finding writes it
			w.handedOver(id, "unknown", link, wording.RelayVerify)
		})
	})
}

// Ensure that the outcome is on disk even when the process is asked to stop in the middle of a
// click.
func TestClickOutlivesItsContext(t *testing.T) {
	t.Parallel()
	w := quick(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	link, _ := w.provider(func(rw http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	id := w.accepted(link, challenge.Registration)
	require.NoError(t, w.clickLink(ctx, id))
	w.handedOver(id, "unknown", link, wording.RelayVerify)
}

func TestClickOfATenantThatIsGone(t *testing.T) {
	t.Parallel()
	w := quick(t)
	id := w.accepted(w.idp.URL()+"/lo/verify_email?ticket=x", challenge.Registration)
	settings, err := tenant.FromEnv(w.environ("SMSBRIDGE_TENANT=beta"))
	require.NoError(t, err)
	w.Settings = settings
	require.NoError(t, w.clickLink(t.Context(), id))
	require.EqualValues(t, "failed", w.challenge(id).State)
	require.Empty(t, w.idp.Requests())
	require.NoError(t, w.clickLink(t.Context(), store.NewID()))
}

func TestDeleteMail(t *testing.T) {
	t.Parallel()
	// What was recorded to have become of a mail at Mailgun.
	became := func(w *world) string {
		return w.one("SELECT COALESCE(MAX(name), '') FROM event WHERE name IN " +
			"('mail.deleted', 'mail.gone', 'mail.left', 'mail.elsewhere')")
	}
	for status, want := range map[int]string{
		200: "mail.deleted", 404: "mail.gone", 405: "mail.left",
	} {
		w := quick(t)
		stored := w.signUp(address)
		id := w.take(stored, stored.URL)
		w.gun.Set(func(m *mailgun.Manners) { m.DeleteStatus = status })
		require.NoError(t, w.deleteMail(t.Context(), id), status)
		require.Equal(t, want, became(w))
		require.Len(t, w.gun.Stored(), map[int]int{404: 1, 405: 1}[status])
		require.NoError(t, w.deleteMail(t.Context(), id), status)
	}
	w := quick(t)
	stored := w.signUp(address)
	id := w.take(stored, stored.URL)
	for _, status := range []int{401, 408, 425, 429, 500, 503} {
		w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, status })
		w.snoozed(w.deleteMail(t.Context(), id))
		require.Len(t, w.gun.Stored(), 1)
		require.Empty(t, became(w), "nothing is certain yet")
	}
	w.wait(deletePatience + time.Second)
	w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, 500 })
	err := w.deleteMail(t.Context(), id)
	require.Error(t, err)
	require.False(t, errors.As(err, new(*river.JobSnoozeError)), "Mailgun had a day")
	w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, 403 })
	require.NoError(t, w.deleteMail(t.Context(), id), "a refusal is no reason to ask again")
	require.Equal(t, "mail.left", became(w))
	require.Len(t, w.gun.Stored(), 1)
	require.NoError(
		t, w.deleteMail(
			t.Context(), w.take(w.signUp("other@sms.acme.example"), ""),
		), "nothing is known to delete",
	)
	require.Len(t, w.gun.Stored(), 2)
}

// Ensure that the record claims no deletion where a webhook pointed to another mail or to another
// host: the mail itself stays at Mailgun.
func TestDeleteMailElsewhere(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(w *world) string{
		"another mail": func(w *world) string { return w.signUp("acme+4520123457@sms.acme.example").URL },
		"another host": func(*world) string { return "https://evil.example/v3/domains/x/messages/y" },
	} {
		w := quick(t)
		stored := w.signUp(address)
		id := w.take(stored, place(w))
		kept := len(w.gun.Stored())
		require.NoError(t, w.deleteMail(t.Context(), id), name)
		require.Len(t, w.gun.Stored(), kept, name)
		require.Equal(t, "0", w.one("SELECT COUNT(*) FROM event WHERE name = 'mail.deleted'"), name)
		require.Equal(t, "1", w.one("SELECT COUNT(*) FROM event WHERE name = 'mail.elsewhere'"), name)
	}
}
