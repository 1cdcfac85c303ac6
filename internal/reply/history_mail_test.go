package reply_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

// mail has any mail arrive: a genuine one or an attacker's, to whatever spelling, proved or not.
func (h *history) mail(r *rapid.T, phone int) {
	slug := rapid.SampledFrom([]string{"acme", "acme", "beta"}).Draw(r, "tenant")
	recipient := to(slug, h.phones[phone])
	if rapid.IntRange(0, 3).Draw(r, "spelling") == 0 {
		recipient = strings.ToUpper(recipient[:1]) + recipient[1:]
	}
	purpose := rapid.SampledFrom([]challenge.Purpose{
		challenge.Registration, challenge.Registration, challenge.Password,
	}).Draw(r, "purpose")
	author := rapid.SampledFrom([]string{"", idp, idp, "other@acme.example"}).Draw(r, "author")
	h.ask(r, slug, recipient, phone, purpose, author)
}

// again has a mail arrive for the address of a question: the identity provider sends it again, or
// an attacker has another sent, with another sender or for another purpose.
func (h *history) again(r *rapid.T) {
	if len(h.questions) == 0 {
		return
	}
	q := rapid.SampledFrom(h.questions).Draw(r, "of")
	author := rapid.SampledFrom([]string{q.author, q.author, idp, "", "other@acme.example"}).Draw(r,
		"author")
	purpose := rapid.SampledFrom([]challenge.Purpose{
		q.purpose, q.purpose, q.purpose, challenge.Registration, challenge.Password,
	}).Draw(r, "purpose")
	h.ask(r, q.tenant, q.to, q.phone, purpose, author)
}

// ask has a mail arrive that asks this.
func (h *history) ask(
	r *rapid.T, slug, recipient string, phone int, purpose challenge.Purpose, author string,
) {
	h.links++
	link := fmt.Sprintf("https://login.acme.example/verify?ticket=%d", h.links)
	this := &question{
		tenant: slug, to: recipient, phone: phone, purpose: purpose, link: link, author: author,
		state: "open", over: h.b.Now().Add(10 * time.Minute), sendable: !h.optedOut[phone],
	}
	for _, q := range h.questions {
		this.coded = this.coded || q.phone == phone && !q.same(this) && h.mistakable(q)
	}
	put := func() string {
		return h.b.askAbout(slug, challenge.Question{
			MailID: store.NewID(), Phone: h.phones[phone], Recipient: recipient, Purpose: purpose,
			Link: link, Author: author,
		})
	}
	if rapid.IntRange(0, 5).Draw(r, "by Mailgun") == 0 {
		m := h.post(r, this)
		if h.refused(this) {
			require.Equal(r, "refused", h.examine(m, this), "too many questions, or wrong codes")
			return
		}
		put = func() string {
			require.Equal(r, "examined", h.examine(m, this))
			return h.about(m.ID, phone)
		}
	}
	if same := h.standing(this); same != nil {
		require.Contains(r, []string{same.id, ""}, put(), "the mail was sent again")
		same.resend(this)
		return
	}
	this.id = put()
	c := h.b.challenge(this.id)
	require.Equal(r, this.coded, c.Coded)
	this.code = c.ReplyCode
	h.questions = append(h.questions, this)
}

// resend is what a later mail about the same changes.
func (q *question) resend(later *question) {
	left := q.sent || q.state != "open"
	switch {
	case !left && (q.author == "" || q.author == later.author):
		q.link, q.author = later.link, later.author
	case q.author != "" && q.author == later.author:
		q.held = later.link
	}
	if left && q.author != "" && q.author == later.author {
		q.may = append(q.may, later.link)
	}
}

func (q *question) same(other *question) bool {
	return q.tenant == other.tenant && q.to == other.to && q.phone == other.phone &&
		q.purpose == other.purpose
}

// standing is the question that asks the same already. One that is over, or whose prompt did not
// leave, ends.
func (h *history) standing(this *question) *question {
	for _, q := range h.questions {
		switch {
		case !q.same(this):
		case q.state == "accepted":
			return q
		case q.state == "open" && !h.b.Now().Before(q.over):
			q.end("expired", h.b.Now())
		case q.state == "open" && !q.sent && !q.sendable:
			q.end("canceled", h.b.Now())
		case q.state == "open":
			return q
		}
	}
	return nil
}

// mistakable reports whether a yes might be meant for a question.
func (h *history) mistakable(q *question) bool {
	now := h.b.Now()
	return q.state == "accepted" || q.state == "open" && now.Before(q.over) ||
		(q.state == "open" || q.state == "expired") && now.Sub(q.over) < 10*time.Minute
}

// refused reports whether a mail is refused because its phone was asked enough, or guessed enough.
func (h *history) refused(this *question) bool {
	open := 0
	for _, q := range h.questions {
		live := q.state == "open" && h.b.Now().Before(q.over) && (q.sent || q.sendable)
		if q.same(this) && (live || q.state == "accepted") {
			return false // it is a resend
		}
		if live && q.phone == this.phone {
			open++
		}
	}
	return open >= 3 && this.to != to(this.tenant, h.phones[this.phone]) ||
		this.coded && h.recent(this.phone) >= challenge.MaxGuesses
}

// post has Mailgun post the mail that asks this, and returns it as it waits for its examination.
func (h *history) post(r *rapid.T, this *question) (m mail.Mail) {
	form := inboundtest.MailForm(int(h.b.Serial()))
	form.Set("recipient", this.to)
	form.Set("body-plain", this.link)
	inboundtest.Sign(form, inboundtest.SigningKey, h.b.Now(), form.Get("token"))
	of := posted{"/mailgun/" + this.tenant, form}
	require.Equal(r, "200 recorded\n", h.through(of, nil))
	h.mails = append(h.mails, of)
	ids := h.kept(of, h.phones[this.phone])
	require.Len(r, ids, 1)
	h.b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		m, _, err = mail.Pending(ctx, tx, ids[0])
		return err
	})
	return m
}

// kept are the mails to a phone of which a form is.
func (h *history) kept(of posted, phone phonemail.Number) []string {
	return h.b.Strings("SELECT id FROM mail WHERE tenant = $1 AND message_id = $2 AND phone = $3",
		strings.TrimPrefix(of.path, "/mailgun/"), strings.Trim(of.form.Get("Message-Id"), "<>"),
		phone.E164())
}

// examine finds in a mail the link in its body, and returns the mail's state.
func (h *history) examine(m mail.Mail, this *question) (state string) {
	kind := "verify"
	if this.purpose == challenge.Password {
		kind = "reset"
	}
	found := mail.Finding{Kind: kind, Link: m.Body.Text, Sender: this.author}
	h.b.Do(func(ctx context.Context, tx *store.Tx) error {
		if _, err := mail.Examine(ctx, tx, h.b.lenient(this.tenant), m, found); err != nil {
			return err
		}
		_, now, err := mail.Get(ctx, tx, m.ID)
		state = string(now)
		return err
	})
	return state
}

// about is the question that was put because of a mail, "" when there is none.
func (h *history) about(mailID string, phone int) string {
	for _, row := range h.rows(phone) {
		if row.MailID == mailID {
			return row.ID
		}
	}
	return ""
}

// steal posts a captured mail again: as it was, for another tenant that has the same key, or for
// another phone, with the attacker's link or without. Its signature counted, over all tenants.
func (h *history) steal(r *rapid.T) {
	if len(h.mails) == 0 {
		return
	}
	of := rapid.SampledFrom(h.mails).Draw(r, "captured")
	genuine := of.form
	phone := rapid.SampledFrom(h.phones).Draw(r, "for")
	slug := rapid.SampledFrom([]string{"acme", "beta"}).Draw(r, "at")
	of = posted{"/mailgun/" + slug, maps.Clone(of.form)}
	of.form.Set("recipient", to(slug, phone))
	if rapid.Bool().Draw(r, "own link") {
		of.form.Set("body-plain", "https://login.acme.example/verify?ticket=stolen")
	}
	if rapid.Bool().Draw(r, "own id") {
		of.form.Set("Message-Id", fmt.Sprintf("<stolen-%d@acme.example>", h.b.Serial()))
	}
	h.b.settle()
	before := h.kept(of, phone)
	want := fmt.Sprint(http.StatusNotAcceptable)
	for _, seen := range h.mails {
		if seen.path == of.path && maps.EqualFunc(seen.form, of.form, slices.Equal) {
			want = "200 known already\n"
		}
	}
	require.Equal(r, genuine.Get("signature"), of.form.Get("signature"))
	require.Contains(r, h.through(of, nil), want, "a signature counted twice")
	require.Equal(r, before, h.kept(of, phone))
}
