//go:build !race

package operator_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/callback"
	"smsbridge/internal/longtest"
	"smsbridge/internal/mail"
	"smsbridge/internal/meter"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// acts are all buttons that only the role act has, each with a form that would do something.
func acts() map[string]url.Values {
	return map[string]url.Values{
		"/operator/cases/ID/phone":        {},
		"/operator/limits/hold":           {"country": {"DK"}},
		"/operator/limits/release":        {},
		"/operator/jobs/1/retry":          {},
		"/operator/jobs/1/drop":           {},
		"/operator/optouts/add":           {"phone": {inboundtest.Phone}, "via": {"mail"}},
		"/operator/optouts/import":        {"csv": {inboundtest.Phone + ",all,,,,mail,anna,"}},
		"/operator/optouts/export":        {},
		"/operator/optouts/OPTOUT/remove": {},
		"/operator/try/rehearse":          {"tenant": {"acme"}, "phone": {inboundtest.Phone}},
		"/operator/try/text/send":         {"tenant": {"acme"}, "phone": {inboundtest.Phone}},
		"/operator/callbacks/TOLD/replay": {},
	}
}

// mail records a mail to the phone, and returns its id.
func (p pages) mail(t *testing.T) string {
	t.Helper()
	res := p.PostForm(t, "/mailgun/acme", inboundtest.Sign(inboundtest.MailForm(1),
		inboundtest.SigningKey, p.Now, inboundtest.Token(1)))
	require.Equal(t, http.StatusOK, res.StatusCode, res.Body)
	return p.One(t, "SELECT id FROM mail")
}

// optOut records an opt-out of the phone, and returns its id.
func (p pages) optOut(t *testing.T, recorder string) string {
	t.Helper()
	p.Do(t, func(ctx context.Context, tx *store.Tx) error {
		_, err := text.SetOptOut(ctx, tx, text.Said{
			Phone: inboundtest.Number(t, inboundtest.Phone), Reach: text.Reach{Tenant: "acme"},
			Via: text.ByLetter, Recorder: recorder, Since: tx.Now(),
		})
		return err
	})
	return p.One(t, "SELECT id FROM opt_out")
}

// Ensure that the role see does nothing: each button is refused, and none is shown. The role act
// does each, and each is recorded with its operator. No number is in what is recorded or logged.
func TestActs(t *testing.T) {
	each(t, func(t *testing.T, p pages) {
		id, optOut, told := p.mail(t), p.optOut(t, "ann"), p.callback(t, callback.Dead)
		path := func(path string) string {
			return strings.NewReplacer("ID", id, "OPTOUT", optOut, "TOLD", told).Replace(path)
		}
		see := p.login(t, "help")
		for action, fields := range acts() {
			fields.Set("token", token(see.get("/operator/cases").Body))
			res := see.ask("POST", path(action), fields)
			require.Equal(t, http.StatusForbidden, res.StatusCode, action)
			require.Contains(t, res.Body, "You may look, and not act.", action)
		}
		require.Equal(t, 1, p.Count(t, "operator_act", "1=1"), "the login alone")
		require.Equal(t, 1, p.Count(t, "opt_out", "1=1"))
		for _, page := range []string{"cases", "cases/" + id, "limits", "jobs", "optouts", "audit",
			"funnel", "nodes", "callbacks", "callbacks/" + told} {
			res := see.get("/operator/" + page)
			require.Equal(t, http.StatusOK, res.StatusCode, page)
			require.NotRegexp(t, `action="/operator/(cases|limits|jobs|optouts|callbacks)/[^"]*"`,
				strings.ReplaceAll(res.Body, `method="get" action="/operator/cases"`, ""), page)
			require.NotContains(t, res.Body, inboundtest.Phone[1:], page)
		}

		act := p.login(t, "anna")
		for _, action := range []string{"/operator/cases/ID/phone", "/operator/limits/hold",
			"/operator/limits/release", "/operator/optouts/OPTOUT/remove", "/operator/optouts/add",
			"/operator/optouts/import", "/operator/optouts/export", "/operator/callbacks/TOLD/replay"} {
			fields := acts()[action]
			if action == "/operator/limits/release" {
				fields.Set("country", "DK")
			}
			fields.Set("token", token(act.get("/operator/cases").Body))
			res := act.ask("POST", path(action), fields)
			require.Contains(t, []int{http.StatusOK, http.StatusSeeOther}, res.StatusCode,
				action+res.Body)
			shown := strings.Contains(res.Body, inboundtest.Phone[1:])
			require.Equal(t, res.StatusCode == http.StatusOK, shown, "whole numbers, on demand")
		}
		for _, recorded := range []string{"phone.show", "hold", "release", "optout.remove", "optout.add",
			"optout.import", "optout.export", "callback.replay"} {
			require.Equal(t, 1, p.Count(t, "operator_act", "operator = 'anna' AND act = '"+recorded+"'"),
				recorded)
		}
		require.Zero(t,
			p.Count(t, "operator_act", "subject LIKE '%20123456%' OR detail LIKE '%20123456%'"))
		lines := p.Lines(t) // which fails on a number
		require.NotEmpty(t, lines)
	})
}

// Ensure that a hold stops texts and is shown, that what cannot be is refused with what to do, and
// that nothing is recorded then.
func TestHoldPage(t *testing.T) {
	p := only(t)
	b := p.login(t, "anna")
	b.get("/operator/limits")
	require.Contains(t, b.page.Body, "Nothing is held.")
	for _, fields := range [][]string{{"country", "XX"}, {"tenant", "other"}} {
		res := b.press("/operator/limits/hold", fields...)
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode, fields)
		b.get("/operator/limits")
	}
	require.Zero(t, p.Count(t, "operator_act", "act = 'hold'"))
	for _, fields := range [][]string{{"tenant", "acme", "country", "dk"}, {"tenant", "acme"},
		{"country", "DK"}, {}} {
		res := b.press("/operator/limits/hold", fields...)
		require.Equal(t, "/operator/limits?done=hold", res.Header.Get("Location"), res.Body)
		b.get("/operator/limits?done=hold")
		require.Contains(t, b.page.Body, "It is held")
	}
	for _, held := range []string{"tenant acme to DK", "tenant acme", "to DK", "all texts"} {
		require.Contains(t, b.page.Body, "<strong>"+held+"</strong>")
	}
	require.Equal(t, 4, p.Count(t, "tally", "held_at <> 0"))
	other := b.press("/operator/limits/release", "country", "SE")
	require.Equal(t, http.StatusUnprocessableEntity, other.StatusCode, "that is not held")
	b.get("/operator/limits")
	for _, fields := range [][]string{{"tenant", "acme", "country", "DK"}, {"tenant", "acme"},
		{"country", "DK"}, {}} {
		require.Equal(t, http.StatusSeeOther, b.press("/operator/limits/release", fields...).StatusCode)
		b.get("/operator/limits")
	}
	require.Zero(t, p.Count(t, "tally", "held_at <> 0"))
	res := b.press("/operator/limits/release", "country", "DK")
	require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
}

// Ensure that jobs are shown, tried and dropped from the page, and that one that is gone is said to
// be.
func TestJobsPage(t *testing.T) {
	each(t, func(t *testing.T, p pages) {
		b := p.login(t, "anna")
		require.Contains(t, b.get("/operator/jobs").Body, "No job fails, waits or died.")
		mail := p.mail(t)
		require.Contains(t, b.get("/operator/jobs").Body, "examine_mail")
		require.Contains(t, b.page.Body, mail)
		job := regexp.MustCompile(`/operator/jobs/(\d+)/retry`).FindStringSubmatch(b.page.Body)
		require.NotNil(t, job)
		require.Contains(t, b.press("/operator/search", "for", mail).Body, "/operator/cases/"+mail)
		b.get("/operator/jobs")
		require.Equal(t, http.StatusSeeOther, b.press("/operator/jobs/"+job[1]+"/retry").StatusCode)
		b.get("/operator/jobs")
		require.Equal(t, http.StatusSeeOther, b.press("/operator/jobs/"+job[1]+"/drop").StatusCode)
		require.Equal(t, 1, p.Count(t, "river_job", "kind = 'drop_job'"))
		for _, gone := range []string{"999999", "x", "99999999999999999999"} {
			b.get("/operator/jobs")
			res := b.press("/operator/jobs/" + gone + "/drop")
			require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode, gone)
		}
		require.Equal(t, 2, p.Count(t, "operator_act", "act LIKE 'job.%' AND subject = '"+job[1]+"'"))
	})
}

// Ensure that opt-outs go in and out by the page as by the command, and that a file with a mistake
// changes nothing. What a row holds is shown as text.
func TestOptOuts(t *testing.T) {
	p := only(t)
	b := p.login(t, "anna")
	p.optOut(t, `<img src=x onerror=alert(1)>`)
	body := b.get("/operator/optouts").Body
	require.Contains(t, body, "&lt;img src=x")
	require.NotContains(t, body, "<img")
	require.NotContains(t, body, inboundtest.Phone[1:])
	require.Contains(t, body, "&#43;45******56")

	csv := b.press("/operator/optouts/export").Body
	require.Contains(t, csv, inboundtest.Phone+",tenant,acme,,,letter,")
	require.Contains(t, b.page.Header.Get("Content-Disposition"), "attachment")
	b.get("/operator/optouts")
	id := regexp.MustCompile(`/operator/optouts/([0-9a-f-]{36})/remove`).FindStringSubmatch(
		b.page.Body)
	require.Equal(t, http.StatusSeeOther, b.press("/operator/optouts/"+id[1]+"/remove").StatusCode)
	require.Zero(t, p.Count(t, "opt_out", "1=1"))
	b.get("/operator/optouts")
	res := b.press("/operator/optouts/" + id[1] + "/remove")
	require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
	b.get("/operator/optouts")
	require.Equal(t, http.StatusSeeOther, b.press("/operator/optouts/import", "csv", csv).StatusCode)
	require.Equal(t, 1, p.Count(t, "opt_out", "1=1"))
	require.Equal(t, "1 read, 1 of them new",
		p.One(t, "SELECT detail FROM operator_act WHERE act = 'optout.import'"))

	for _, bad := range []string{csv + "+4520123457,nowhere,,,,mail,,\n", "a,b"} {
		b.get("/operator/optouts")
		res := b.press("/operator/optouts/import", "csv", bad)
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
		require.Contains(t, res.Body, "Nothing was imported")
	}
	require.Equal(t, 1, p.Count(t, "opt_out", "1=1"))
	for _, bad := range [][]string{{"phone", "45", "via", "mail"},
		{"phone", "+4520123457", "via", "reply"}, {"phone", "+4520123457"},
		{"phone", "+4520123457", "via", "mail", "tenant", "other"}} {
		b.get("/operator/optouts")
		require.Equal(t, http.StatusUnprocessableEntity,
			b.press("/operator/optouts/add", bad...).StatusCode, bad)
	}
	b.get("/operator/optouts")
	b.press("/operator/optouts/add", "phone", "+4520123457", "via", "phone")
	require.Equal(t, "anna", p.One(t, "SELECT recorder FROM opt_out WHERE via = 'phone'"))
	require.Equal(t, "+45******57",
		p.One(t, "SELECT subject FROM operator_act WHERE act = 'optout.add'"))
}

// Ensure that a case is found by its phone and by any id, and that no address has a number. The
// list knows tenants and states.
func TestCases(t *testing.T) {
	p := only(t)
	id := p.mail(t)
	b := p.login(t, "help")
	require.Contains(t, b.page.Body, "the mail is being examined")
	require.Contains(t, b.get("/operator/cases?tenant=acme&state=running").Body, id)
	require.NotContains(t, b.get("/operator/cases?state=confirmed").Body, id)
	require.Contains(t, b.get("/operator/cases?tenant=%3Cb%3E&state=%3Cb%3E").Body, id,
		"no such filter")
	messageID := p.One(t, "SELECT message_id FROM mail")
	for _, asked := range []string{inboundtest.Phone, " " + inboundtest.Phone + " ", id, messageID,
		"<" + messageID + ">"} {
		b.get("/operator/cases")
		res := b.press("/operator/search", "for", asked)
		require.Equal(t, http.StatusOK, res.StatusCode, asked)
		require.Contains(t, res.Body, id)
		require.NotContains(t, res.Body, inboundtest.Phone[1:])
	}
	b.get("/operator/cases")
	require.Equal(t, http.StatusNotFound, b.press("/operator/search", "for", "<b>x</b>").StatusCode)
	require.NotContains(t, b.page.Body, "<b>x")
	b.get("/operator/cases")
	b.press("/operator/search", "for", "+4520999999")
	require.Contains(t, b.page.Body, "No mail and no code for this phone is known here")
	require.Equal(t, http.StatusNotFound, b.get("/operator/cases/unknown").StatusCode)
	require.Equal(t, http.StatusNotFound, b.get("/operator/cases/"+messageID).StatusCode)
	p.Lines(t) // fails on a number
}

// Ensure that the list is followed: what comes later is sent, and the stream ends with its session.
func TestLive(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	p := only(t)
	b := p.login(t, "help")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", p.url+"/operator/cases/live", nil)
	require.NoError(t, err)
	r.Header.Set("Cookie", b.cookie)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	lines := bufio.NewScanner(res.Body)
	event := func() (data string) {
		for lines.Scan() && lines.Text() != "" {
			data += lines.Text() + "\n"
		}
		return data
	}
	require.Contains(t, event(), "No case is like that.")
	id := p.mail(t)
	require.Contains(t, event(), id)
	b.press("/operator/logout")
	require.Empty(t, event())
	require.NoError(t, ctx.Err(), "it never ended")
}

// Ensure that the texts of a tenant are shown with their segments, in the language that is asked
// for. A tenant or language that there is not is left out.
func TestTexts(t *testing.T) {
	p := only(t)
	b := p.login(t, "help")
	require.Contains(t, b.get("/operator/texts?tenant=%3Cb%3E&language=xx").Body, "Reply YES")
	require.Contains(t, b.page.Body, "1 GSM-7")
	require.Contains(t, b.page.Body, "482148")
	require.NotContains(t, b.page.Body, "<b>")
	require.Contains(t, b.get("/operator/texts?tenant=acme&language=ja").Body, "UCS-2")
	require.Contains(t, b.page.Body, `lang="ja"`)
}

// Ensure that the page about the bridge has its settings, and none of its secrets.
func TestAbout(t *testing.T) {
	p := only(t, "SMSBRIDGE_TEST_NUMBERS=+447700900123 code 424242 until 2027-01-01")
	var m *meter.Meter
	p.Change(func(s *inbound.Server) {
		m = meter.New(func() time.Time { return p.Bridge.Now }, nil)
		s.Meter = m
	})
	m.Used(meter.Key{Tenant: "acme", Setting: "mailgun.signing_key", Which: "2"})
	p.Bridge.Now = p.Bridge.Now.Add(3 * time.Hour)
	p = open(t, p.Bridge)
	b := p.login(t, "help")
	body := b.get("/operator/about").Body
	require.Contains(t, body, "<code>"+p.Inbound.Settings.Fingerprint+"</code>")
	require.Contains(t, body, "<code>mailgun.api_key</code>")
	require.Contains(t, body, "login.acme.example")
	require.Regexp(t, `<code>mailgun.signing_key</code></td><td data-label="Key">2</td>`+
		`<td data-label="Last used">3 h ago<`, body)
	for _, secret := range []string{inboundtest.APISecret, inboundtest.SigningKey,
		inboundtest.AuthToken, hash(), hash()[7:30], "447700900123", "424242"} {
		require.NotContains(t, body, secret)
	}
}

// Ensure that no label of a filter stands at the end of a line on a phone, and its field on the
// next one.
func TestFiltersKeepLabelsAndFieldsTogether(t *testing.T) {
	p := only(t)
	b := p.login(t, "anna")
	for _, path := range []string{"cases", "callbacks", "texts", "funnel", "limits"} {
		body := b.get("/operator/" + path).Body
		for _, form := range regexp.MustCompile(`(?s)<form class="(?:filter|row)".*?</form>`).
			FindAllString(body, -1) {
			labels := strings.Count(form, "<label")
			require.Equal(t, labels, strings.Count(form, `<span class="pair"><label`), path)
		}
	}
}

// Ensure that a job that waits although its time has come is told to be due. How long ago that was
// would read as how long it still takes.
func TestOverdueJob(t *testing.T) {
	each(t, func(t *testing.T, p pages) {
		b := p.login(t, "help")
		p.Do(t, func(_ context.Context, tx *store.Tx) error {
			tx.EnqueueAt(mail.ExamineMail{ID: store.NewID()}, p.Now.Add(time.Minute))
			tx.EnqueueAt(mail.ExamineMail{ID: store.NewID()}, p.Now.Add(10*time.Minute))
			return nil
		})
		p.Bridge.Now = p.Bridge.Now.Add(5 * time.Minute)
		body := b.get("/operator/jobs").Body
		require.Regexp(t, `data-label="Next"><time [^>]*>now<`, body)
		require.Regexp(t, `data-label="Next"><time [^>]*>in 5 min<`, body)
	})
}
