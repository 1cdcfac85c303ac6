package operator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/operator"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// rehearseData is the page on which an operator begins a rehearsal.
type rehearseData struct {
	Obstacles []obstacle // of the tenants with which none can be played
	Link      string     // where its link leads
}

// obstacle is why no rehearsal can be played with a tenant, and what to do about it.
type obstacle struct{ Tenant, Why, Then string }

func (d *Door) showRehearse(c echo.Context, v visitor) error {
	data := rehearseData{Link: d.Settings.PublicURL + rehearsal.Path}
	for _, t := range d.Settings.Tenants.All() {
		if why := d.unplayable(t); why.what != "" {
			data.Obstacles = append(data.Obstacles, obstacle{t.Slug, why.what, why.then})
		}
	}
	return d.show(c, v, "rehearse", page{Title: "Rehearse a sign-up", Current: "try", Data: data})
}

// unplayable says why no rehearsal can be played with a tenant. Nothing is said when one can.
func (d *Door) unplayable(t *tenant.Tenant) wrong {
	switch {
	case len(t.Mails.Mailgun.SigningKeys) == 0:
		return wrong{"The tenant has no signing key, with which the mail would be posted.",
			"Set mailgun.webhook_signing_key (MAILGUN_WEBHOOK_SIGNING_KEY)."}
	case t.Mails.Keep == tenant.KeepMailgun:
		return wrong{"The tenant's mails are kept at Mailgun, where a rehearsal has none.",
			"This needs keep: bridge (SMSBRIDGE_KEEP)."}
	case !strings.HasPrefix(d.Settings.PublicURL, "https:") && len(t.Links.UnsafeAllow) == 0:
		return wrong{"The link leads to the bridge's public address, which is not https, so it would " +
			"not be opened.", "Set public_url (SMSBRIDGE_PUBLIC_URL)."}
	}
	return wrong{}
}

// rehearse posts the mail of a rehearsal to Mailgun's door, and shows its case, which is followed.
func (d *Door) rehearse(c echo.Context, v visitor) error {
	f, done, err := d.formOf(c, v, false)
	if done {
		return err
	}
	t, known := d.Settings.Tenants.Tenant(f.Get("tenant"))
	phone, malformed := phonemail.ParseNumber(strings.TrimSpace(f.Get("phone")))
	switch {
	case !known:
		err = wrong{"There is no such tenant.", "Choose one of the list."}
	case malformed != nil:
		err = wrong{"That is no phone number.", "Write it as +4512345678."}
	case d.unplayable(t).what != "":
		err = d.unplayable(t)
	}
	id := ""
	if err == nil {
		id, err = d.play(c, v, t, phone)
	}
	if err != nil {
		return d.failAct(c, v, err)
	}
	return c.Redirect(http.StatusSeeOther, "/operator/cases/"+id+"?done=rehearse")
}

// play begins a rehearsal and returns the id of its case.
func (d *Door) play(
	c echo.Context, v visitor, t *tenant.Tenant, phone phonemail.Number,
) (id string, err error) {
	ctx := c.Request().Context()
	letter, err := web.Read(ctx, d.Store,
		func(_ context.Context, view store.View) (rehearsal.Letter, error) {
			return rehearsal.Write(view, t, phone, d.Settings.PublicURL, d.Now())
		})
	if err != nil {
		return "", err
	}
	err = d.perform(c, v, func(context.Context, *store.Tx) (operator.Act, error) {
		return operator.Act{Act: "rehearse", Subject: phone.String(), Detail: "tenant " + t.Slug}, nil
	})
	if err != nil {
		return "", err
	}
	status, said := d.post(ctx, t, letter)
	if status != http.StatusOK {
		return "", wrong{fmt.Sprintf("The door of mails took it with %d: %s", status, said),
			"That is what Mailgun would have been told."}
	}
	id, err = web.Read(ctx, d.Store, func(ctx context.Context, view store.View) (string, error) {
		return rehearsal.CaseOf(ctx, view, t.Slug, letter.MessageID, phone)
	})
	if err == nil && id == "" {
		err = wrong{"The mail was taken, and is not there.", "Look for the phone."}
	}
	return id, err
}

// post posts a mail to the door of mails, signed as Mailgun signs. It returns what the door says.
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
func (d *Door) post(
	ctx context.Context, t *tenant.Tenant, l rehearsal.Letter,
) (status int, said string) {
	stamp, token := strconv.FormatInt(d.Now().Unix(), 10), store.NewID()
	mac := hmac.New(sha256.New, []byte(t.Mails.Mailgun.SigningKeys[0].Reveal()))
	mac.Write([]byte(stamp + token))
	form := url.Values{
		"recipient": {l.To}, "sender": {rehearsal.From}, "body-mime": {l.MIME}, "timestamp": {stamp},
		"token": {token}, "signature": {hex.EncodeToString(mac.Sum(nil))},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/mailgun/"+t.Slug+"/mime",
		strings.NewReader(form.Encode()))
	if err != nil {
		return http.StatusInternalServerError, "no such door"
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := &told{header: http.Header{}, status: http.StatusOK}
	d.Hall().ServeHTTP(w, r)
	return w.status, strings.TrimSpace(w.body.String())
}

// told is what a door tells of the process itself.
type told struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (t *told) Header() http.Header { return t.header }

// WriteHeader implements http.ResponseWriter.
func (t *told) WriteHeader(status int) { t.status = status }

// Write implements http.ResponseWriter.
func (t *told) Write(p []byte) (int, error) { return t.body.Write(p) }
