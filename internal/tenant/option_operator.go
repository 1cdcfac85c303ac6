package tenant

import (
	"net"
	"net/netip"
	"net/textproto"
	"net/url"
	"regexp"

	"smsbridge/internal/settings"
)

// operatorOptions are about the pages for operators.
func operatorOptions() []settings.Option[Settings] {
	type option = settings.Option[Settings]
	return []option{
		{Row: row{
			Key: "operator_addr", Variable: "SMSBRIDGE_OPERATOR_ADDR", Example: "127.0.0.1:8090",
			Off: true, Restart: true, Local: true,
			Doc: "Where the pages for operators listen, at /operator. Without an address there are " +
				"none. It needs {operators}, or {operator_header}.",
			Prevents: "The pages show who was texted. On a listener of their own, a firewall keeps the " +
				"internet away from them.",
		}, Set: settings.ListenAddr("write host:port, such as 127.0.0.1:8090",
			func(s *Settings) *string { return &s.Operator.Addr })},
		{Row: row{
			Key: "operator_url", Variable: "SMSBRIDGE_OPERATOR_URL", Example: "https://ops.acme.example",
			Off: true, Local: true,
			Doc: "The address at which browsers reach these pages, through a proxy with TLS. It may be " +
				"left out when {operator_addr} is on the loopback interface.",
			Prevents: "A request to any other host is refused: a page elsewhere could point its own name " +
				"at the bridge. Without https a password could be read on the way.",
		}, Set: setOperatorURL},
		{Row: row{
			Key: "operators", Variable: "SMSBRIDGE_OPERATORS", Kind: settings.Secrets,
			Example: "env:BRIDGE_OPERATOR_ANNA", Off: true,
			Doc: "Who may log in with a password: name:role:hash, as `smsbridge operator hash NAME` " +
				"prints it. The role is see (look, with masked numbers) or act (do all that the pages " +
				"offer). A new password or role ends the operator's sessions.",
			Prevents: "Only the hash is here: a thief of the settings has no password yet.",
		}, Set: setLogins},
		{Row: row{
			Key: "operator_header", Variable: "SMSBRIDGE_OPERATOR_HEADER", Example: "X-Forwarded-User",
			Off: true,
			Doc: "Instead of a password: the header in which a proxy that has logged the operator in " +
				"tells the name. It needs {operator_proxies} and {operator_people}.",
			Prevents: "The proxy must remove the header from what browsers send. Else anyone could write " +
				"a name.",
		}, Set: setOperatorHeader},
		{Row: row{
			Key: "operator_proxies", Variable: "SMSBRIDGE_OPERATOR_PROXIES", Kind: settings.List,
			Example: "127.0.0.1/32", Off: true,
			Doc:      "The networks of that proxy. From any other address the header counts for nothing.",
			Prevents: "A wide network lets every machine in it be any operator.",
		}, Set: settings.Prefixes(func(s *Settings) *[]netip.Prefix { return &s.Operator.Proxies })},
		{Row: row{
			Key: "operator_people", Variable: "SMSBRIDGE_OPERATOR_PEOPLE", Kind: settings.List,
			Example: "anna@acme.example:act,*:see", Off: true,
			Doc: "What those may do whom the proxy names: name:role, with the roles of {operators}. " +
				"* is everyone else whom the proxy lets in.",
			Prevents: "A name that is not here, and no *, gets no page: who left must not stay in.",
		}, Set: setPeople},
	}
}

func setOperatorURL(s *Settings, v []string) *settings.Mistake {
	address, m := settings.ParseBaseURL(v[0])
	if m != nil {
		return m
	}
	u, err := url.Parse(address)
	if err != nil || u.Path != "" {
		return settings.Wrong("has a path",
			"write the host alone, as https://ops.acme.example; the pages are below /operator there")
	}
	// Browsers leave out the port that the scheme has anyway, and the pages compare the host.
	s.Operator.URL = u.Scheme + "://" + withoutUsualPort(u)
	return nil
}

func setOperatorHeader(s *Settings, v []string) *settings.Mistake {
	if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`).MatchString(v[0]) {
		return settings.Wrong("is not the name of a header", "write it as X-Forwarded-User")
	}
	s.Operator.Header = textproto.CanonicalMIMEHeaderKey(v[0])
	return nil
}

// checkOperator finds what is wrong with these settings together.
func (l *loader) checkOperator(s Settings) {
	o := s.Operator
	add := func(key, what, hint string) { l.Add(l.process.Place(key), settings.Wrong(what, hint)) }
	reported := func(key string, empty bool) bool { return l.process.Has(key) && empty }
	if reported("operators", len(o.Logins) == 0) || reported("operator_header", o.Header == "") ||
		reported("operator_addr", o.Addr == "") || reported("operator_url", o.URL == "") ||
		reported("operator_people", len(o.People) == 0) ||
		reported("operator_proxies", len(o.Proxies) == 0) {
		return
	}
	switch {
	case o.Addr == "" && (len(o.Logins) > 0 || o.Header != "" || o.URL != ""):
		add("operator_addr", "is missing beside the other settings of the pages for operators",
			"write where they listen, such as 127.0.0.1:8090")
	case o.Addr != "" && len(o.Logins) == 0 && o.Header == "":
		add("operators", "is missing, and without it no operator can log in",
			"make an entry with: smsbridge operator hash NAME --role act")
	case o.Header != "" && (len(o.Proxies) == 0 || len(o.People) == 0):
		add("operator_proxies", "is missing beside the header of a proxy, or operator_people is",
			"write the proxy's addresses, such as 127.0.0.1/32, and who may do what: *:see")
	case o.Header == "" && (len(o.Proxies) > 0 || len(o.People) > 0):
		add("operator_header", "is missing beside the proxy's addresses, or its people",
			"write the header in which the proxy tells the operator's name, such as X-Forwarded-User")
	case o.Addr != "" && o.URL == "" && !settings.IsLoopbackAddr(o.Addr):
		add("operator_url", "is missing, and the pages are not on the loopback interface",
			"write the https address at which browsers reach them, or listen on 127.0.0.1")
	case o.Addr != "" && sameListener(o.Addr, s.Addr):
		add("operator_addr", "is where the bridge itself listens", "choose another port")
	}
	for _, t := range s.Tenants.all {
		if o.Addr != "" && sameListener(o.Addr, t.Doors.Flowroute.Addr) {
			add("operator_addr", "is where the Flowroute door of tenant "+t.Slug+" listens",
				"choose another port")
		}
	}
}

// sameListener reports whether two addresses to listen on cannot both be listened on. Port 0 is any
// free port. A host that is missing, or [::], is each of the machine's, and 0.0.0.0 is each of
// IPv4. Go listens on localhost at its address of IPv4.
func sameListener(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	for _, host := range []*string{&hostA, &hostB} {
		if *host == "localhost" {
			*host = "127.0.0.1"
		}
	}
	return hostA == hostB || covers(hostA, hostB) || covers(hostB, hostA)
}

// covers reports whether who listens on a host listens on the other one, too.
func covers(host, other string) bool {
	if host == "" || host == "::" {
		return true
	}
	ip, err := netip.ParseAddr(other)
	return host == "0.0.0.0" && (err != nil || ip.Is4())
}
