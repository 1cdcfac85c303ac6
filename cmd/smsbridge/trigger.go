package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/tenant"
)

// triggerTime bounds a request of trigger, triggerMost a mail that it posts, and triggerShown what
// is shown of the response, in bytes.
const (
	triggerTime  = 30 * time.Second
	triggerMost  = 25 << 20
	triggerShown = 400
)

type triggerCommand struct {
	Mail    triggerMail    `cmd:"" help:"${trigger_mail}"`
	Reply   triggerReply   `cmd:"" help:"${trigger_reply}"`
	Receipt triggerReceipt `cmd:"" help:"${trigger_receipt}"`
	Log     triggerLog     `cmd:"" help:"${trigger_log}"`
}

// The helps are in triggerHelps, since a tag cannot be broken into lines.
type triggerFlags struct {
	Config   string            `help:"${bridge_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	Tenant   string            `help:"${trigger_tenant}" placeholder:"NAME"`
	To       string            `help:"${trigger_to}" placeholder:"http://127.0.0.1:8080"`
	Override map[string]string `help:"${trigger_override}" placeholder:"FIELD=VALUE"`
}

type triggerMail struct {
	Phone string `arg:"" help:"${trigger_phone}"`
	EML   string `help:"${trigger_eml}" name:"eml" placeholder:"FILE"`
	triggerFlags
}

type triggerReply struct {
	Phone string `arg:"" help:"${trigger_phone}"`
	Words string `arg:"" help:"${trigger_words}"`
	triggerFlags
}

type triggerReceipt struct {
	Text   string `arg:"" help:"${trigger_text}"`
	SID    string `arg:"" name:"sid" help:"${trigger_sid}"`
	Status string `arg:"" help:"${trigger_status}" enum:"sent,delivered,undelivered,failed"`
	Code   string `help:"${trigger_code}" placeholder:"30003"`
	triggerFlags
}

type triggerLog struct {
	Type  string `arg:"" help:"${trigger_type}"`
	Phone string `arg:"" help:"${trigger_phone}"`
	Token string `help:"${trigger_token}" env:"AUTH0_LOG_STREAM_TOKEN" placeholder:"TOKEN"`
	triggerFlags
}

// triggerHelps returns the helps of the commands, arguments and flags, by the names of their tags.
func triggerHelps() kong.Vars {
	return kong.Vars{
		"trigger":         "Post a signed webhook to a running bridge, as a provider would.",
		"trigger_mail":    "A mail, as Mailgun posts it.",
		"trigger_reply":   "A text from a phone, as Twilio posts it.",
		"trigger_receipt": "A report on a text, as Twilio posts it.",
		"trigger_log":     "A log event, as an Auth0 log stream posts it.",
		"trigger_phone":   "The phone, such as +4512345678. A test number texts and costs nothing.",
		"trigger_words":   "What the phone texts, such as YES.",
		"trigger_text":    "The bridge's id of the text, as smsbridge show lists it.",
		"trigger_sid":     "Twilio's id of the text (SM…).",
		"trigger_status":  "${enum}.",
		"trigger_code":    "Twilio's code of an error.",
		"trigger_type":    "The type of the log, such as gd_auth_succeed.",
		"trigger_token":   "The token of the log stream.",
		"trigger_eml":     "Post this mail. Without it, a mail with a link to the identity provider.",
		"trigger_tenant":  "For which tenant; needed when there are several.",
		"trigger_to": "Where the bridge answers, when that is not its public URL. The signature is for " +
			"the public URL all the same, as behind a proxy.",
		"trigger_override": "Post this field instead, such as Body=STOP or sender=a@b.example. It is " +
			"signed, too. With signature=… or X-Twilio-Signature=… the signature is wrong.",
	}
}

// Help is shown by smsbridge trigger --help.
func (triggerCommand) Help() string {
	return "It reads the same settings as serve, for the tenant's keys and names, and prints what " +
		"the bridge responded. What comes of it is real: a text costs money, and a YES opens the " +
		"link of what the phone was really asked. Take a test number (SMSBRIDGE_TEST_NUMBERS).\n\n" +
		"  $ smsbridge trigger mail +4512345678 --eml sign-up.eml\n" +
		"  $ smsbridge trigger reply +4512345678 YES\n" +
		"  $ smsbridge show +4512345678\n\n" +
		"A mail that is made here has no signature of your identity provider. The bridge refuses it " +
		"for that unless SMSBRIDGE_SENDER_VERIFY is off, and smsbridge why says so. A mail that the " +
		"identity provider signed is taken: give its file."
}

// webhook is a request to the bridge as a provider makes it.
type webhook struct {
	url, kind, body string
	header          http.Header
}

// Run posts a mail.
func (m triggerMail) Run(ctx context.Context, w world) error {
	phone, err := number(m.Phone)
	if err != nil {
		return err
	}
	settings, t, err := m.of(ctx, w)
	if err != nil {
		return err
	}
	if len(t.Mails.Mailgun.SigningKeys) == 0 {
		return mistake{"the tenant has no signing key", "set MAILGUN_WEBHOOK_SIGNING_KEY"}
	}
	to := t.Address.Address(phone)
	mime, err := m.mime(ctx, w, t, to)
	if err != nil {
		return err
	}
	form := url.Values{
		"recipient": {to}, "sender": {"trigger@" + t.Address.Domain}, "body-mime": {string(mime)},
		"timestamp": {strconv.FormatInt(w.clock().Unix(), 10)}, "token": {randomToken(25)},
	}
	m.override(form)
	if !form.Has("signature") {
		form.Set("signature", mailgun.Sign(t.Mails.Mailgun.SigningKeys[0].Reveal(),
			form.Get("timestamp"), form.Get("token")))
	}
	return m.post(ctx, w, settings, formHook(settings.MIMEURL(t.Slug), form))
}

// mime is the mail in the file, or one with a link to the identity provider.
func (m triggerMail) mime(
	ctx context.Context, w world, t *tenant.Tenant, to string,
) ([]byte, error) {
	if m.EML != "" {
		in, err := w.input(ctx, m.EML, "give the path of a mail: --eml FILE")
		if err != nil {
			return nil, err
		}
		defer in.Close()
		return whole(in, triggerMost, mistake{"no bridge gets such a mail",
			"Mailgun takes mails of at most 25 MB"})
	}
	from, host := "idp.invalid", "idp.invalid"
	if domains := t.Mails.Sender.Domains; len(domains) > 0 {
		from = domains[0]
	}
	if hosts := t.Links.IdPHosts; len(hosts) > 0 {
		host = hosts[0]
	}
	return fmt.Appendf(nil,
		"From: trigger <trigger@%s>\r\nTo: <%s>\r\nSubject: Verify your e-mail\r\n"+
			"Date: %s\r\nMessage-Id: <%s@trigger.invalid>\r\n\r\nPlease verify your e-mail address:\r\n"+
			"https://%s/u/email-verification?ticket=%s\r\n",
		from, to, w.clock().UTC().Format(time.RFC1123Z), randomToken(8), host, randomToken(16)), nil
}

// Run posts a reply.
func (r triggerReply) Run(ctx context.Context, w world) error {
	phone, err := number(r.Phone)
	if err != nil {
		return err
	}
	settings, t, err := r.ofTwilio(ctx, w)
	if err != nil {
		return err
	}
	form := url.Values{
		"MessageSid": {twilio.NewSID("SM")}, "AccountSid": {t.Sending.Twilio.AccountSID},
		"From": {phone.E164()}, "To": {t.Line(phone).Sender}, "Body": {r.Words},
		"NumMedia": {"0"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
	}
	if service := form.Get("To"); strings.HasPrefix(service, "MG") {
		form.Set("MessagingServiceSid", service)
		form.Set("To", "+15005550006")
	}
	return r.postTwilio(ctx, w, settings, t, settings.ReplyURL(t.Slug), form)
}

// Run posts a receipt.
func (r triggerReceipt) Run(ctx context.Context, w world) error {
	settings, t, err := r.ofTwilio(ctx, w)
	if err != nil {
		return err
	}
	form := url.Values{
		"MessageSid": {r.SID}, "AccountSid": {t.Sending.Twilio.AccountSID},
		"MessageStatus": {r.Status}, "SmsStatus": {r.Status}, "ApiVersion": {"2010-04-01"},
	}
	if r.Code != "" {
		form.Set("ErrorCode", r.Code)
	}
	return r.postTwilio(ctx, w, settings, t, settings.ReceiptURL(t.Slug, r.Text, ""), form)
}

// Run posts a log event.
func (l triggerLog) Run(ctx context.Context, w world) error {
	phone, err := number(l.Phone)
	if err != nil {
		return err
	}
	settings, t, err := l.of(ctx, w)
	if err != nil {
		return err
	}
	token, _, _ := strings.Cut(l.Token, ",")
	if token == "" {
		return mistake{"there is no token of the log stream",
			"set AUTH0_LOG_STREAM_TOKEN, or give --token"}
	}
	data := map[string]any{
		"type": l.Type, "date": w.clock().UTC().Format(time.RFC3339), "user_name": phone.E164(),
		"details": map[string]string{"phone_number": phone.E164()},
	}
	for name, value := range l.Override {
		data[name] = value
	}
	body, err := json.Marshal([]any{map[string]any{"log_id": randomToken(12), "data": data}})
	if err != nil {
		return err
	}
	return l.post(ctx, w, settings, webhook{
		settings.PublicURL + "/auth0/" + t.Slug + "/stream", "application/json", string(body),
		http.Header{"Authorization": {token}},
	})
}

// of are the settings and the tenant that is meant.
func (f triggerFlags) of(ctx context.Context, w world) (tenant.Settings, *tenant.Tenant, error) {
	settings, err := serveCommand{Config: f.Config}.load(ctx, w.environ)
	if err != nil {
		return settings, nil, err
	}
	t, err := oneOf(settings.Tenants, f.Tenant, "write --tenant")
	return settings, t, err
}

func (f triggerFlags) ofTwilio(
	ctx context.Context, w world,
) (tenant.Settings, *tenant.Tenant, error) {
	settings, t, err := f.of(ctx, w)
	if err == nil && t.Sending.Twilio.AuthToken.Reveal() == "" {
		err = mistake{"the tenant does not text by Twilio",
			"this command posts as Twilio does; set TWILIO_AUTH_TOKEN if it is meant to"}
	}
	return settings, t, err
}

func (f triggerFlags) override(form url.Values) {
	for name, value := range f.Override {
		form.Set(name, value)
	}
}

// postTwilio signs a form as Twilio does, and posts it.
func (f triggerFlags) postTwilio(
	ctx context.Context, w world, settings tenant.Settings, t *tenant.Tenant, target string,
	form url.Values,
) error {
	const name = "X-Twilio-Signature"
	f.override(form)
	given := form.Get(name)
	form.Del(name)
	if given == "" {
		given = twilio.Sign(t.Sending.Twilio.AuthToken.Reveal(), target, form)
	}
	hook := formHook(target, form)
	hook.header.Set(name, given)
	return f.post(ctx, w, settings, hook)
}

func formHook(target string, form url.Values) webhook {
	return webhook{target, "application/x-www-form-urlencoded", form.Encode(), http.Header{}}
}

// post posts a webhook and prints what the bridge responded. A response that is no success is a
// failure.
func (f triggerFlags) post(
	ctx context.Context, w world, settings tenant.Settings, hook webhook,
) error {
	target := hook.url
	if f.To != "" {
		target = strings.TrimRight(f.To, "/") + strings.TrimPrefix(hook.url, settings.PublicURL)
	}
	ctx, cancel := context.WithTimeout(ctx, triggerTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(hook.body))
	if err != nil {
		return mistake{"there is no bridge at " + target, "write --to http://127.0.0.1:8080"}
	}
	r.Header = hook.header
	r.Header.Set("Content-Type", hook.kind)
	// Not a client that follows redirects: it would ask the other address with GET.
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return mistake{"no bridge answers: " + reason(err),
			"is it running? If its public URL does not lead here, give --to http://127.0.0.1:8080"}
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, triggerShown)) // cut off, it is still shown
	path, _, _ := strings.Cut(strings.TrimPrefix(hook.url, settings.PublicURL), "?")
	fmt.Fprintf(w.stdout, "POST %s: %s\n", path, response.Status)
	if body = bytes.TrimSpace(body); len(body) > 0 {
		fmt.Fprintln(w.stdout, printable(string(body)))
	}
	switch {
	case response.StatusCode >= http.StatusBadRequest:
		return failure{fmt.Errorf("the bridge refuses it: %s", response.Status),
			"its log has the reason, in a line WARN of this moment"}
	case response.StatusCode >= http.StatusMultipleChoices:
		return failure{fmt.Errorf("it leads to another address: %s", response.Status),
			"no provider follows: let the proxy hand webhooks to the bridge, or give the bridge's own " +
				"address: --to http://127.0.0.1:8080"}
	}
	return nil
}

// randomToken is hex of so many random bytes.
func randomToken(bytes int) string {
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}
