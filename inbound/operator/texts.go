package operator

import (
	"slices"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/meter"
	"smsbridge/internal/segment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

// saidText is one text as a phone would get it.
type saidText struct {
	Name, Text, Encoding string
	Segments             int
}

// textsData is all that a tenant texts in a language.
type textsData struct {
	Texts            []saidText
	Tenant, Language string
	Languages        []string
}

// showTexts shows the texts of a tenant, filled with samples. It sends nothing.
func (d *Door) showTexts(c echo.Context, v visitor) error {
	t, known := d.Settings.Tenants.Tenant(c.QueryParam("tenant"))
	if !known {
		t = d.Settings.Tenants.All()[0]
	}
	data := textsData{Tenant: t.Slug, Languages: wording.Languages()}
	if data.Language = c.QueryParam("language"); !slices.Contains(data.Languages, data.Language) {
		data.Language = t.LanguageOf("")
	}
	for _, s := range wording.Sayings() {
		data.add(string(s), t.Say(data.Language, s, t.Sample(data.Language)))
	}
	data.add("code", t.CodeText(sampleCode, data.Language))
	return d.show(c, v, "texts", page{Title: "Texts", Current: "texts", Data: data})
}

// sampleCode stands for a code.
const sampleCode = "482148"

func (data *textsData) add(name, text string) {
	measured := segment.Measure(text)
	said := saidText{name, text, "UCS-2", measured.Segments}
	if measured.GSM {
		said.Encoding = "GSM-7"
	}
	data.Texts = append(data.Texts, said)
}

// aboutData is which bridge this is, and with which settings.
type aboutData struct {
	Version, Fingerprint string
	Settings             []tenant.WrittenBy // secrets are not among their values
	Warnings             []string
	Keys                 []meter.KeyUse // at this replica
}

func (d *Door) showAbout(c echo.Context, v visitor) error {
	s := d.Settings
	return d.show(c, v, "about", page{Title: "About this bridge", Current: "about", Now: d.Meter.Now(),
		Data: aboutData{d.Version, s.Fingerprint, tenant.WithoutTests(s.Written), s.Warnings,
			d.Meter.KeysUsed()}})
}
