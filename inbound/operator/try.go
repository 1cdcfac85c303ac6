package operator

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/country"
	"smsbridge/internal/mail"
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
	Rulings []mail.Ruling
	Texts   []triedText
	Facts   []country.Fact
	Country string
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
	case errors.Is(err, mail.ErrBadID):
		return d.refuse(c, http.StatusUnprocessableEntity, "No bridge takes a mail with that Message-Id.",
			"Mailgun is told 406. The id is too long, or has bytes that are no text.", &v)
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
	shown := &triedMail{
		Trial: tried, Rulings: tried.Rulings(d.Now()), Country: code, Facts: country.About(code),
	}
	for _, made := range tried.Texts {
		shown.Texts = append(shown.Texts, shownText(made))
	}
	return shown
}
