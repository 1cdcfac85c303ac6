// Package doctor asks the providers whether a tenant's settings are theirs, before a person finds
// out. It is for the command of that name.
//
// It promises to change nothing anywhere: it only reads. No secret, and nothing that a provider
// said, is in what it returns.
package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/health"
	"smsbridge/internal/tenant"
)

// Level says how it is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Error   Level = "error"
)

// Line is one thing that was looked at.
type Line struct {
	Level  Level       `json:"level"`
	Code   health.Code `json:"code"` // of the finding that it would be
	Of     string      `json:"of,omitempty"`
	What   string      `json:"what"`
	Remedy string      `json:"remedy,omitempty"`
}

// The codes of what only the doctor finds.
const (
	Settings  health.Code = "SB-SETTINGS"
	MX        health.Code = "SB-MX"
	PublicURL health.Code = "SB-PUBLIC-URL"
	TwilioURL health.Code = "SB-TWILIO-URL"
)

const (
	// within bounds one question.
	within = 8 * time.Second
	// mostRead is the most that is read of a response.
	mostRead = 1 << 20
)

// Doctor asks.
type Doctor struct {
	Settings tenant.Settings
}

// Tenant looks at what a tenant needs of others.
func (d Doctor) Tenant(ctx context.Context, t *tenant.Tenant) (lines []Line) {
	lines = append(lines, d.twilio(ctx, t)...)
	lines = append(lines, d.mailgun(ctx, t)...)
	lines = append(lines, d.mx(ctx, t), d.public(ctx, t))
	return append(lines, d.identityProvider(ctx, t)...)
}

// line makes one line. A remedy that is left out is that of the finding with the code.
func line(level Level, code health.Code, of, what, remedy string) Line {
	if level == OK {
		return Line{Level: level, Code: code, Of: of, What: what}
	}
	for _, k := range health.Kinds() {
		if remedy == "" && k.Code == code {
			remedy = k.Remedy
		}
	}
	return Line{level, code, of, what, remedy}
}

// answer is what a host said: a status, and JSON if it was that.
type answer struct {
	status int
	body   []byte
}

func (a answer) read(into any) bool { return json.Unmarshal(a.body, into) == nil }

// busy reports whether the host says nothing but that it does not respond now.
func (a answer) busy() bool {
	switch a.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return a.status >= 500
}

// get asks with a user and a password, which follow no redirect.
func get(ctx context.Context, address, user, password string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, errors.New("the address cannot be used")
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	req.Header.Set("User-Agent", "smsbridge doctor")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostRead))
	return answer{res.StatusCode, body}, err
}

// resolver asks the name server that the bridge asks.
func (d Doctor) resolver() *net.Resolver {
	r := &net.Resolver{}
	if d.Settings.DNS.IsValid() {
		r.PreferGo = true
		r.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, d.Settings.DNS.String())
		}
	}
	return r
}

// mx looks whether mails to the tenant's domain go to Mailgun, in its region.
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/domains
func (d Doctor) mx(ctx context.Context, t *tenant.Tenant) Line {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	records, err := d.resolver().LookupMX(ctx, t.Address.Domain)
	want, other := "mailgun.org.", "eu.mailgun.org."
	europe := strings.Contains(t.Mails.Mailgun.APIBase, ".eu.")
	ours := func(mx *net.MX) bool {
		host := strings.ToLower(mx.Host)
		return strings.HasSuffix(host, "."+want) && strings.HasSuffix(host, "."+other) == europe
	}
	const remedy = "Enter the MX records that Mailgun shows for SMSBRIDGE_MAIL_DOMAIN " +
		"(mail_domain), and set MAILGUN_API_BASE (mailgun.api_base) to its region."
	var failed *net.DNSError
	switch {
	case errors.As(err, &failed) && !failed.IsNotFound:
		return line(Error, MX, t.Slug, "The name server does not say where mails to the domain go.",
			"Does it respond from here? SMSBRIDGE_DNS (dns) names another one.")
	case err != nil || len(records) == 0:
		return line(Error, MX, t.Slug, "The mail domain has no MX record.", remedy)
	case !slices.ContainsFunc(records, ours):
		return line(Error, MX, t.Slug, "The MX records do not lead to Mailgun in the region of "+
			"the API.", remedy)
	}
	return line(OK, MX, t.Slug, "Mails to the domain go to Mailgun.", "")
}

// public looks whether the public URL leads to this bridge, whose door of mails responds to GET
// with 405.
func (d Doctor) public(ctx context.Context, t *tenant.Tenant) Line {
	const remedy = "Is the bridge up, and does the proxy pass all paths on to it? Compare " +
		"SMSBRIDGE_PUBLIC_URL (public_url) with the proxy's settings and certificate."
	a, err := get(ctx, d.Settings.MailURL(t.Slug), "", "")
	switch {
	case err != nil:
		return line(Error, PublicURL, t.Slug, "The public URL does not respond.", remedy)
	case a.status != http.StatusMethodNotAllowed:
		return line(Error, PublicURL, t.Slug, "The public URL does not lead to the bridge.", remedy)
	}
	return line(OK, PublicURL, t.Slug, "The public URL leads to the bridge.", "")
}

// identityProvider looks whether the hosts of the links respond, whatever they say.
func (d Doctor) identityProvider(ctx context.Context, t *tenant.Tenant) (lines []Line) {
	for _, host := range t.Links.IdPHosts {
		_, err := get(ctx, "https://"+host+"/", "", "")
		if err != nil && isPrivate(host, t.Links.UnsafeAllow) {
			_, err = get(ctx, "http://"+host+"/", "", "")
		}
		if err != nil {
			lines = append(lines, line(Error, health.IdPDown, t.Slug,
				"The identity provider's host "+host+" does not respond.", ""))
			continue
		}
		lines = append(lines, line(OK, health.IdPDown, t.Slug,
			"The identity provider's host "+host+" responds.", ""))
	}
	return lines
}

// isPrivate reports whether links may lead to a host over plain http.
func isPrivate(host string, allowed []netip.Prefix) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip, err := netip.ParseAddr(name)
	return len(allowed) > 0 && (err != nil || slices.ContainsFunc(allowed,
		func(p netip.Prefix) bool { return p.Contains(ip) }))
}

// mailgun looks whether the key is right, and which route a mail to a phone takes.
//
// Source: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/routes
func (d Doctor) mailgun(ctx context.Context, t *tenant.Tenant) []Line {
	address := t.Address.Prefix + "+4512345678@" + t.Address.Domain // of no person: it is matched only
	key := t.Mails.Mailgun.APIKey.Reveal()
	a, err := get(ctx, t.Mails.Mailgun.APIBase+"/v3/routes/match?"+
		url.Values{"address": {address}}.Encode(), "api", key)
	switch {
	case err != nil || a.busy():
		return []Line{line(Error, health.MailgunDown, t.Slug, "Mailgun's API does not respond.", "")}
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return []Line{line(Error, health.MailgunKey, t.Slug, "Mailgun refuses the API key.", "")}
	}
	right := line(OK, health.MailgunKey, t.Slug, "Mailgun takes the API key.", "")
	var found struct {
		Route struct {
			Actions []string `json:"actions"`
		} `json:"route"`
	}
	if a.status != http.StatusOK || !a.read(&found) {
		return []Line{right, line(Error, health.Route, t.Slug,
			"No route at Mailgun takes mails to phone addresses.", "")}
	}
	return []Line{right, d.judgeRoute(t, found.Route.Actions)}
}

// judgeRoute looks whether a route's actions post mails to the bridge so that senders can be
// verified.
func (d Doctor) judgeRoute(t *tenant.Tenant, actions []string) Line {
	has := func(verb string, urls ...string) bool {
		return slices.ContainsFunc(actions, func(action string) bool {
			action = strings.ReplaceAll(strings.ReplaceAll(action, " ", ""), "'", `"`)
			return slices.ContainsFunc(urls, func(u string) bool {
				return action == verb+`"`+u+`")`
			})
		})
	}
	parsed, raw := d.Settings.MailURL(t.Slug), d.Settings.MIMEURL(t.Slug)
	switch {
	case has("store(notify=", parsed), has("forward(", raw),
		has("forward(", parsed) && t.Mails.Sender.Verify == tenant.VerifyOff:
		return line(OK, health.Route, t.Slug, "The route at Mailgun posts mails to the bridge.", "")
	case has("forward(", parsed):
		return line(Error, health.Route, t.Slug,
			"The route at Mailgun forwards parsed mails, whose senders cannot be verified.",
			"Replace its action with store(notify=\""+parsed+"\").")
	}
	return line(Error, health.Route, t.Slug,
		"The first route at Mailgun that takes mails to phone addresses does not post to "+parsed+".",
		"Correct its actions, or give the right route a lower priority.")
}
