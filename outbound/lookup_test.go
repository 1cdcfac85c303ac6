package outbound

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

const keepMailgun = "SMSBRIDGE_KEEP=mailgun"

// prompted examines a mail and sends the prompt that follows, and returns the challenge.
func (w *world) prompted(mailID string) (challengeID string) {
	w.t.Helper()
	require.NoError(w.t, w.examineMail(w.t.Context(), mailID))
	require.Equal(
		w.t, "examined/", w.one("SELECT state || '/' || reason FROM mail WHERE id = '"+mailID+"'"),
	)
	id := w.one("SELECT id FROM challenge WHERE mail_id = '" + mailID + "'")
	require.NoError(
		w.t, w.sendText(w.t.Context(), w.one("SELECT id FROM text WHERE challenge_id = '"+id+"'")),
	)
	return id
}

// confirmed says yes and clicks, and shows that the account is verified.
func (w *world) confirmed(challengeID string) {
	w.t.Helper()
	w.yes()
	require.NoError(w.t, w.clickLink(w.t.Context(), challengeID))
	w.ended(challengeID, "confirmed", "confirmed", wording.ConfirmedRegistration)
	require.True(w.t, w.idp.Verified(address))
}

// The whole way of a mail that the bridge keeps.
func TestMailKeptHere(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		stored := w.signUp(address)
		id := w.prompted(w.take(stored, stored.URL))
		require.NotEmpty(w.t, w.link(id))
		require.Equal(w.t, "", w.one("SELECT body FROM mail"))
		w.confirmed(id)
		require.NoError(w.t, w.deleteMail(w.t.Context(), w.one("SELECT id FROM mail")))
		require.Empty(w.t, w.gun.Stored())
	})
}

// The whole way of a mail that stays at Mailgun: found by its URL, and nothing of it here.
func TestMailKeptAtMailgun(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.gun.Set(func(m *mailgun.Manners) { m.HeaderCollisions = true })
		stored := w.signUp(address)
		id := w.prompted(w.take(stored, stored.URL))
		require.Empty(w.t, w.link(id))
		require.Equal(w.t, "", w.one("SELECT body FROM mail"))
		w.confirmed(id)
	}, keepMailgun)
}

// Without a URL the events lead to the mail; they may be late.
func TestMailWithoutItsURL(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.gun.Set(func(m *mailgun.Manners) { m.EventLag = time.Minute })
		mailID := w.take(w.signUp(address), "")
		w.snoozed(w.examineMail(w.t.Context(), mailID))
		w.wait(30 * time.Second)
		w.snoozed(w.examineMail(w.t.Context(), mailID))
		w.wait(31 * time.Second)
		w.confirmed(w.prompted(mailID))
	}, keepMailgun)
}

// Ensure that a mail is waited for as long as that may help, and then refused.
func TestMailThatCannotBeFetched(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	stored := w.signUp(address)
	mailID := w.take(stored, stored.URL)
	for _, status := range []int{401, 429, 500, 503} {
		w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, status })
		w.snoozed(w.examineMail(t.Context(), mailID))
	}
	w.gun.Set(func(m *mailgun.Manners) { m.Retention = time.Second })
	w.wait(time.Minute)
	w.snoozed(w.examineMail(t.Context(), mailID)) // may not be visible yet
	w.wait(5 * time.Minute)
	w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, 503 })
	w.snoozed(w.examineMail(t.Context(), mailID)) // Mailgun's trouble says nothing about the mail
	require.NoError(t, w.examineMail(t.Context(), mailID))
	require.Equal(t, "refused/"+errGone.Error(), w.one("SELECT state || '/' || reason FROM mail"))
	require.Equal(t, "0", w.one("SELECT COUNT(*) FROM challenge"))
}

// A mail that is gone when the yes comes is waited for, and then told of.
func TestMailThatIsGoneWhenTheYesComes(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	stored := w.signUp(address)
	id := w.prompted(w.take(stored, stored.URL))
	w.yes()
	w.gun.Set(func(m *mailgun.Manners) { m.Retention = time.Millisecond })
	w.wait(time.Second)
	w.snoozed(w.clickLink(t.Context(), id))
	require.EqualValues(t, "accepted", w.challenge(id).State)
	w.wait(clickPatience)
	require.NoError(t, w.clickLink(t.Context(), id))
	w.ended(id, "failed", "expired", wording.LinkExpired)
	require.Empty(t, w.idp.Requests())
}

// Ensure that a link that was sealed under a key that is lost is found again at Mailgun, and the
// body of a mail too.
func TestLostKey(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		stored := w.signUp(address)
		mailID := w.take(stored, stored.URL)
		w.open([]byte("another key of thirty-two bytes!"))
		id := w.prompted(mailID)
		w.open(storetest.Key)
		w.confirmed(id)
	})
}

// Ensure that the API key goes to no host but Mailgun's, wherever a webhook says that a mail is
// kept.
func TestAPIKeyStaysAtMailgun(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		requests.Add(1)
	}))
	defer foreign.Close()
	w := quick(t, keepMailgun)
	stored := w.signUp(address)
	path := strings.TrimPrefix(stored.URL, w.gun.StorageURL())
	for n, at := range []string{
		foreign.URL + path, "http://x@" + strings.TrimPrefix(foreign.URL, "http://") + path,
		strings.TrimPrefix(foreign.URL, "http:") + path,
		w.gun.StorageURL() + "@" + strings.TrimPrefix(foreign.URL, "http://") + path,
		w.gun.StorageURL() + "/elsewhere", "::", "",
	} {
		_, err := w.fetchStored(t.Context(), w.tenant(), mail.Mail{}, at)
		require.ErrorIs(t, err, errURL, n)
		became, err := w.deleteStored(t.Context(), w.tenant(), mail.Mail{}, at)
		require.NoError(t, err, n)
		require.Equal(t, mail.Elsewhere, became, n)
	}
	mailID := w.take(stored, foreign.URL+path)
	w.confirmed(w.prompted(mailID)) // through the events instead
	require.NoError(t, w.deleteMail(t.Context(), mailID))

	// Not by a redirect either.
	base, seen := w.front(w.gun.StorageURL(), func(r *http.Response) {
		r.StatusCode = http.StatusFound
		r.Header.Set("Location", foreign.URL+path)
	})
	settings, err := tenant.FromEnv(
		w.environ(keepMailgun, "MAILGUN_STORAGE_HOSTS="+strings.TrimPrefix(base, "http://")),
	)
	require.NoError(t, err)
	w.Settings = settings
	_, err = w.fetchStored(t.Context(), w.tenant(), mail.Mail{}, base+path)
	require.ErrorIs(t, err, statusError(http.StatusFound))
	require.Len(t, seen(), 1)
	require.Zero(t, requests.Load())
}

// deliver has a plain mail arrive.
func (w *world) deliver(to, id string) {
	w.t.Helper()
	mime := fmt.Sprintf("From: ACME <no-reply@acme.example>\r\nTo: <%s>\r\n"+
		"Subject: Verify your email\r\nMessage-Id: <%s@acme.example>\r\nDate: %s\r\n\r\n"+
		"Confirm your account: %s/lo/verify_email?ticket=%s0123456789abcdef\r\n", to, id,
		w.clock().Format(time.RFC1123Z), w.idp.URL(), id)
	signed, err := w.idp.Sign([]byte(mime))
	require.NoError(w.t, err)
	require.NoError(w.t, w.gun.Deliver(w.t.Context(), "no-reply@acme.example", []string{to}, signed))
}

//test:unwatched
func TestSearchStored(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	since := w.clock()
	any := func(stored) bool { return true }
	search := func(match func(stored) bool) (stored, error) {
		return w.searchStored(t.Context(), w.tenant(), w.phone(phone), since, w.clock(), match)
	}
	w.wait(-time.Minute)
	w.deliver(address, "before")
	w.wait(time.Minute)
	_, err := search(any)
	require.ErrorIs(t, err, errGone, "older than is looked at")

	w.wait(time.Second)
	w.deliver("ACME+4520123456@SMS.acme.example", "first")
	w.wait(time.Second)
	w.deliver(address, "second")
	w.wait(time.Second)
	for i := range eventPage + 10 { // so that there is more than one page
		w.deliver(fmt.Sprintf("acme+4521%06d@sms.acme.example", i), fmt.Sprint("other", i))
	}
	w.deliver("beta+4520123456@sms.acme.example", "beta")
	for _, disorder := range []bool{false, true} {
		w.gun.Set(func(m *mailgun.Manners) { m.EventsOutOfOrder = disorder })
		s, err := search(any)
		require.NoError(t, err)
		require.Equal(t, "second@acme.example", s.messageID)
		require.Equal(t, since.Add(2*time.Second).UnixMilli(), s.at.UnixMilli())
		s, err = search(func(s stored) bool { return s.messageID == "first@acme.example" })
		require.NoError(t, err)
		require.Equal(t, "first@acme.example", s.messageID)
		_, err = search(func(s stored) bool { return s.messageID == "third@acme.example" })
		require.ErrorIs(t, err, errGone)
	}
	for _, status := range []int{401, 429, 500} {
		w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, status })
		_, err := search(any)
		require.EqualError(t, err, fmt.Sprintf("mailgun: the events cannot be read, status %d", status))
	}
	w.wait(unpostedGrace)
	kept, missing, err := w.Unposted(t.Context(), w.tenant())
	require.NoError(t, err)
	require.Equal(t, []int{eventPage + 13, eventPage + 13}, []int{kept, missing}, "of all pages")
}

// Ensure that of two neighbors that are listed the wrong way round the newer one is found.
func TestSearchStoredOutOfOrder(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	w.gun.Set(func(m *mailgun.Manners) { m.EventsOutOfOrder = true })
	w.deliver(address, "older")
	w.wait(time.Second)
	w.deliver(address, "newer")
	s, err := w.searchStored(t.Context(), w.tenant(), w.phone(phone), w.clock().Add(
		-time.Minute,
	), w.clock(), func(stored) bool {
		return true
	})
	require.NoError(t, err)
	require.Equal(t, "newer@acme.example", s.messageID)
}

// examineFound examines all mails that wait for it, until they do not wait any more.
func (w *world) examineFound() {
	w.t.Helper()
	for _, id := range w.all("SELECT id FROM mail WHERE state = 'received'") {
		if err := w.examineMail(w.t.Context(), id); err != nil {
			w.snoozed(err)
			w.wait(fetchPatience + time.Second)
			require.NoError(w.t, w.examineMail(w.t.Context(), id))
		}
	}
}

// A yes to a question that the bridge does not know finds its mail at Mailgun, and the phone is
// asked about it again. Only the next yes clicks.
func TestYesWithAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.gun.Set(func(m *mailgun.Manners) { m.EventLag = 30 * time.Second })
		w.deliver(address, "superseded")
		w.wait(time.Second)
		w.signUp(address)
		w.wait(time.Second)
		id := w.yes()
		require.Equal(w.t, "1", w.jobs("look_up_mail"))
		w.snoozed(w.lookUpMail(w.t.Context(), id))
		w.wait(30 * time.Second)
		w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, 503 })
		w.snoozed(w.lookUpMail(w.t.Context(), id))
		require.NoError(w.t, w.lookUpMail(w.t.Context(), id))
		require.NoError(w.t, w.lookUpMail(w.t.Context(), id)) // a reminder may come again
		require.Equal(w.t, "1", w.one("SELECT COUNT(*) FROM mail"))
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM challenge"))

		challengeID := w.prompted(w.one("SELECT id FROM mail"))
		require.EqualValues(w.t, "open", w.challenge(challengeID).State)
		require.Equal(w.t, "0", w.jobs("click_link"))
		require.Empty(w.t, w.idp.Requests(), "the first yes was not to this question")
		require.Empty(w.t, w.link(challengeID))
		w.confirmed(challengeID)
	}, keepMailgun)
}

// Ensure that a mail about which its phone was never asked is not clicked because of a yes. Mailgun
// stores what any sender mails, also when the bridge's webhook refuses it.
func TestYesNeverClicksWhatWasNotAsked(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.deliver(address, "outsider")
		require.NoError(w.t, w.lookUpMail(w.t.Context(), w.yes()))
		w.twilio.Set(func(m *twilio.Manners) { m.FailNext, m.FailStatus = 1, 429 })
		w.examineFound()
		w.yes()
		require.Equal(w.t, "0", w.jobs("click_link"))
		require.Equal(w.t, "open", w.one("SELECT state FROM challenge"), "the prompt has not left")
		require.Empty(w.t, w.idp.Requests())
	}, keepMailgun)
}

// Ensure that a webhook which names the stored mail of another phone has that neither asked about,
// nor clicked, nor deleted.
func TestMessageURLOfAnotherMail(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.deliver("acme+4520123457@sms.acme.example", "victim")
		victim := w.gun.Stored()[0]
		w.wait(time.Second)
		mine := w.signUp(address)
		id := w.prompted(w.take(mine, victim.URL)) // the mail itself is found by the events
		w.confirmed(id)
		require.Len(w.t, w.idp.Requests(), 1)
		require.NoError(w.t, w.deleteMail(w.t.Context(), w.one("SELECT id FROM mail")))
		require.Contains(w.t, w.gun.Stored(), victim)

		w.wait(time.Second)
		mine = w.signUp("beta+4520123456@sms.acme.example")
		lost := w.take(mine, victim.URL)
		w.snoozed(w.examineMail(w.t.Context(), lost))
		w.wait(fetchPatience + time.Second)
		require.NoError(w.t, w.examineMail(w.t.Context(), lost))
		require.Equal(w.t, "refused", w.one("SELECT state FROM mail WHERE id = '"+lost+"'"))
		require.NoError(w.t, w.deleteMail(w.t.Context(), lost))
		require.Contains(w.t, w.gun.Stored(), victim)
	}, keepMailgun)
}

// Ensure that a link which was fetched again and is another than the one that was asked about is
// not clicked.
func TestFetchedLinkOfAnotherMail(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		stored := w.signUp(address)
		id := w.prompted(w.take(stored, stored.URL))
		w.exec("UPDATE challenge SET digest = (SELECT digest || 'x' FROM challenge)")
		w.yes()
		require.NoError(w.t, w.clickLink(w.t.Context(), id))
		w.ended(id, "failed", "expired", wording.LinkExpired)
		require.Empty(w.t, w.idp.Requests())
		require.False(w.t, w.idp.Verified(address))
	}, keepMailgun)
}

// Ensure that a fetched link is not clicked when the settings refuse its mail by now. Nor is it
// when its mail is for another purpose than the phone was asked about.
func TestFetchedLinkThatIsRuledOtherwise(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"verify is off": func(w *world) { w.tenant().Mails.Verify = tenant.Off },
		"a password": func(w *world) {
			w.exec("UPDATE challenge SET purpose = $1", string(challenge.Password))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t, keepMailgun)
			stored := w.signUp(address)
			id := w.prompted(w.take(stored, stored.URL))
			w.yes()
			change(w)
			require.NoError(t, w.clickLink(t.Context(), id))
			require.EqualValues(t, "expired", w.challenge(id).Outcome)
			require.Empty(t, w.idp.Requests())
		})
	}
}

// Ensure that a yes finds nothing that it cannot be about, and that no phone is told so.
func TestYesThatFindsNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]func(w *world){
		"no mail":          func(*world) {},
		"another phone's":  func(w *world) { w.deliver("acme+4520123457@sms.acme.example", "other") },
		"another tenant's": func(w *world) { w.deliver("beta+4520123456@sms.acme.example", "other") },
		"older than a life": func(w *world) {
			w.deliver(address, "old")
			w.wait(w.tenant().Question.ValidFor + time.Second)
		},
		"newer than the yes": nil,
		"without a good link": func(w *world) {
			require.NoError(
				w.t, w.gun.Deliver(
					w.t.Context(), "x@acme.example", []string{address}, []byte(
						"Subject: Hi\r\nMessage-Id: <x@y>\r\n\r\nHello\r\n",
					),
				),
			)
		},
		"deleted by its owner": func(w *world) {
			w.deliver(address, "gone")
			w.gun.Set(func(m *mailgun.Manners) { m.Retention = time.Second })
			w.wait(time.Second)
		},
	}
	for name, prepare := range cases {
		t.Run(name, func(t *testing.T) {
			w := quick(t, keepMailgun)
			if prepare != nil {
				prepare(w)
			}
			id := w.yes()
			if prepare == nil {
				w.wait(time.Second)
				w.deliver(address, "new")
			}
			if err := w.lookUpMail(t.Context(), id); err != nil {
				w.snoozed(err)
				w.wait(lookUpPatience + time.Second)
				require.NoError(t, w.lookUpMail(t.Context(), id))
			}
			w.examineFound()
			require.Equal(t, "0", w.one("SELECT COUNT(*) FROM challenge"))
			require.Equal(t, "0", w.one("SELECT COUNT(*) FROM text"))
			require.Empty(t, w.idp.Requests())
		})
	}
	w := quick(t) // a tenant that keeps its mails here
	require.NoError(t, w.lookUpMail(t.Context(), store.NewID()))
	w.deliver(address, "kept")
	w.snoozed(w.lookUpMail(t.Context(), w.yes()))
	require.Equal(t, "0", w.jobs("look_up_mail"))
	require.Equal(t, "0", w.one("SELECT COUNT(*) FROM challenge"))
}

// Ensure that a stranger's newer mail does not keep the genuine one from being found, when its
// Message-Id cannot be recorded. The door refuses such a mail, and Mailgun stores it all the same.
func TestYesBesideAMailThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for i, id := range []string{"a\x00b", strings.Repeat("a", 998)} {
			genuine := fmt.Sprint("genuine", i)
			w.deliver(address, genuine)
			w.wait(time.Second)
			w.deliver(address, id)
			w.wait(time.Second)
			require.NoError(w.t, w.lookUpMail(w.t.Context(), w.yes()))
			require.Equal(w.t, genuine+"@acme.example",
				w.one("SELECT message_id FROM mail ORDER BY id DESC LIMIT 1"))
		}
	}, keepMailgun)
}

// Ensure that a mail that was known after all is not clicked because of a second yes.
func TestYesToAKnownMail(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		stored := w.signUp(address)
		id := w.yes() // before the mail's webhook was heard
		w.take(stored, stored.URL)
		require.NoError(w.t, w.lookUpMail(w.t.Context(), id))
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM challenge"))
		require.Empty(w.t, w.idp.Requests())
	}, keepMailgun)
}

// Ensure that a yes that may mean mails of two tenants clicks neither, and that the phone is asked
// about both.
func TestYesToMailsOfTwoTenants(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	var tenants strings.Builder
	for slug, name := range map[string]string{"acme": "ACME", "beta": "Beta Bank"} {
		fmt.Fprintf(&tenants, `
  - {slug: %s, name: %s, countries: [DK], prefix: %s,
    limits: {wait: 0s}, mail_domain: sms.acme.example,
    idp_hosts: ["%s"], unsafe_allow: [127.0.0.0/8], keep: mailgun,
    sender: {domains: [acme.example]},
    mailgun: {api_key: env:GUN_KEY, signing_key: env:SIGN_KEY,
      api_base: "%s", storage_hosts: ["%s"]},
    twilio: {account_sid: %s, auth_token: env:TWILIO_TOKEN, from: "%s", api_base: "%s"}}
`,
			slug, name, slug, w.idp.Host(), w.gun.URL(),
			strings.TrimPrefix(w.gun.StorageURL(), "http://"), accountSID, number, w.twilio.URL())
	}
	file := filepath.Join(t.TempDir(), "smsbridge.yaml")
	require.NoError(
		t, os.WriteFile(
			file, []byte("public_url: "+w.callbacks.URL+"\ntenants:\n"+tenants.String()), 0o600,
		),
	)
	settings, err := tenant.FromFile(
		file, []string{"GUN_KEY=" + w.gun.APIKey(), "SIGN_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
			"TWILIO_TOKEN=" + authToken},
	)
	require.NoError(t, err)
	settings.DNS = w.Settings.DNS
	w.Settings = settings
	require.Len(t, settings.Tenants.ByLine(phonemail.Line{Account: accountSID, Sender: number}), 2)

	w.deliver(address, "one")
	w.deliver("beta+4520123456@sms.acme.example", "two")
	require.NoError(t, w.lookUpMail(t.Context(), w.yes()))
	require.Equal(t, "0", w.one("SELECT COUNT(*) FROM challenge"))
	w.examineFound()
	require.Equal(t, []string{"acme open", "beta open"},
		w.all("SELECT tenant || ' ' || state FROM challenge ORDER BY tenant"))
	require.Equal(t, "0", w.jobs("click_link"))

	// Mailgun fails for one of the two, so both are looked up once more.
	w.wait(time.Second)
	w.deliver(address, "late one")
	w.deliver("beta+4520123456@sms.acme.example", "late two")
	again := w.yes()
	w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, 503 })
	w.snoozed(w.lookUpMail(t.Context(), again))
	require.Equal(t, "3", w.one("SELECT COUNT(*) FROM mail"))
	require.NoError(t, w.lookUpMail(t.Context(), again))
	require.Equal(t, "4", w.one("SELECT COUNT(*) FROM mail"))
	w.examineFound()

	w.deliver("beta+4520123457@sms.acme.example", "three")
	var replyID string
	w.do(func(ctx context.Context, tx *store.Tx) error {
		taken, err := reply.Take(
			ctx, tx, w.Settings.Tenants, reply.Received{
				ProviderID: store.NewID(), Line: w.line(), Sharing: w.sharing(),
				Phone: w.phone(otherPhone), Body: "YES",
			},
		)
		replyID = taken.ID
		return err
	})
	require.NoError(t, w.lookUpMail(t.Context(), replyID))
	w.examineFound()
	require.Equal(t, []string{"beta open"},
		w.all("SELECT tenant || ' ' || state FROM challenge WHERE phone = '"+otherPhone+"'"))
}
