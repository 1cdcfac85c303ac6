package optout_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

const account = "AC00000000000000000000000000000001"

// bridge is a bench with three tenants. ACME and Beta share a line, Gamma has one of its own.
// Swedish phones are texted from another line by all.
type bridge struct {
	storetest.Bench
	tenants tenant.Set
}

// each runs test on a new store of each database. The scope is ACME's; the others have the default.
func each(t *testing.T, scope string, test func(b bridge)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(bridge{b, configured(b.T, scope)}) })
}

func configured(t *testing.T, scope string) tenant.Set {
	file := "public_url: https://bridge.example.com\ntenants:\n"
	for slug, more := range map[string][2]string{
		"acme": {"opt_out_scope: " + scope, "+15005550006"}, "beta": {"keep: bridge", "+15005550006"},
		"gamma": {"keep: bridge", "+15005550007"},
	} {
		file += fmt.Sprintf(`  - slug: %[1]s
    name: The %[1]s
    countries: [DK, SE]
    mail_domain: sms.%[1]s.example
    idp_hosts: [login.%[1]s.example]
    sender: {domains: [%[1]s.example]}
    limits: {wait: 0s, phone_hour: 0}
    %[2]s
    mailgun: {api_key: "env:API", signing_key: "env:SIGNING"}
    twilio: {account_sid: %[3]s, auth_token: "env:SECRET", from: "%[4]s"}
`, slug, more[0], account, more[1])
	}
	path := filepath.Join(t.TempDir(), "smsbridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	settings, err := tenant.FromFile(path, []string{
		"SECRET=fedcba9876543210fedcba9876543210", "API=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"SIGNING=9c4be1f072a8d6350e7b1fc2a95d8e46",
	})
	require.NoError(t, err)
	return settings.Tenants
}

func (b bridge) tenant(slug string) *tenant.Tenant {
	b.Helper()
	t, ok := b.tenants.Tenant(slug)
	require.True(b, ok)
	return t
}

// heard is a word that came to ACME's line.
func (b bridge) heard(phone phonemail.Number) optout.Heard {
	line := b.tenant("acme").Line(phone)
	return optout.Heard{
		Line: line, Sharing: b.tenants.ByLine(line), Phone: phone, Via: text.ByReply,
	}
}

func (b bridge) stop(phone phonemail.Number) (first bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		first, err = optout.Stop(ctx, tx, b.tenants, b.heard(phone))
		return err
	})
	return first
}

// out are the tenants that must not text a phone.
func (b bridge) out(phone phonemail.Number) (out []string) {
	b.Helper()
	require.NoError(b, b.Store.Read(b.Context(), func(ctx context.Context, v store.View) error {
		for _, t := range b.tenants.All() {
			is, err := text.OptedOut(ctx, v, t.Slug, t.Line(phone), phone)
			if err != nil {
				return err
			}
			if is {
				out = append(out, t.Slug)
			}
		}
		return nil
	}))
	return out
}

// open has a tenant ask a phone, and text it a code.
func (b bridge) open(slug string, phone phonemail.Number) (question, code string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		t := b.tenant(slug)
		a, err := challenge.Consider(ctx, tx, t, challenge.Question{
			MailID: store.NewID(), Phone: phone, Purpose: challenge.Registration,
			Recipient: t.Address.Address(phone), Link: "https://login.acme.example/verify",
		})
		if err != nil {
			return err
		}
		if question, err = a.Ask(ctx, tx); err != nil {
			return err
		}
		v, _, err := verification.Start(ctx, tx, verification.For(t, "api", phone))
		code = v.ID
		return err
	})
	return question, code
}

func (b bridge) states(question, code string) [2]string {
	b.Helper()
	return [2]string{b.Strings("SELECT state FROM challenge WHERE id = $1", question)[0],
		b.Strings("SELECT state FROM verification WHERE id = $1", code)[0]}
}

// Ensure that a STOP reaches as far as the setting says, ends what is open there and nothing else,
// and is new once.
func TestStopReaches(t *testing.T) {
	for scope, out := range map[string][]string{
		"sender": {"acme", "beta"}, "tenant": {"acme", "beta"}, "all": {"acme", "beta", "gamma"},
	} {
		each(t, scope, func(b bridge) {
			phone, other := b.Phone(), b.Phone()
			ended, canceled := [2]string{"canceled", "canceled"}, map[string][2]string{}
			for _, slug := range []string{"acme", "beta", "gamma"} {
				q, c := b.open(slug, phone)
				canceled[slug] = [2]string{q, c}
			}
			q, c := b.open("acme", other)
			require.True(b, b.stop(phone))
			require.False(b, b.stop(phone))
			require.Equal(b, out, b.out(phone), scope)
			require.Empty(b, b.out(other))
			for slug, ids := range canceled {
				want := ended
				if slug == "gamma" && scope != "all" {
					want = [2]string{"open", "pending"}
				}
				require.Equal(b, want, b.states(ids[0], ids[1]), "%s %s", scope, slug)
			}
			require.Equal(b, [2]string{"open", "pending"}, b.states(q, c))
		})
	}
}

// Ensure that what is said to a tenant ends a question and a code that come from two lines.
func TestTenantsLinesAreEndedTogether(t *testing.T) {
	each(t, "tenant", func(b bridge) {
		phone := b.Phone()
		b.tenant("gamma").Sending.Twilio.LinksFrom = "+15005550010"
		require.Len(b, b.tenant("gamma").Lines(phone), 2)
		q, c := b.open("gamma", phone)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := optout.Record(ctx, tx, b.tenants, text.Said{
				Phone: phone, Reach: text.Reach{Tenant: "gamma"}, Via: text.ByMail, Since: b.Now(),
			})
			return err
		})
		require.Equal(b, [2]string{"canceled", "canceled"}, b.states(q, c))
	})
}

// Ensure that with the scope tenant a STOP holds on the tenant's other lines, and for no other
// tenant there.
func TestStopOfATenantHoldsOnAllItsLines(t *testing.T) {
	each(t, "tenant", func(b bridge) {
		phone := b.Phone()
		b.stop(phone)
		elsewhere := phonemail.Line{Account: account, Sender: "+15005550009"}
		for slug, want := range map[string]bool{"acme": true, "beta": false, "gamma": false, "": false} {
			var out bool
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				out, err = text.OptedOut(ctx, tx, slug, elsewhere, phone)
				return err
			})
			require.Equal(b, want, out, slug)
		}
	})
}

// Ensure that START ends what holds for its line and for the tenants behind it. YES ends only
// what a reply said. Neither ends what was said to all.
func TestStartAndYes(t *testing.T) {
	each(t, "tenant", func(b bridge) {
		record := func(phone phonemail.Number, reach text.Reach) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := optout.Record(ctx, tx, b.tenants, text.Said{
					Phone: phone, Reach: reach, Via: text.ByLetter, Recorder: "ann", Since: b.Now(),
				})
				return err
			})
		}
		say := func(phone phonemail.Number,
			f func(context.Context, *store.Tx, optout.Heard) error,
		) {
			b.Do(func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, b.heard(phone)) })
		}
		phone := b.Phone()
		b.stop(phone)
		say(phone, optout.Yes)
		require.Empty(b, b.out(phone))

		record(phone, text.Reach{Tenant: "acme"})
		say(phone, optout.Yes)
		require.Equal(b, []string{"acme"}, b.out(phone), "no answer undoes a letter")
		say(phone, optout.Start)
		require.Empty(b, b.out(phone))

		record(phone, text.Reach{Tenant: "gamma"})
		say(phone, optout.Start)
		require.Equal(b, []string{"gamma"}, b.out(phone), "it was said to another line")
		record(phone, text.Reach{All: true})
		say(phone, optout.Start)
		require.Equal(b, []string{"acme", "beta", "gamma"}, b.out(phone))
	})
	each(t, "all", func(b bridge) {
		phone := b.Phone()
		b.stop(phone)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return optout.Start(ctx, tx, b.heard(phone))
		})
		require.Empty(b, b.out(phone))
	})
}

// Ensure that a YES does not end what a person wrote after a STOP, and that a STOP changes nothing
// of what a person wrote.
func TestLetterAfterStop(t *testing.T) {
	each(t, "tenant", func(b bridge) {
		phone := b.Phone()
		letter := func() {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := optout.Record(ctx, tx, b.tenants, text.Said{
					Phone: phone, Reach: text.Reach{Tenant: "acme"}, Via: text.ByLetter, Since: tx.Now(),
					Recorder: "web",
				})
				return err
			})
		}
		yes := func(ctx context.Context, tx *store.Tx) error {
			return optout.Yes(ctx, tx, b.heard(phone))
		}
		since := b.Now()
		b.stop(phone)
		b.Pass(time.Hour)
		letter()
		b.stop(phone)
		b.Do(yes)
		require.Equal(b, []string{"acme"}, b.out(phone), "no answer undoes a letter")
		require.Equal(b, []string{fmt.Sprint(since.UnixMilli()) + " letter web"}, b.Strings(
			"SELECT CAST(since AS TEXT) || ' ' || via || ' ' || recorder FROM opt_out"))
	})
}

// Ensure that what an operator records for a tenant ends what the phone is being asked by it alone.
func TestRecordEndsWhatIsOpen(t *testing.T) {
	each(t, "sender", func(b bridge) {
		phone := b.Phone()
		q, c := b.open("acme", phone)
		otherQ, otherC := b.open("beta", phone)
		for _, want := range []bool{true, false} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				first, err := optout.Record(ctx, tx, b.tenants, text.Said{
					Phone: phone, Reach: text.Reach{Tenant: "acme"}, Via: text.ByMail, Recorder: "ann",
					Since: b.Now().Add(-time.Hour),
				})
				require.Equal(b, want, first)
				return err
			})
		}
		require.Equal(b, [2]string{"canceled", "canceled"}, b.states(q, c))
		require.Equal(b, [2]string{"open", "pending"}, b.states(otherQ, otherC))
		require.Equal(b, []string{"acme"}, b.out(phone))
		require.NoError(b, b.Store.Read(b.Context(), func(ctx context.Context, v store.View) error {
			known, err := text.OptOutsOf(ctx, v, phone)
			require.Len(b, known, 1)
			require.Equal(b, phone, known[0].Phone)
			require.Equal(b, "ann", known[0].Recorder)
			require.Equal(b, text.ByMail, known[0].Via)
			require.Equal(b, b.Now().Add(-time.Hour), known[0].Since)
			require.Equal(b, b.Now(), known[0].Recorded)
			return err
		}))
	})
}

// Ensure that a failing statement undoes all, and that the next try succeeds.
func TestFailures(t *testing.T) {
	each(t, "tenant", func(b bridge) {
		phone := b.Phone()
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			_, err := optout.Stop(ctx, tx, b.tenants, b.heard(phone))
			return err
		})
		require.Equal(b, []string{"acme", "beta"}, b.out(phone))
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			return optout.Start(ctx, tx, b.heard(phone))
		})
		require.Empty(b, b.out(phone))
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			return optout.Learn(ctx, tx, b.heard(phone))
		})
		require.Equal(b, []string{"acme", "beta"}, b.out(phone))
	})
}

// Ensure that a YES on one line ends nothing that was said on another one. It ends what a provider
// said, as it ends a reply. START ends what was said to a tenant, whatever the scope.
func TestYesEndsWhatItsLineSaid(t *testing.T) {
	each(t, "sender", func(b bridge) {
		phone := b.Phone()
		say := func(f func(context.Context, *store.Tx, optout.Heard) error, via text.Via) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				h := b.heard(phone)
				h.Via = via
				return f(ctx, tx, h)
			})
		}
		said := func(reach text.Reach, via text.Via) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := optout.Record(ctx, tx, b.tenants, text.Said{
					Phone: phone, Reach: reach, Via: via, Since: b.Now(),
				})
				return err
			})
		}
		said(text.Reach{Line: b.tenant("gamma").Line(phone)}, text.ByReply)
		elsewhere := b.tenant("acme").Line(phone)
		elsewhere.Account = "AC00000000000000000000000000000002"
		said(text.Reach{Line: elsewhere}, text.ByReply)
		say(optout.Learn, text.ByProvider)
		require.Equal(b, []string{"acme", "beta", "gamma"}, b.out(phone))
		say(optout.Yes, text.ByReply)
		require.Equal(b, []string{"gamma"}, b.out(phone))
		require.Equal(b, 2, b.Count("opt_out"), "the same sender of another account is another line")
		said(text.Reach{Tenant: "acme"}, text.ByPhone)
		say(optout.Start, text.ByReply)
		require.Equal(b, []string{"gamma"}, b.out(phone))
	})
}

// Ensure that a STOP is confirmed once, although the setting reaches farther by the second one.
// What is said to a tenant that is not configured any more is kept.
func TestStopAfterTheSettingsChanged(t *testing.T) {
	each(t, "sender", func(b bridge) {
		phone := b.Phone()
		require.True(b, b.stop(phone))
		b.tenants = configured(b.T, "all")
		require.False(b, b.stop(phone), "the line has heard it before")
		require.Equal(b, []string{"acme", "beta", "gamma"}, b.out(phone))

		b.Do(func(ctx context.Context, tx *store.Tx) error {
			first, err := optout.Record(ctx, tx, b.tenants, text.Said{
				Phone: phone, Reach: text.Reach{Tenant: "gone"}, Via: text.ByMail, Since: b.Now(),
			})
			require.True(b, first)
			return err
		})
		require.Equal(b, 1, b.Count("opt_out WHERE account = '/tenant' AND sender = 'gone'"))
	})
}
