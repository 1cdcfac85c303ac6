package inbound

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/health"
	"smsbridge/internal/text"
)

// measure counts a request by its door, tenant, status and reason. What a door refuses again and
// again may be a mistake in the settings.
func (s *Server) measure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.Traces.Now()
		err := next(c)
		door, status := doorOf(c.Path()), statusOf(c, err)
		slug := web.KnownSlug(s.Settings, c.Param("tenant"))
		reason := web.ReasonOf(c)
		s.trace(c, status, reason, began)
		if status < 400 {
			reason = "" // a success has as many reasons as there are words of replies
		}
		s.Meter.Request(door, slug, status, reason)
		s.judge(door, slug, status, reason)
		return err
	}
}

// doorOf names a door by the path of its route, without what differs between requests.
func doorOf(route string) string {
	var parts []string
	for part := range strings.SplitSeq(route, "/") {
		if part != "" && !strings.HasPrefix(part, ":") && !strings.HasPrefix(part, "*") {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, "/")
}

// statusOf is the status that a request gets, from its response or from the error that becomes it.
func statusOf(c echo.Context, err error) int {
	var refused *echo.HTTPError
	switch {
	case err == nil || c.Response().Committed:
		return c.Response().Status
	case errors.As(err, &refused):
		return refused.Code
	}
	return http.StatusInternalServerError
}

// The reasons by which a mail is for none of the tenants' phones.
const (
	noSuchTenant   = "no such tenant"
	noPhoneAddress = "the recipient is not a phone address of this tenant"
)

// accountSuspended is Twilio's code of a text that it took before it suspended the account
// (https://www.twilio.com/docs/api/errors/30002).
const accountSuspended = "30002"

// judgeAccount tells the monitor when a text was not sent because of the account that it is of.
func (s *Server) judgeAccount(c echo.Context, m text.Moved) {
	if m.Code == accountSuspended && doorOf(c.Path()) == "twilio/receipt" {
		s.Meter.Wrong(health.TwilioAuth, m.Tenant)
	}
}

// judge tells the monitor what the providers' webhooks came to.
func (s *Server) judge(door, slug string, status int, reason string) {
	provider, _, _ := strings.Cut(door, "/")
	switch {
	case provider == "mailgun" && status == http.StatusUnauthorized:
		s.Meter.Wrong(health.MailgunSigning, slug)
	case provider == "mailgun" && reason == noSuchTenant: // which proves nothing
		s.Meter.Wrong(health.NoTenant, "")
	case provider == "mailgun" && reason == noPhoneAddress:
		s.Meter.Wrong(health.Route, slug)
		s.Meter.Well(health.MailgunSigning, slug)
	case provider == "mailgun" && status == http.StatusOK:
		s.Meter.Well(health.MailgunSigning, slug)
		s.Meter.Well(health.Route, slug)
		s.Meter.Well(health.NoTenant, "")
	case provider == "twilio" && status == http.StatusForbidden:
		s.Meter.Wrong(health.TwilioSigning, slug)
	case provider == "twilio" && status == http.StatusOK:
		s.Meter.Well(health.TwilioSigning, slug)
	case provider == "flowroute" && status == http.StatusForbidden:
		s.Meter.Wrong(health.FlowrouteURL, slug)
	case provider == "flowroute" && status == http.StatusOK:
		s.Meter.Well(health.FlowrouteURL, slug)
	}
}
