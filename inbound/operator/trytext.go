package operator

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/country"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// triedText is a text with what it costs, and why it would not be sent.
type triedText struct {
	text.Made
	Encoding string
	Segments int
	Units    int
	Cost     string // in dollars
}

func shownText(made text.Made) triedText {
	size := made.Size()
	return triedText{made, encodingOf(size.GSM), size.Segments, size.Units, made.Price().String()}
}

func encodingOf(gsm bool) string {
	if gsm {
		return "GSM-7"
	}
	return "UCS-2"
}

// tryTextData is the page on which a text is tried.
type tryTextData struct {
	Tenant, Wording, Language string // that are chosen
	Phone                     string // as the operator wrote it
	Wordings                  []string
	Languages                 []string
	Tried                     *triedOne // nil before
}

// triedOne is a text to one phone, with what is known of its country.
type triedOne struct {
	triedText
	Masked  phonemail.Number
	Because string
	Country string
	Facts   []country.Fact
}

// codeWording names the text that says a code. It is no saying: an app may have it in words of its
// own.
const codeWording = "code"

// tryLife is until when a text is sent that an operator tries.
const tryLife = 10 * time.Minute

// wordings are all texts that can be tried.
func wordings() []string {
	all := []string{codeWording}
	for _, s := range wording.Sayings() {
		all = append(all, string(s))
	}
	return all
}

func (d *Door) showTryText(c echo.Context, v visitor) error {
	return d.renderTryText(c, v, tryTextData{})
}

func (d *Door) renderTryText(c echo.Context, v visitor, data tryTextData) error {
	data.Wordings, data.Languages = wordings(), wording.Languages()
	return d.show(c, v, "trytext", page{Title: "Try a text", Current: "try", Data: data})
}

// tryText shows a text as a phone would get it, and what the rules say. It sends nothing.
func (d *Door) tryText(c echo.Context, v visitor) error {
	f, done, err := d.formOf(c, v, true)
	if done {
		return err
	}
	draft, because, err := d.draftOf(f)
	made := text.Made{Draft: draft}
	if err == nil {
		made, err = d.judgeText(c.Request().Context(), draft)
	}
	if err != nil {
		return d.failAct(c, v, err)
	}
	code := draft.Phone.Country()
	return d.renderTryText(c, v, tryTextData{
		Tenant: draft.Tenant.Slug, Wording: draft.Wording, Language: f.Get("language"),
		Phone: f.Get("phone"), Tried: &triedOne{
			shownText(made), draft.Phone, because, code, country.About(code),
		},
	})
}

// judgeText says what the rules make of a text. It is made as any is, and then undone.
func (d *Door) judgeText(ctx context.Context, draft text.Draft) (made text.Made, err error) {
	ctx, cancel := web.Bound(ctx)
	defer cancel()
	err = d.Store.Try(ctx, func(ctx context.Context, tx *store.Tx) error {
		draft.Deadline = tx.Now().Add(tryLife)
		_, err := text.Make(text.Hearing(ctx, func(m text.Made) { made = m }), tx, draft)
		if why := forbidden(draft, tx.Now()); why != "" {
			made.Reason = why
		}
		return err
	})
	return made, err
}

// forbidden says why the settings or the country allow no such text to a phone, or "".
func forbidden(draft text.Draft, now time.Time) string {
	if err := draft.Tenant.Check(draft.Phone, now); err != nil {
		return err.Error()
	}
	return wayOf(draft).Refusal
}

// sendTryText has a text sent, which passes all that any text passes.
func (d *Door) sendTryText(c echo.Context, v visitor) error {
	f, done, err := d.formOf(c, v, false)
	if done {
		return err
	}
	draft, _, err := d.draftOf(f)
	if err != nil {
		return d.failAct(c, v, err)
	}
	id := ""
	err = d.perform(c, v, func(ctx context.Context, tx *store.Tx) (_ operator.Act, err error) {
		if why := forbidden(draft, tx.Now()); why != "" {
			return operator.Act{}, wrong{"That text does not go there: " + why + ".",
				"Nothing was sent."}
		}
		draft.Deadline = tx.Now().Add(tryLife)
		id, err = text.Make(ctx, tx, draft)
		return operator.Act{Act: "text.try", Subject: id,
			Detail: draft.Wording + " to " + draft.Phone.String()}, err
	})
	if err != nil {
		return d.failAct(c, v, err)
	}
	return c.Redirect(http.StatusSeeOther, "/operator/cases/"+id+"?done=text.try")
}

// draftOf is the text that a form asks for, filled with samples, and why it is in its language.
func (d *Door) draftOf(f form) (draft text.Draft, because string, err error) {
	t, known := d.Settings.Tenants.Tenant(f.Get("tenant"))
	phone, malformed := phonemail.ParseNumber(strings.TrimSpace(f.Get("phone")))
	says, language := f.Get("wording"), f.Get("language")
	switch {
	case !known:
		return draft, "", wrong{"There is no such tenant.", "Choose one of the list."}
	case malformed != nil:
		return draft, "", wrong{"That is no phone number.", "Write it as +4512345678."}
	case !slices.Contains(wordings(), says):
		return draft, "", wrong{"There is no such text.", "Choose one of the list."}
	case language != "" && !slices.Contains(wording.Languages(), language):
		return draft, "", wrong{"There is no such language.", "Choose one of the list."}
	}
	because = "it was chosen"
	if language == "" {
		language, because = t.LanguageWhy("", "", phone)
	}
	draft = text.Draft{
		Tenant: t, Phone: phone, Purpose: text.Try, Wording: says, Language: language,
		Body: t.Say(language, wording.Saying(says), t.Sample(language)),
	}
	if says == codeWording {
		draft.Body = t.CodeWording(phone)(sampleCode, language)
	}
	draft.Line = wayOf(draft).Line
	return draft, because, nil
}

// wayOf is how a text goes to its phone. One that begins nothing comes from where questions do.
func wayOf(draft text.Draft) tenant.Way {
	use := tenant.ForQuestion
	switch says := draft.Wording; {
	case says == codeWording:
		use = tenant.ForCode
	case strings.HasPrefix(says, "relay_") || strings.HasPrefix(says, "tap_"):
		use = tenant.ForLink
	}
	return draft.Tenant.Way(draft.Phone, use)
}
