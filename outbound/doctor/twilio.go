package doctor

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"smsbridge/internal/health"
	"smsbridge/internal/tenant"
)

// twilio looks whether the credentials are right, and whether replies are posted to the bridge.
func (d Doctor) twilio(ctx context.Context, t *tenant.Tenant) []Line {
	s := t.Sending
	if s.Twilio.AccountSID == "" {
		return nil
	}
	a, err := askTwilio(ctx, t, s.Twilio.APIBase+"/2010-04-01/Accounts/"+s.Twilio.AccountSID+".json")
	var account struct {
		Status string `json:"status"`
	}
	switch {
	case err != nil || a.busy():
		return []Line{line(Error, health.ProviderSlow, t.Slug, "Twilio's API does not respond.", "")}
	case a.status == http.StatusUnauthorized:
		return []Line{line(Error, health.TwilioAuth, t.Slug, "Twilio refuses the credentials.", "")}
	case a.status != http.StatusOK || !a.read(&account):
		return []Line{line(Error, health.TwilioAuth, t.Slug, "Twilio does not know the account.", "")}
	case account.Status != "active":
		return []Line{line(Error, health.TwilioAuth, t.Slug, "The account at Twilio is not active.",
			"Look in Twilio's console why it is suspended or closed.")}
	}
	right := line(OK, health.TwilioAuth, t.Slug, "Twilio takes the credentials.", "")
	switch {
	case tenant.IsService(s.Twilio.From):
		return []Line{right, d.twilioService(ctx, t)}
	case strings.HasPrefix(s.Twilio.From, "+"):
		return []Line{right, d.twilioNumber(ctx, t)}
	}
	return []Line{right}
}

func askTwilio(ctx context.Context, t *tenant.Tenant, address string) (answer, error) {
	return get(ctx, address, t.Sending.Twilio.AccountSID, t.Sending.Twilio.AuthToken.Reveal())
}

// twilioNumber looks at the webhook of the number from which the tenant texts.
//
// Source: https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
func (d Doctor) twilioNumber(ctx context.Context, t *tenant.Tenant) Line {
	s := t.Sending.Twilio
	a, err := askTwilio(ctx, t, s.APIBase+"/2010-04-01/Accounts/"+s.AccountSID+
		"/IncomingPhoneNumbers.json?"+url.Values{"PhoneNumber": {s.From}}.Encode())
	type number struct {
		PhoneNumber string `json:"phone_number"`
		URL         string `json:"sms_url"`
		Method      string `json:"sms_method"`
		Application string `json:"sms_application_sid"`
	}
	var found struct {
		Numbers []number `json:"incoming_phone_numbers"`
	}
	if err != nil || a.status != http.StatusOK || !a.read(&found) {
		return line(Warning, TwilioURL, t.Slug, "Twilio does not say where replies are posted.",
			"Try again later; deploy/PROVIDERS.md says what to enter.")
	}
	// Twilio finds numbers by a part, too.
	i := slices.IndexFunc(found.Numbers, func(n number) bool { return n.PhoneNumber == s.From })
	switch {
	case i < 0:
		return line(Error, TwilioURL, t.Slug, "The account does not own the number of TWILIO_FROM.",
			"Correct TWILIO_FROM (twilio.from), or the account: a subaccount has numbers of its own.")
	case found.Numbers[i].Application != "":
		return line(Error, TwilioURL, t.Slug,
			"A TwiML app handles the number's texts, and its webhook is not used.",
			"Take the app out of the number's messaging configuration.")
	}
	return d.judgeReplyURL(t, found.Numbers[i].URL, found.Numbers[i].Method)
}

// twilioService looks at the webhook of the Messaging Service from which the tenant texts.
//
// Source: https://www.twilio.com/docs/messaging/api/service-resource
func (d Doctor) twilioService(ctx context.Context, t *tenant.Tenant) Line {
	s := t.Sending.Twilio
	// The API of services is beside that of messages, at every region.
	base := strings.Replace(s.APIBase, "https://api.", "https://messaging.", 1)
	a, err := askTwilio(ctx, t, base+"/v1/Services/"+s.From)
	var service struct {
		URL      string `json:"inbound_request_url"`
		Method   string `json:"inbound_method"`
		OfNumber bool   `json:"use_inbound_webhook_on_number"`
	}
	switch {
	case err == nil && a.status == http.StatusNotFound:
		return line(Error, TwilioURL, t.Slug, "The account has no Messaging Service of TWILIO_FROM.",
			"Correct TWILIO_FROM (twilio.from), or the account: a subaccount has services of its own.")
	case err != nil || a.status != http.StatusOK || !a.read(&service):
		return line(Warning, TwilioURL, t.Slug, "Twilio does not say where replies are posted.",
			"Try again later; deploy/PROVIDERS.md says what to enter.")
	case service.OfNumber:
		return line(Warning, TwilioURL, t.Slug,
			"The Messaging Service defers to the webhook of each of its numbers.",
			"Enter "+d.replyURL(t)+" at each of them, or at the service.")
	}
	return d.judgeReplyURL(t, service.URL, service.Method)
}

// replyURL is what is to be entered at Twilio.
func (d Doctor) replyURL(t *tenant.Tenant) string {
	return d.Settings.ReplyURL(t.Slug) + "#rc=4&rp=all&ct=2000&rt=3000&tt=15000"
}

// judgeReplyURL looks at where replies are posted, and whether Twilio tries again.
func (d Doctor) judgeReplyURL(t *tenant.Tenant, entered, method string) Line {
	address, fragment, _ := strings.Cut(entered, "#")
	overrides, err := url.ParseQuery(fragment)
	remedy := "Enter " + d.replyURL(t) + " there, with HTTP POST."
	switch {
	case address != d.Settings.ReplyURL(t.Slug):
		return line(Error, TwilioURL, t.Slug, "Twilio does not post replies to the bridge.", remedy)
	case method != http.MethodPost:
		return line(Error, TwilioURL, t.Slug, "Twilio sends replies with GET.", remedy)
	case err != nil || !overrides.Has("rc") || overrides.Get("rp") != "all":
		return line(Warning, TwilioURL, t.Slug,
			"Twilio does not try again when the bridge does not take a reply.", remedy)
	}
	return line(OK, TwilioURL, t.Slug, "Twilio posts replies to the bridge.", "")
}
