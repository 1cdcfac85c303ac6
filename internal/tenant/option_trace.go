package tenant

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"smsbridge/internal/settings"
)

// Traces says where spans go. The zero value is nowhere.
type Traces struct {
	URL     string
	Headers []settings.Secret // each as name=value
	Share   int               // how many of 100 cases are told of
}

// Header are the headers that the collector wants.
func (t Traces) Header() http.Header {
	header := http.Header{}
	for _, written := range t.Headers {
		name, value, _ := strings.Cut(written.Reveal(), "=")
		header.Add(name, value)
	}
	return header
}

// traceOptions are the settings of traces.
func traceOptions() []settings.Option[Settings] {
	return []settings.Option[Settings]{
		{Row: row{
			Key: "otlp_url", Variable: "SMSBRIDGE_OTLP_URL", Off: true, Restart: true,
			Example: "http://127.0.0.1:4318",
			Doc: "A collector of OpenTelemetry that takes OTLP over HTTP: it gets a trace of each case, " +
				"whose id is that of the case. /v1/traces is added. Without it there are no traces.",
			Prevents: "Without traces, the time between a mail and its text is not seen step by step. " +
				"No text waits for the collector.",
		}, Set: setCollector},
		{Row: row{
			Key: "otlp_headers", Variable: "SMSBRIDGE_OTLP_HEADERS", Kind: settings.Secrets, Off: true,
			Restart: true, Example: "env:OTLP_KEY",
			Doc: "Headers that this collector wants, such as a key: name=value, for instance " +
				"`Authorization=Bearer …`.",
			Prevents: "A collector that knows no key takes spans from anyone, or none from you.",
		}, Set: setCollectorHeaders},
		{Row: row{
			Key: "otlp_share", Variable: "SMSBRIDGE_OTLP_SHARE", Default: "100", Restart: true,
			Doc: "How many of 100 cases are told of. The id of a case decides it, so that all replicas " +
				"tell of the same ones.",
			Prevents: "A collector may cost by the span: a case has about twenty.",
		}, Set: settings.Count(1, 100, func(s *Settings) *int { return &s.Traces.Share })},
	}
}

func setCollector(s *Settings, v []string) *settings.Mistake {
	u, err := url.Parse(v[0])
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return settings.Wrong("is not a web address", "write it as http://host:4318")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return settings.Wrong("has a user, a query or a fragment",
			"write it as https://host or https://host/path; a key goes into SMSBRIDGE_OTLP_HEADERS")
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v1/traces"):
		return settings.Wrong("ends with /v1/traces", "leave that out: the bridge adds it")
	}
	s.Traces.URL = strings.TrimRight(settings.SmallScheme(u, v[0]), "/")
	return nil
}

func setCollectorHeaders(s *Settings, v []string) *settings.Mistake {
	for _, written := range v {
		name, value, is := strings.Cut(written, "=")
		name = textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !is || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return settings.Wrong("has an entry that is no header", "write each as name=value")
		case name == "Content-Type" || name == "User-Agent" || name == "Host":
			return settings.Wrong("has a header that the bridge sets itself", "take "+name+" out")
		}
		s.Traces.Headers = append(s.Traces.Headers, settings.NewSecret(name+"="+value))
	}
	return nil
}

// checkTraces finds what is wrong with where traces go.
func (l *loader) checkTraces(s *Settings, given settings.Given) {
	to := s.Traces
	switch {
	case to.URL == "" && len(to.Headers) > 0:
		l.Add(given.Place("otlp_headers"), settings.Wrong("is for a collector, and there is none",
			"set SMSBRIDGE_OTLP_URL (otlp_url) too"))
	case len(to.Headers) > 0 && strings.HasPrefix(to.URL, "http:") && !settings.IsLoopbackURL(to.URL):
		l.Add(given.Place("otlp_url"), settings.Wrong("is plain http, and a key would be read on the way",
			"use https, or take the headers away"))
	}
}
