package main

import (
	"cmp"
	"fmt"
	"strings"

	"smsbridge/internal/country"
	"smsbridge/internal/segment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

// Carriers of the US ask a campaign for samples like the texts that are sent. They must have the
// brand and the words that end consent. The texts for those who agree, ask for help, or stop are
// filed, too.
//
// Sources: https://developers.telnyx.com/docs/messaging/10dlc/campaign-use-cases and
// https://www.twilio.com/docs/api/errors/30540
const (
	wayOut     = " Reply STOP to opt out."
	sampleCode = "482193"
	sampleLink = "xJ3kQ9vLw2"
)

// campaign is what is filed for a 10DLC campaign.
type campaign struct {
	UseCase     string   `json:"use_case"`
	Description string   `json:"description"`
	Samples     []sample `json:"samples"`
	Links       bool     `json:"embedded_links"`
	OptIn       string   `json:"opt_in_message"`
	Help        string   `json:"help_message"`
	OptOut      string   `json:"opt_out_message"`
	OptOutWords string   `json:"opt_out_words"`
	Consent     string   `json:"consent"`
}

// sample is a text in the tenant's words, with what a sample must have and the text has not.
type sample struct {
	Text     string `json:"text"`
	Added    string `json:"added,omitempty"`
	Segments int    `json:"segments"`
}

// campaignOf is the campaign for a tenant's texts to the US.
func campaignOf(t *tenant.Tenant, contact string) *campaign {
	contact = cmp.Or(contact, "[your support address or number]")
	ask := t.WayTo("US", tenant.ForQuestion)
	links := t.WayTo("US", tenant.ForLink).Refusal == ""
	asks := t.Mails.Verify == tenant.Ask || t.Mails.Reset == tenant.Ask
	c := &campaign{
		UseCase: "2FA",
		Description: t.Name + " sends one-time codes to people who have just entered their phone " +
			"number to sign up, to sign in or to change a password at " + t.Name + ".",
		Links: links && (t.Mails.Reset == tenant.Relay || t.Mails.Login == tenant.Relay ||
			asks && ask.Answer != tenant.ByReply),
		OptIn: t.Name + ": you will get codes and questions about your account by text. Message " +
			"frequency varies. Message and data rates may apply. Reply HELP for help, STOP to opt out.",
		Help: t.Name + ": for help write to " + contact + ". Message and data rates may apply. " +
			"Reply STOP to opt out.",
		OptOut: t.Name + ": you are unsubscribed and will get no more texts. Reply START to get them " +
			"again.",
		OptOutWords: stopWords("US"),
		Consent: "By entering your phone number you agree to get texts from " + t.Name + " about your " +
			"account: one-time codes, and questions about what was started with your number. Message " +
			"frequency varies. Message and data rates may apply. Reply HELP for help and STOP to opt out. " +
			"Agreeing is no condition of a purchase.",
	}
	if asks {
		c.UseCase = "MIXED: 2FA and ACCOUNT_NOTIFICATION"
		c.Description += " It also asks them whether they have started this, and tells how it ended. " +
			"No text is advertising."
	}
	for _, text := range samples(t, ask, links, asks) {
		c.Samples = append(c.Samples, sampleOf(t, text))
	}
	return c
}

// stopWords are the words that end consent in a country.
func stopWords(code string) string {
	for _, f := range country.About(code) {
		if f.Topic == country.Stop {
			return f.Value
		}
	}
	return ""
}

// samples are texts as the tenant's phones in the US get them.
func samples(t *tenant.Tenant, ask tenant.Way, links, asks bool) (all []string) {
	language := t.LanguageIn("US")
	fill := wording.Fill{Code: "4821", Link: t.ShortURL(sampleLink), Life: t.Question.ValidFor}
	if asks {
		switch ask.Answer {
		case tenant.ByTap:
			all = append(all, t.Say(language, wording.TapRegistration, fill))
		case tenant.ByBoth:
			all = append(all, t.Say(language, wording.BothRegistration, fill))
		default:
			all = append(all, t.Say(language, wording.AskRegistration, fill))
		}
		all = append(all, t.Say(language, wording.ConfirmedRegistration, fill))
	}
	all = append(all, t.CodeText(sampleCode, cmp.Or(t.Codes.Locale, language)))
	if links && t.Mails.Reset == tenant.Relay {
		all = append(all, t.Say(language, wording.RelayReset, fill))
	}
	if links && t.Mails.Login == tenant.Relay {
		all = append(all, t.Say(language, wording.RelayLogin, fill))
	}
	return all
}

// sampleOf completes a sample: it must name the brand and the way out.
func sampleOf(t *tenant.Tenant, text string) sample {
	s := sample{Text: text}
	if !strings.Contains(strings.ToLower(text), strings.ToLower(t.Name)) {
		s.Text, s.Added = t.Name+": "+s.Text, t.Name+": …"
	}
	if !wording.HasWord(strings.ToUpper(text), "STOP") {
		s.Text += wayOut
		s.Added += wayOut
	}
	s.Added = strings.TrimSpace(s.Added)
	s.Segments = segment.Measure(s.Text).Segments
	return s
}

func (c campaign) text() string {
	var b strings.Builder
	b.WriteString("\nA 10DLC campaign, to paste into the provider's form:\n\n")
	line := func(name, value string) { fmt.Fprintf(&b, "%s\n  %s\n\n", name, value) }
	line("Use case", c.UseCase)
	line("Description", c.Description)
	for i, s := range c.Samples {
		line(fmt.Sprintf("Sample message %d", i+1), s.Text)
	}
	links := "no"
	if c.Links {
		links = "yes, of the host of the bridge"
	}
	line("Links in messages", links)
	line("Text to those who agree", c.OptIn)
	line("Text for HELP", c.Help)
	line("Text for STOP", c.OptOut)
	line("Words that end consent", c.OptOutWords)
	line("Consent, beside the field for the number in your sign-up form", c.Consent)
	added := false
	for _, s := range c.Samples {
		added = added || s.Added != ""
	}
	if added {
		b.WriteString("The samples end with the way out, which your texts do not have. Reviewers may " +
			"compare them: put it into the texts of the settings, or say that the first text has it.\n")
	}
	return b.String()
}
