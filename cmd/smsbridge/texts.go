package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"smsbridge/internal/segment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

// The helps are in textsHelps, since a tag cannot be broken into lines.
type textsCommand struct {
	Config   string `help:"${texts_config}" short:"c" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	Tenant   string `help:"${texts_tenant}" placeholder:"SLUG"`
	Language string `help:"${texts_language}" placeholder:"TAG"`
	JSON     bool   `help:"${texts_json}" name:"json"`
}

// textsHelps returns the helps of the flags, by the names that their tags have.
func textsHelps() kong.Vars {
	return kong.Vars{
		"texts_config":   "The file with the settings, as serve has it.",
		"texts_tenant":   "Only this tenant.",
		"texts_language": "Only this language. Without it, those in which the tenant is likely to text.",
		"texts_json":     "One JSON object a line.",
	}
}

// Help is shown by smsbridge texts --help.
func (textsCommand) Help() string {
	return "Every text is filled as a phone would get it, with a sample code and link.\n\n" +
		"  $ smsbridge texts --language da"
}

// saidText is one text as the command shows it.
type saidText struct {
	Tenant   string `json:"tenant"`
	Language string `json:"language"`
	Name     string `json:"name"`
	Encoding string `json:"encoding"`
	Segments int    `json:"segments"`
	Text     string `json:"text"`
}

// Run prints the texts.
func (c textsCommand) Run(ctx context.Context, w world) error {
	settings, err := serveCommand{Config: c.Config}.load(ctx, w.environ)
	if err != nil {
		return err
	}
	language := ""
	if c.Language != "" {
		found, ok := wording.Match(c.Language)
		if !ok {
			return mistake{c.Language + " is no language of the texts",
				"write one of " + strings.Join(wording.Languages(), ", ")}
		}
		language = found
	}
	tenants := settings.Tenants.All()
	if c.Tenant != "" {
		one, ok := settings.Tenants.Tenant(c.Tenant)
		if !ok {
			return mistake{"no tenant has the slug " + c.Tenant, "write the slug of the settings"}
		}
		tenants = []*tenant.Tenant{one}
	}
	for _, t := range tenants {
		languages := t.Languages()
		if language != "" {
			languages = []string{language}
		}
		for _, language := range languages {
			if err := c.print(w.stdout, t, language); err != nil {
				return err
			}
		}
	}
	return nil
}

// print prints the texts of a tenant in a language.
func (c textsCommand) print(out io.Writer, t *tenant.Tenant, language string) error {
	texts := map[string]string{"code": t.CodeText("482148", language)}
	names := []string{}
	for _, s := range wording.Sayings() {
		names = append(names, string(s))
		texts[string(s)] = t.Say(language, s, t.Sample(language))
	}
	for _, name := range append(names, "code") {
		measured := segment.Measure(texts[name])
		said := saidText{t.Slug, language, name, "UCS-2", measured.Segments, texts[name]}
		if measured.GSM {
			said.Encoding = "GSM-7"
		}
		if c.JSON {
			encoder := json.NewEncoder(out)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(said); err != nil {
				return err
			}
			continue
		}
		_, err := fmt.Fprintf(out, "%s %s %s: %d %s\n  %s\n", said.Tenant, said.Language, said.Name,
			said.Segments, said.Encoding, strings.ReplaceAll(said.Text, "\n", "\n  "))
		if err != nil {
			return err
		}
	}
	return nil
}
