package tenant

import (
	"errors"
	"strings"

	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
	"smsbridge/linkclick/linkpath"
)

// mailgunOptions are about the tenant's account at Mailgun.
func mailgunOptions() []option {
	return []option{
		{Row: row{
			Key: "mailgun.api_key", Variable: "MAILGUN_API_KEY", Kind: settings.SecretOne,
			Need: settings.Required, Missing: "it is at Mailgun under API Security",
			Shared:   true,
			Doc:      "A private API key of the account (mailgun_key in the original).",
			Prevents: "Without it, stored mails can neither be fetched nor deleted.",
		}, Set: settings.Key(func(t *Tenant) *settings.Secret { return &t.Mails.Mailgun.APIKey })},
		{Row: row{
			Key: "mailgun.signing_key", Variable: "MAILGUN_WEBHOOK_SIGNING_KEY", Kind: settings.Secrets,
			Need: settings.Required, Missing: "it is at Mailgun under API Security: HTTP webhook signing " +
				"key",
			Shared: true,
			Doc: "The HTTP webhook signing key. A new account has one key for this and for the API: " +
				"make a new API key there. Two while you change it: the new one and the old one.",
			Prevents: "It proves that a mail came through Mailgun. With a wrong one, every mail is refused.",
		}, Set: settings.Keys(func(t *Tenant) *[]settings.Secret { return &t.Mails.Mailgun.SigningKeys },
			settings.JudgeKey)},
		{Row: row{
			Key: "mailgun.api_base", Variable: "MAILGUN_API_BASE", Default: "https://api.mailgun.net",
			Doc: "Mailgun's API, with or without /v3. For a domain in the EU region: " +
				"https://api.eu.mailgun.net.",
			Prevents: "The wrong region does not know the account, and refuses its key.",
		}, Set: setMailgunBase},
		{Row: row{
			Key: "mailgun.storage_hosts", Variable: "MAILGUN_STORAGE_HOSTS", Kind: settings.List,
			Example: "storage.mail-archive.example",
			Doc:     "More hosts that stored mails may be fetched from, besides Mailgun's own.",
			Prevents: "The address of a stored mail is not signed. To any other host, the bridge would " +
				"give its API key away.",
		}, Set: settings.Hosts(func(t *Tenant) *[]string { return &t.Mails.Mailgun.StorageHosts })},
	}
}

func setMailgunBase(t *Tenant, v []string) *settings.Mistake {
	base := strings.TrimSuffix(strings.TrimSuffix(v[0], "/"), "/v3")
	return settings.BaseURL(func(t *Tenant) *string { return &t.Mails.Mailgun.APIBase })(t,
		[]string{base})
}

// linkOptions say how links are found and redeemed where their shape does not say it.
func linkOptions() []option {
	return []option{
		{Row: row{
			Key: "links.paths", Variable: "SMSBRIDGE_LINK_PATHS", Kind: settings.List, Off: true,
			Example: "/account/confirm,/t/*/confirm",
			Doc: "Paths whose links may be used although their shape is unknown; * stands for any one " +
				"segment. A question mark ends a path and names the parameters, as in /confirm?token. " +
				"reset: or login: before a path says that its links are passed on, not opened. verify: " +
				"says that they only verify, so that a password in the mail's text holds none.",
			Prevents: "A link of an unknown shape is held and not opened: it might do anything.",
		}, Set: setPaths},
		{Row: row{
			Key: "links.wrappers", Variable: "SMSBRIDGE_LINK_WRAPPERS", Kind: settings.List, Off: true,
			Example: "email.acme.example",
			Doc: "Hosts of the mail provider's link tracking. Their links stand for one at " +
				"{idp_hosts}.",
			Prevents: "Without it, a link that the mail provider has wrapped is not found.",
		}, Set: judged(settings.Hosts(func(t *Tenant) *[]string { return &t.Links.Wrappers }),
			func(t *Tenant) *settings.Mistake { return judgeWrappers(t.Links.Wrappers) })},
		{Row: row{
			Key: "links.recipe", Variable: "SMSBRIDGE_LINK_RECIPE", Off: true, Example: "get",
			Doc: "How every link is redeemed: get, form, proceed, script, user, firebase, supertokens, " +
				"pocketbase, supabase, zitadel, kratos, authentik or jhipster.",
			Prevents: "A link that wants a form sent confirms nothing when it is only opened.",
		}, Set: settings.Text(func(t *Tenant) *string { return &t.Links.Recipe })},
		{Row: row{
			Key: "links.api", Variable: "SMSBRIDGE_LINK_API", Off: true,
			Example: "https://abc.supabase.co/auth/v1",
			Doc: "The identity provider's API, for the recipes that speak one. {links.recipe=supabase} " +
				"needs it. Left out, that of firebase is at Google, and others are at the link's host.",
			Prevents: "At another address the API does not know the link's token.",
		}, Set: settings.BaseURL(func(t *Tenant) *string { return &t.Links.API })},
		{Row: row{
			Key: "links.token", Variable: "SMSBRIDGE_LINK_TOKEN", Kind: settings.SecretOne, Off: true,
			Shared:   true,
			Doc:      "A bearer token for {links.api}, which only zitadel needs.",
			Prevents: "Without it, zitadel refuses to verify the address.",
		}, Set: settings.Key(func(t *Tenant) *settings.Secret { return &t.Links.Token })},
	}
}

func setPaths(t *Tenant, v []string) *settings.Mistake {
	for _, path := range v {
		_, err := linkpath.Parse(path)
		switch {
		case errors.Is(err, linkpath.ErrEvery):
			return settings.Wrong("has "+settings.Quote(path)+", a path that every link has",
				"write where verification links begin, such as /account/confirm; "+
					"smsbridge link shows the path of a mail's link")
		case errors.Is(err, linkpath.ErrNever):
			return settings.Wrong("has "+settings.Quote(path)+", and no link is opened that fits",
				"links are held whose path has letters beyond ASCII, ; or .., or whose parameters have "+
					"a name twice; write the part before that, or * for the segment, and / instead of %2F")
		case err != nil:
			return settings.Wrong("has "+settings.Quote(path)+", which is not a path",
				"write where links begin, such as /account/confirm; * stands for any one segment, "+
					"and one of verify:, reset: and login: may stand before it")
		}
	}
	t.Links.Paths = v
	return nil
}

// proofOptions are access to the identity provider's own API.
func proofOptions() []option {
	return []option{
		{Row: row{
			Key: "proof.kind", Variable: "SMSBRIDGE_PROOF", Example: "auth0",
			Doc:      "Whose API it is: auth0, keycloak or gotrue.",
			Prevents: "Without proof, some people hear that the bridge does not know whether it worked.",
		}, Set: settings.Choice(func(t *Tenant) *ProofKind { return &t.Proof.Kind },
			ProofAuth0, ProofKeycloak, ProofGoTrue)},
		{Row: row{
			Key: "proof.url", Variable: "SMSBRIDGE_PROOF_URL", Example: "https://acme.eu.auth0.com",
			Doc: "Auth0: the tenant's address. Keycloak: the realm's, as in " +
				"https://id.acme.example/realms/acme. GoTrue: the API's.",
			Prevents: "At another address the question is refused, and the outcome stays unknown.",
		}, Set: settings.BaseURL(func(t *Tenant) *string { return &t.Proof.URL })},
		{Row: row{
			Key: "proof.client_id", Variable: "SMSBRIDGE_PROOF_CLIENT_ID", Example: "bridge",
			Doc: "A client that may read users: Auth0's scope read:users, Keycloak's role view-users. " +
				"GoTrue needs none.",
			Prevents: "A client that may do more is worth more to a thief.",
		}, Set: settings.Text(func(t *Tenant) *string { return &t.Proof.ClientID })},
		{Row: row{
			Key: "proof.secret", Variable: "SMSBRIDGE_PROOF_SECRET", Kind: settings.SecretOne,
			Shared:   true,
			Doc:      "The client's secret, or GoTrue's service key.",
			Prevents: "With a wrong one, the API refuses, and the outcome stays unknown.",
		}, Set: settings.Key(func(t *Tenant) *settings.Secret { return &t.Proof.Secret })},
	}
}

// languageOptions are about the languages of texts and pages.
func languageOptions() []option {
	return []option{
		{Row: row{
			Key: "language", Variable: "SMSBRIDGE_LANGUAGE", Default: wording.English,
			Doc: "The language of texts and pages where nothing tells a person's own: neither the app, " +
				"nor the mail, nor the country of the number. The wording under texts is in it. " +
				"`smsbridge texts --language xx` names the languages that there are.",
			Prevents: "People who do not understand a question do not answer it.",
		}, Set: settings.Choice(func(t *Tenant) *string { return &t.Language },
			wording.Languages()...)},
		{Row: row{
			Key: "language_pinned", Variable: "SMSBRIDGE_LANGUAGE_PINNED", Default: "false",
			Doc: "Whether every phone is texted in {language}, whatever the app, the mail or the " +
				"country say. Replies are understood in every language all the same.",
			Prevents: "Without it, a support desk that reads one language gets questions about others.",
		}, Set: settings.Switch(func(t *Tenant) *bool { return &t.LanguagePinned })},
		{Row: row{
			Key: "long_texts", Variable: "SMSBRIDGE_LONG_TEXTS", Default: "false",
			Doc: "Whether a text may take two segments where the shipped one takes one. " +
				"`smsbridge texts` shows what each takes.",
			Prevents: "Without this check, a long name or one curly quote doubles the cost of every text.",
		}, Set: settings.Switch(func(t *Tenant) *bool { return &t.LongTexts })},
		{Row: row{
			Key: "wordings", Kind: settings.Named,
			Example: "sv.wrong={{.Name}}: svara {{.Answer}} eller {{.Denial}}.",
			Doc: "Your own texts in languages other than {language}: the language, a dot, and the name " +
				"of the text. `smsbridge texts` lists the names.",
			Prevents: "A text that is yours in one language only reads as another company's in the rest.",
		}, Set: setWordings},
	}
}

// setWordings takes a tenant's own texts in other languages.
func setWordings(t *Tenant, v []string) *settings.Mistake {
	all := map[string]wording.Texts{}
	for _, item := range v {
		name, words, _ := strings.Cut(item, "=")
		language, s, ok := splitWording(name)
		if !ok {
			return settings.Wrong("has "+settings.Quote(name)+", which is no text of a language",
				"write it as sv.ask_registration; smsbridge texts lists the languages and the names")
		}
		text, fault := wording.ParseSaying(words)
		if fault != nil {
			return mistake(fault)
		}
		if all[language] == nil {
			all[language] = wording.Texts{}
		}
		all[language][s] = text
	}
	t.textsBy = all
	return nil
}

// textOptions are the tenant's wording.
func textOptions() []option {
	variable := map[wording.Saying]string{
		wording.AskRegistration:     "SMSBRIDGE_REGISTRATION_TEXT",
		wording.AskRegistrationCode: "SMSBRIDGE_REGISTRATION_CODE_TEXT",
		wording.AskPassword:         "SMSBRIDGE_PASSWORD_TEXT",
		wording.AskPasswordCode:     "SMSBRIDGE_PASSWORD_CODE_TEXT",
		wording.Wrong:               "SMSBRIDGE_WRONG_TEXT",
	}
	original := map[wording.Saying]string{
		wording.AskRegistration: " (reg_sms_body in the original)",
		wording.AskPassword:     " (pwd_sms_body in the original)",
		wording.Wrong:           " (wrong_sms_message in the original)",
	}
	var options []option
	for _, s := range wording.Sayings() {
		options = append(options, option{Row: row{
			Key: textKey(s), Variable: variable[s], Default: s.Shipped(wording.English),
			Doc: s.When() + original[s], Prevents: withoutText(s),
		}, Set: setText(s)})
	}
	return options
}

// withoutText says what comes of a text that people do not understand.
func withoutText(s wording.Saying) string {
	switch s {
	case wording.AskRegistration, wording.AskRegistrationCode,
		wording.AskPassword, wording.AskPasswordCode,
		wording.TapRegistration, wording.TapPassword,
		wording.BothRegistration, wording.BothRegistrationCode, wording.BothPassword:
		return "People who do not understand it confirm nothing, or what a stranger started."
	case wording.RelayVerify, wording.RelayReset, wording.RelayLogin:
		return "People who do not recognize the name take the link for a trick."
	}
	return "People who do not understand it start again, or ask your support."
}

// setText takes the tenant's own words for a saying.
func setText(s wording.Saying) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		if v[0] == s.Shipped(wording.English) {
			delete(t.texts, s)
			return nil
		}
		text, fault := wording.ParseSaying(v[0])
		if fault == nil {
			t.texts[s] = text
		}
		return mistake(fault)
	}
}

func textKey(s wording.Saying) string { return "texts." + string(s) }
