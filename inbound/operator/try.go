package operator

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/country"
	"smsbridge/internal/mail"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// TryMail says what would come of a mail. It keeps nothing, texts nothing and opens nothing.
type TryMail func(ctx context.Context, f mail.File) (mail.Trial, error)

// tryMailData is the page on which a mail is tried.
type tryMailData struct {
	Address string
	Tenant  string
	Tried   *triedMail // nil before
}

// triedMail is what would come of a mail, as the page shows it.
type triedMail struct {
	mail.Trial
	Rulings []ruling
	Texts   []triedText
	Facts   []country.Fact
	Country string
}

// ruling is what one rule says.
type ruling struct {
	Rule, Said string
	Case       string // which the saying is about, "" for none
	Against    bool   // it keeps the text from being sent
}

// maxMailForm is how many bytes the form with a mail may have: the mail that is taken, and a
// little.
const maxMailForm = 2<<20 + 64<<10

func (d *Door) showTryMail(c echo.Context, v visitor) error {
	return d.renderTryMail(c, v, tryMailData{})
}

func (d *Door) renderTryMail(c echo.Context, v visitor, data tryMailData) error {
	return d.show(c, v, "trymail", page{Title: "Try a mail", Current: "try", Data: data})
}

// tryMail shows what would come of a mail that the operator pastes or uploads.
func (d *Door) tryMail(c echo.Context, v visitor) error {
	form, err := readMailForm(c.Request())
	switch {
	case err != nil:
		return d.refuse(c, http.StatusBadRequest, "The form cannot be read.",
			"A mail has at most 2 MiB.", &v)
	case !holds(form, v.Token):
		return d.refuse(c, http.StatusForbidden, "This form is too old, or not yours.",
			"Nothing was done. Open the page again, and press the button there.", &v)
	}
	file := mail.File{
		MIME: form.Get("file"), Address: form.Get("address"), Tenant: form.Get("tenant"),
	}
	if file.MIME == "" {
		file.MIME = strings.TrimLeft(form.Get("mail"), "\r\n")
	}
	tried, err := d.TryMail(c.Request().Context(), file)
	switch {
	case errors.Is(err, mail.ErrNoMail):
		return d.refuse(c, http.StatusUnprocessableEntity, "That is no raw mail.",
			`Give all of it, with its header, as "Show original" of a mail program saves it.`, &v)
	case errors.Is(err, mail.ErrNoAddress):
		return d.refuse(c, http.StatusUnprocessableEntity,
			"No address of that mail is a phone's address of a tenant.",
			"Write the address to which it was delivered, such as acme+4512345678@sms.acme.example.", &v)
	case err != nil:
		return d.fail(c, err)
	}
	return d.renderTryMail(c, v, tryMailData{file.Address, file.Tenant, shownTrial(tried, d)})
}

// readMailForm reads a form with an uploaded file. No field comes twice.
func readMailForm(r *http.Request) (url.Values, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || kind != "multipart/form-data" {
		return nil, errors.New("operator: not the form of a mail")
	}
	parts := multipart.NewReader(http.MaxBytesReader(nil, r.Body, maxMailForm), params["boundary"])
	form := url.Values{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		name := part.FormName()
		if err != nil || form.Has(name) {
			return nil, errors.Join(err, errors.New("operator: a field comes twice or ends early"))
		}
		form.Set(name, string(value))
	}
}

// shownTrial is a trial in the words of the page.
func shownTrial(tried mail.Trial, d *Door) *triedMail {
	code := tried.To.Phone.Country()
	shown := &triedMail{Trial: tried, Country: code, Facts: country.About(code)}
	for _, made := range tried.Texts {
		shown.Texts = append(shown.Texts, shownText(made))
	}
	shown.Rulings = slices.Concat(
		rulingsOfSender(tried), rulingsOfFinding(tried), rulingsOfPhone(tried, d), rulingsOfText(tried),
	)
	return shown
}

func rulingsOfSender(tried mail.Trial) []ruling {
	came := ruling{"Message-Id", "this mail is new", "", false}
	if tried.Known != "" {
		came = ruling{"Message-Id", "this very mail came before, so it would change nothing now. " +
			"What follows is said of it as of a new one.", tried.Known, true}
	}
	proof := ruling{"Sender (sender.verify)", "", "", tried.Unproved != ""}
	switch by := tried.Tenant.Mails.Sender.Verify; {
	case tried.Unproved != "":
		proof.Said = "not proved: " + tried.Unproved
	case by == tenant.VerifyOff:
		proof.Said = "not asked for: sender.verify is off"
	case by == tenant.VerifyMailgun:
		proof.Said = "proved by what Mailgun found out about the mail"
	default:
		proof.Said = "proved by DKIM: " + tried.Finding.Sender
	}
	signed := "by no domain"
	if len(tried.Signers) > 0 {
		signed = strings.Join(tried.Signers, ", ")
	}
	return []ruling{came, proof, {"Signed by", signed, "", false}}
}

func rulingsOfFinding(tried mail.Trial) []ruling {
	f := tried.Finding
	kind := ruling{"Kind of mail", f.Kind, "", false}
	if f.Provider != "" {
		kind.Said += ", of " + f.Provider
	}
	has := ruling{"Link or code", "one link", "", false}
	switch {
	case f.Link == "" && f.Code == "":
		has.Said, has.Against = "neither: "+f.Reason, true
	case f.Link == "":
		has.Said = "a code"
	case f.Code != "":
		has.Said = "one link, and a code"
	}
	if f.NeedsPerson {
		has.Said += "; a click alone cannot do what the mail is about"
	}
	return []ruling{kind, has}
}

// rulingsOfPhone are about the number and its country.
func rulingsOfPhone(tried mail.Trial, d *Door) []ruling {
	t, phone := tried.Tenant, tried.To.Phone
	number := ruling{"Number and country (countries)", "allowed: " + phone.Country(), "", false}
	if err := t.Check(phone, d.Now()); err != nil {
		number.Said, number.Against = err.Error(), true
	}
	if _, test := t.Test(phone, d.Now()); test {
		number.Said = "a test number, which is never texted (test_numbers)"
	}
	all := []ruling{number}
	for _, use := range []tenant.Use{tenant.ForQuestion, tenant.ForLink, tenant.ForCode} {
		all = append(all, rulingOfWay(t, phone, use))
	}
	opted := ruling{"Opt-outs", "none holds for this sender", "", tried.OptedOut}
	if tried.OptedOut {
		opted.Said = "this phone wants no texts from this sender"
	}
	return append(all, opted)
}

// rulingOfWay says how a text for a use would go. What the mail does not need is against nothing.
func rulingOfWay(t *tenant.Tenant, phone phonemail.Number, use tenant.Use) ruling {
	way := t.Way(phone, use)
	r := ruling{"A " + string(use) + " there", "from " + way.Line.Sender, "", false}
	if way.Answer != "" {
		r.Said += ", answered by " + string(way.Answer)
	}
	if way.Refusal != "" {
		r.Said = "not possible: " + way.Refusal
	}
	return r
}

func rulingsOfText(tried mail.Trial) []ruling {
	limits := ruling{"Limits and holds", "let it pass", "", false}
	if len(tried.Texts) == 0 {
		limits.Said = "are not asked: there is no text"
	}
	for _, made := range tried.Texts {
		if made.State == text.Suppressed && strings.HasPrefix(made.Reason, "limit: ") {
			limits.Said, limits.Against = strings.TrimPrefix(made.Reason, "limit: "), true
		}
	}
	v := tried.Verdict
	said := map[mail.Did]string{
		mail.Asking: "the phone is asked", mail.Relaying: "the phone is told what the mail carries",
		mail.Joining: "the phone is being asked about the same already, so there is no other text",
	}[v.Did]
	end := ruling{"So", said, "", false}
	switch {
	case v.Did == mail.Joining:
		end.Case = v.Case
	case v.Did == mail.Refusing:
		end = ruling{"So", "nothing is done: " + v.Reason, "", true}
	case len(tried.Texts) > 0 && tried.Texts[0].State == text.Suppressed:
		end.Said, end.Against = "its text is not sent: "+tried.Texts[0].Reason, true
	}
	if tried.Unproved != "" {
		end.Said, end.Against = "nothing is done: the sender is not proved. Else: "+end.Said, true
	}
	return []ruling{limits, end}
}
