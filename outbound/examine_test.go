package outbound

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Ensure that a mail whose link has an unknown shape is held. What is recorded names the entry that
// would allow it, without the secret. With that entry the same mail is asked about.
func TestHeldMailIsRecordedWithWhatAllowsIt(t *testing.T) {
	t.Parallel()
	const entry, secret = "/account/*/confirm?t", "Zk3vQ8mW1xT5nB7y"
	body := mail.Body{Subject: "Please confirm your email", From: "no-reply@acme.example",
		Text: "Confirm: https://login.acme.example/account/17/confirm?t=" + secret + "\n\n" +
			"Help: https://login.acme.example/help"}
	var acme tenant.Tenant
	acme.Links.IdPHosts = []string{"login.acme.example"}
	held, err := find(&acme, body)
	require.NoError(t, err)
	require.Empty(t, held.Link)
	require.Equal(t, "unknown", held.Kind)
	require.Contains(t, held.Reason, "(SMSBRIDGE_LINK_PATHS) allows it: "+entry)
	require.NotContains(t, held.Reason, secret)

	acme.Links.Paths = []string{entry}
	allowed, err := find(&acme, body)
	require.NoError(t, err)
	require.Equal(t, "verify", allowed.Kind)
	require.Contains(t, allowed.Link, secret)
	require.Equal(t, []bool{true, false}, []bool{allowed.Links[0].Chosen, allowed.Links[1].Chosen})
	require.False(t, held.Links[0].Chosen)
	require.Empty(t, allowed.Reason)
}

// Ensure that a mail is refused, and the reason recorded, although its link has a parameter whose
// name no database takes.
func TestHeldMailWhoseLinkIsNoText(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, name := range []string{"a%00b", "t[%00]", "t[%ff]"} {
			d := mail.Delivery{
				Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), address)},
				Token: name, MessageID: name, PostedAt: w.clock(), KeepBody: true, Body: mail.Body{
					Subject: "Please confirm your email",
					Text:    "Confirm: " + w.idp.URL() + "/account/confirm?" + name + "=Zk3vQ8mW1xT5nB7y",
				},
			}
			w.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := mail.Take(ctx, tx, mail.Pack(w.Store, d))
				return err
			})
			id := w.one("SELECT id FROM mail WHERE message_id = '" + name + "'")
			require.NoError(w.t, w.examineMail(w.t.Context(), id), name)
			require.Equal(w.t, "refused", w.one("SELECT state FROM mail WHERE id = '"+id+"'"), name)
		}
	}, "SMSBRIDGE_SENDER_VERIFY=off", "SMSBRIDGE_SENDER_DOMAINS=")
}

// Ensure that a mail of a tenant that is gone, or one that cannot be read, is refused with its
// reason and leaves no body.
func TestMailThatIsNotLookedInto(t *testing.T) {
	t.Parallel()
	for reason, change := range map[string]func(w *world){
		"the tenant is not configured any more": func(w *world) {
			settings, err := tenant.FromEnv(w.environ("SMSBRIDGE_TENANT=beta"))
			require.NoError(w.t, err)
			w.Settings = settings
		},
		"the mail cannot be read": func(*world) {},
	} {
		w := quick(t, "SMSBRIDGE_SENDER_VERIFY=off", "SMSBRIDGE_SENDER_DOMAINS=")
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := mail.Take(ctx, tx, mail.Pack(w.Store, mail.Delivery{
				Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), address)},
				Token: "1", MessageID: "1", PostedAt: w.clock(), KeepBody: true,
				Body: mail.Body{MIME: "no header\r\n\r\nHello"},
			}))
			return err
		})
		change(w)
		require.NoError(t, w.examineMail(t.Context(), w.one("SELECT id FROM mail")))
		require.Equal(t, "refused/"+reason, w.one("SELECT state || '/' || reason FROM mail"))
		require.Equal(t, "0", w.one("SELECT COUNT(*) FROM mail WHERE packed IS NOT NULL"))
	}
}

// Ensure that a mail that is asked about is logged with its case, and a later one that joins its
// question with both.
func TestExaminedMailsAreLogged(t *testing.T) {
	t.Parallel()
	w := quick(t)
	first := w.take(w.signUp(address), "")
	require.NoError(t, w.examineMail(t.Context(), first))
	said := `"msg":"mail examined","tenant":"acme","case":"` + first + `","phone":"+45******56",` +
		`"kind":"verify","did":`
	require.Contains(t, w.log.String(), said+`"`+string(mail.Asking)+`"}`)
	require.NoError(t, w.idp.Resend(t.Context(), address))
	stored := w.gun.Stored()
	later := w.take(stored[len(stored)-1], "")
	require.NoError(t, w.examineMail(t.Context(), later))
	require.Contains(t, w.log.String(),
		said+`"`+string(mail.Joining)+`","mail":"`+later+`"}`)
}

// Ensure that a mail tells its language, unless the tenant has pinned one.
func TestMailTellsItsLanguage(t *testing.T) {
	t.Parallel()
	body := mail.Body{Subject: "Bitte bestätigen Sie Ihre E-Mail-Adresse", Text: "Guten Tag, bitte " +
		"bestätigen Sie Ihre E-Mail-Adresse, damit wir Ihr Konto für Sie einrichten können."}
	for pinned, want := range map[bool]string{false: "de", true: ""} {
		found, err := find(&tenant.Tenant{LanguagePinned: pinned}, body)
		require.NoError(t, err)
		require.Equal(t, want, found.Language)
	}
}
