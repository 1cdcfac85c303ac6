package tenant

import (
	"regexp"
	"slices"
	"strings"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// Twilio's client library refuses credentials that are not alphanumeric before it asks Twilio
// (errors 21222 and 21224).
var (
	accountSID = regexp.MustCompile(`^AC[0-9a-zA-Z]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-zA-Z]{32}$`)
	verifySID  = regexp.MustCompile(`^VA[0-9a-zA-Z]{32}$`)
	authToken  = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
	uniqueName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
)

const (
	maxTags = 10  // https://www.twilio.com/docs/verify/api/verification (Tags)
	maxTag  = 128 // characters

	hintWhsec     = `make one with: echo "whsec_$(openssl rand -base64 32)"`
	hintTwilio    = "it is on the first page of Twilio's console"
	hintFlowroute = "it is at Flowroute under API Control"
)

// senderSections are about who sends a tenant's texts.
func senderSections() []section {
	return []section{
		{"Who sends", "", []option{providersOption()}},
		{"Twilio", "Only a provider that is asked needs its settings.", twilioOptions()},
		{"Twilio Verify", "Twilio Verify, in the same account, texts the codes that an app asks " +
			"for, in its own wording and from its own numbers. How a verification ended is " +
			"reported to it; its Fraud Guard learns from that.", verifyOptions()},
		{"Flowroute", "Flowroute Messaging sends when Twilio certainly did not, or alone when the " +
			"settings of Twilio are left out. PROVIDERS.md says which URL its number must have.",
			flowrouteOptions()},
		{"A sender of your own", "The bridge posts {\"id\", \"to\", \"from\", \"text\", " +
			"\"expires_at\"} in JSON, signed as standardwebhooks.com says. 2xx: it will be sent. " +
			"The response may say what it costs, as {\"price\": 0.05, \"currency\": \"USD\", " +
			"\"segments\": 1}. " +
			"4xx: it will not; the response may say why, as {\"result\": \"invalid_number\"}. " +
			"425, 429: not now; it is asked again after the time of Retry-After, a minute at most. " +
			"After 408 and anything else the bridge asks again with the same id, which must not be " +
			"sent twice.", webhookOptions()},
	}
}

func providersOption() option {
	return option{Row: row{
		Key: "providers", Variable: "SMSBRIDGE_PROVIDERS", Kind: settings.List,
		Example: "verify,twilio,flowroute",
		Doc: "Who is asked to send a text, in this order: twilio, flowroute, webhook, and verify, " +
			"which sends only codes. When one certainly did not send it, the next is asked. " +
			"A phone that opted out, a number that does not exist and one that the provider blocks " +
			"are not tried again. Left out: all that are set up, in the order verify, twilio, flowroute, " +
			"webhook.",
		Prevents: "A provider that you pay for as a reserve sends nothing when it is not listed.",
	}, Set: func(t *Tenant, v []string) *settings.Mistake {
		var all []Provider
		for _, name := range v {
			p := Provider(name)
			m := settings.JudgeChoice(p, ByTwilio, ByVerify, ByFlowroute, ByWebhook)
			if m != nil {
				return m
			}
			if slices.Contains(all, p) {
				return settings.Wrong("has "+name+" twice", "each is asked once")
			}
			all = append(all, p)
		}
		t.Sending.Providers = all
		return nil
	},
	}
}

func twilioOptions() []option {
	return []option{
		{Row: row{
			Key: "twilio.account_sid", Variable: "TWILIO_ACCOUNT_SID", Need: settings.Usual,
			Missing: hintTwilio, Example: "AC00000000000000000000000000000001",
			Doc: "The account, or subaccount, that owns the sender (twilio_sid in the " +
				"original). Required for Twilio.",
			Prevents: "The sender of another account cannot be used.",
		}, Set: settings.Pattern(accountSID,
			settings.Wrong("is not an account SID", "it is AC and 32 letters and digits"),
			func(t *Tenant) *string { return &t.Sending.Twilio.AccountSID })},
		{Row: row{
			Key: "twilio.auth_token", Variable: "TWILIO_AUTH_TOKEN", Kind: settings.SecretOne,
			Need: settings.Usual, Missing: hintTwilio, Shared: true,
			Doc: "The account's auth token, and not an API key's secret (twilio_key in the " +
				"original). Required for Twilio.",
			Prevents: "It also proves that a reply is Twilio's: with another one, every reply is refused.",
		}, Set: setAuthToken},
		{Row: row{
			Key: "twilio.from", Variable: "TWILIO_FROM", Need: settings.Usual,
			Missing: "write the number (+…) or the Messaging Service (MG…) to text from",
			Example: "+15005550006",
			Doc: "The sender: a number that can receive texts, or the SID of a Messaging Service " +
				"(MG…); twilio_number in the original. Required for Twilio.",
			Prevents: "People cannot reply to a name: it is refused, except with {answer=tap}.",
		}, Set: setSender},
		{Row: row{
			Key: "twilio.senders", Kind: settings.Named,
			Example: "SE=+46700000000,NO=MG00000000000000000000000000000001",
			Doc: "Other senders for the phones of some countries. Their replies must come to the " +
				"same reply URL.",
			Prevents: "Some countries drop texts from foreign numbers.",
		}, Set: settings.Pairs(func(t *Tenant) *map[string]string { return &t.Sending.Senders },
			judgeSenderOf)},
		{Row: row{
			Key: "twilio.links_from", Variable: "TWILIO_LINKS_FROM", Example: "ACME",
			Doc: "Another sender for texts with a link and for codes: a number, a Messaging Service " +
				"or a name. Left out: the sender of questions. It must be in the same account, and the " +
				"replies to a number must come to the same reply URL.",
			Prevents: "Some countries take links and names only from a sender that is registered for " +
				"them, and replies only at a number.",
		}, Set: setLinksFrom},
		{Row: row{
			Key: "twilio.links_senders", Kind: settings.Named, Example: "DK=ACME,ES=ACME",
			Doc: "Other senders of links and codes for the phones of some countries; else " +
				"{twilio.links_from}.",
			Prevents: "A name that is registered in one country is blocked in the next.",
		}, Set: settings.Pairs(func(t *Tenant) *map[string]string { return &t.Sending.LinksSenders },
			judgeSenderOf)},
		{Row: row{
			Key: "twilio.api_base", Variable: "TWILIO_API_BASE", Default: "https://api.twilio.com",
			Doc:      "Twilio's API. Another one is only for a proxy or a simulator in Twilio's place.",
			Prevents: "The operator of that host reads every text and has the auth token.",
		}, Set: settings.BaseURL(func(t *Tenant) *string { return &t.Sending.Twilio.APIBase })},
	}
}

func setAuthToken(t *Tenant, v []string) *settings.Mistake {
	if !authToken.MatchString(v[0]) {
		return settings.Wrong("is not an auth token", "copy the whole of it, without quotes around "+
			"it: it is 32 letters and digits, of the letters only a to f")
	}
	t.Sending.Twilio.AuthToken = settings.NewSecret(v[0])
	return nil
}

func setSender(t *Tenant, v []string) *settings.Mistake {
	if m := judgeSender(v[0]); m != nil {
		return m
	}
	t.Sending.Twilio.From = v[0]
	return nil
}

func setLinksFrom(t *Tenant, v []string) *settings.Mistake {
	if m := judgeSender(v[0]); m != nil {
		return m
	}
	t.Sending.Twilio.LinksFrom = v[0]
	return nil
}

func judgeSenderOf(country, sender string) *settings.Mistake {
	if country != strings.ToUpper(country) || !phonemail.IsCountry(country) {
		return settings.Wrong("has something that is not a country", countryHint(country))
	}
	return judgeSender(sender)
}

func verifyOptions() []option {
	limits := []string{"phone", "country"}
	return []option{
		{Row: row{
			Key: "twilio_verify.service_sid", Variable: "TWILIO_VERIFY_SERVICE_SID",
			Missing: "it is in Twilio's console under Verify",
			Example: "VA00000000000000000000000000000001",
			Doc:     "The service. It must allow custom codes, except with {twilio_verify.code=verify}.",
			Prevents: "A service that does not allow custom codes refuses every code of the " +
				"bridge.",
		}, Set: settings.Pattern(verifySID,
			settings.Wrong("is not the SID of a Verify service", "it is VA and 32 letters and digits"),
			func(t *Tenant) *string { return &t.Sending.VerifyService.SID })},
		{Row: row{
			Key: "twilio_verify.code", Default: "bridge",
			Doc: "Whose code it is. bridge: drawn and compared here. verify: drawn and compared by " +
				"Verify, for 10 minutes and 5 attempts at most.",
			Prevents: "With verify, no other provider can send the code when Verify does not.",
		}, Set: func(t *Tenant, v []string) *settings.Mistake {
			m := settings.JudgeChoice(v[0], "bridge", "verify")
			if m == nil {
				t.Sending.VerifyService.OwnCode = v[0] == "verify"
			}
			return m
		}},
		{Row: row{
			Key: "twilio_verify.rate_limits", Kind: settings.Named, Example: "per_phone=phone",
			Doc: "Rate limits of the service by their unique names, with what each counts: phone or " +
				"country.",
			Prevents: "A limit that is not named here is not counted.",
		}, Set: settings.Pairs(
			func(t *Tenant) *map[string]string { return &t.Sending.VerifyService.RateLimits },
			func(name, counted string) *settings.Mistake {
				if !uniqueName.MatchString(name) {
					return settings.Wrong("has something that is not the unique name of a rate limit",
						"use the name that it has at Twilio")
				}
				return settings.JudgeChoice(counted, limits...)
			})},
		{Row: row{
			Key: "twilio_verify.tags", Kind: settings.Named, Example: "app=web",
			Doc:      "Tags for Twilio's reports, at most ten.",
			Prevents: "Without tags, the reports do not tell your apps apart.",
		}, Set: setTags},
		{Row: row{
			Key: "twilio_verify.api_base", Variable: "TWILIO_VERIFY_BASE",
			Default:  "https://verify.twilio.com",
			Doc:      "Verify's API. Another one is only for a proxy or a simulator in its place.",
			Prevents: "The operator of that host reads every code and has the auth token.",
		}, Set: settings.BaseURL(func(t *Tenant) *string { return &t.Sending.VerifyService.APIBase })},
	}
}

func setTags(t *Tenant, v []string) *settings.Mistake {
	if len(v) > maxTags {
		return settings.Wrong("has more than ten tags", "Twilio takes ten")
	}
	return settings.Pairs(func(t *Tenant) *map[string]string { return &t.Sending.VerifyService.Tags },
		func(name, tag string) *settings.Mistake {
			if len(name) > maxTag || len(tag) > maxTag {
				return settings.Wrong("has a name or a value of more than 128 characters", "shorten it")
			}
			return nil
		})(t, v)
}

func flowrouteOptions() []option {
	return []option{
		{Row: row{
			Key: "flowroute.access_key", Variable: "FLOWROUTE_ACCESS_KEY", Example: "12345678",
			Missing:  hintFlowroute,
			Doc:      "The access key of the account.",
			Prevents: "A key of another account cannot send from your number.",
		}, Set: setAccessKey},
		{Row: row{
			Key: "flowroute.secret_key", Variable: "FLOWROUTE_SECRET_KEY", Kind: settings.SecretOne,
			Missing: hintFlowroute, Shared: true,
			Doc: "The secret key of the account.",
			Prevents: "The addresses of the webhooks follow from it. Enter them at Flowroute again " +
				"when you change it, or no reply arrives.",
		}, Set: settings.Key(func(t *Tenant) *settings.Secret { return &t.Sending.Flowroute.SecretKey })},
		{Row: row{
			Key: "flowroute.number", Variable: "FLOWROUTE_NUMBER", Example: "+12065550101",
			Missing:  "write the number to text from, such as +12065550101",
			Doc:      "The sender, with or without the plus.",
			Prevents: "Two tenants with one number and different senders at Twilio cannot be told apart.",
		}, Set: setFlowrouteNumber(func(t *Tenant) *string { return &t.Sending.Flowroute.Number })},
		{Row: row{
			Key: "flowroute.links_number", Variable: "FLOWROUTE_LINKS_NUMBER", Example: "+12065550102",
			Doc:      "Another number for texts with a link and for codes. Left out: {flowroute.number}.",
			Prevents: "A campaign that is registered without links must not text any.",
		}, Set: setFlowrouteNumber(func(t *Tenant) *string { return &t.Sending.Flowroute.LinksNumber })},
		{Row: row{
			Key: "flowroute.api_base", Variable: "FLOWROUTE_API_BASE",
			Default:  "https://api.flowroute.com",
			Doc:      "Flowroute's API. Another one is only for a proxy or a simulator in its place.",
			Prevents: "The operator of that host reads every text and has the secret key.",
		}, Set: settings.BaseURL(func(t *Tenant) *string { return &t.Sending.Flowroute.APIBase })},
		{Row: row{
			Key: "flowroute.version", Default: "v2.1",
			Doc:      "The version of the Messaging API: v2.1 or v2.2.",
			Prevents: "An account that has only one of them gets no text out with the other.",
		}, Set: settings.Choice(func(t *Tenant) *string { return &t.Sending.Flowroute.Version }, "v2.1",
			"v2.2")},
	}
}

func setAccessKey(t *Tenant, v []string) *settings.Mistake {
	m := settings.JudgeKey(v[0])
	if m == nil {
		t.Sending.Flowroute.AccessKey = v[0]
	}
	return m
}

func setFlowrouteNumber(of func(*Tenant) *string) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		// The original service took the number as Flowroute shows it, without the plus.
		number := "+" + strings.TrimPrefix(v[0], "+")
		if _, err := phonemail.ParseNumber(number); err != nil {
			return settings.Wrong("is not a number in international form",
				"write + and digits only, such as +12065550101")
		}
		*of(t) = number
		return nil
	}
}

func webhookOptions() []option {
	return []option{
		{Row: row{
			Key: "webhook.url", Example: "https://sms.acme.example/send",
			Missing:  "write the https address of the sender",
			Doc:      "The address of the sender.",
			Prevents: "Over plain http, everyone on the way could read every text.",
		}, Set: setWebhookURL},
		{Row: row{
			Key: "webhook.secret", Kind: settings.Secrets,
			Missing: hintWhsec, Shared: true,
			Doc: "What signs the requests: whsec_ and 24 to 64 bytes in base64, such as from " +
				"`echo \"whsec_$(openssl rand -base64 32)\"`. Several while you change it.",
			Prevents: "Without it, anyone could have your sender send texts.",
		}, Set: settings.Keys(func(t *Tenant) *[]settings.Secret { return &t.Sending.Webhook.Secrets },
			judgeWhsec)},
	}
}

// setWebhookURL takes what a base URL may be, and keeps a slash at the end: nothing is added to it,
// and a framework that wants the slash takes no POST without it.
func setWebhookURL(t *Tenant, v []string) *settings.Mistake {
	address, m := settings.ParseBaseURL(v[0])
	if m != nil {
		return m
	}
	if strings.HasSuffix(v[0], "/") {
		address += "/"
	}
	t.Sending.Webhook.URL = address
	return nil
}

func judgeWhsec(secret string) *settings.Mistake {
	if _, ok := callbackKey(secret); !ok {
		return settings.Wrong("is not whsec_ and 24 to 64 bytes in base64", hintWhsec)
	}
	return nil
}
