package tenant

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsbridge/phonemail"
)

// maxDrain is the longest that a bridge goes on serving after the signal to stop.
const maxDrain = time.Minute

// processOptions lists the settings of the process.
func processOptions() []option[Settings] {
	return []option[Settings]{
		{"addr", "SMSBRIDGE_ADDR", one, "", func(s *Settings, v []string) *Mistake {
			_, port, err := net.SplitHostPort(v[0])
			if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
				return wrong("is not an address to listen on", "write host:port, such as 127.0.0.1:8080, or :8080 for all interfaces")
			}
			s.Addr = v[0]
			return nil
		}},
		{"drain", "SMSBRIDGE_DRAIN", one, "", func(s *Settings, v []string) *Mistake {
			d, err := time.ParseDuration(v[0])
			switch {
			case err != nil:
				return wrong("is not a duration", "write a number with its unit, such as 3s")
			case d < 0 || d > maxDrain:
				return wrong("is not from 0s to 1m", "3s is recommended")
			}
			s.Drain = d
			return nil
		}},
		{"public_url", "SMSBRIDGE_PUBLIC_URL", one, "write the https address at which Mailgun and Twilio reach the bridge, such as https://bridge.acme.example", func(s *Settings, v []string) (m *Mistake) {
			s.PublicURL, m = baseURL(v[0])
			if u, err := url.Parse(s.PublicURL); m == nil && err == nil && strings.Contains(u.Host, "_") {
				// https://www.twilio.com/docs/messaging/api/message-resource (StatusCallback)
				return wrong("has an underscore in its host name", "Twilio does not call back to such hosts")
			}
			return m
		}},
		{"database", "SMSBRIDGE_DATABASE", secretURL, "", func(s *Settings, v []string) *Mistake {
			if !isDatabase(v[0]) {
				return wrong("is not a database", "write sqlite:PATH or postgres://user:password@host/name")
			}
			s.Database = NewSecret(v[0])
			return nil
		}},
		{"key", "SMSBRIDGE_KEY", secret, "", func(s *Settings, v []string) (m *Mistake) {
			s.Key, m = sealingKey(v[0])
			return m
		}},
		{"key_file", "SMSBRIDGE_KEY_FILE", secretFile, "", func(s *Settings, v []string) (m *Mistake) {
			s.Key, m = sealingKey(v[0])
			return m
		}},
	}
}

// tenantOptions lists the settings of a tenant.
func tenantOptions() []option[Tenant] {
	return slices.Concat(identityOptions(), questionOptions(), kindOptions(), providerOptions(), sendingOptions(), linkOptions(), proofOptions(), textOptions(), codeOptions(), apiOptions(), doorOptions(), auth0Options())
}

// identityOptions are about the tenant and the phones it may reach.
func identityOptions() []option[Tenant] {
	return []option[Tenant]{
		{"slug", "SMSBRIDGE_TENANT", one, "write a short name for URLs and phone addresses, such as acme", func(t *Tenant, v []string) *Mistake {
			if !phonemail.ValidPrefix(v[0]) || strings.ToLower(v[0]) != v[0] {
				return wrong("is not a slug", "use up to 32 of a–z, 0–9, dot, hyphen and underscore, and start with a letter or digit")
			}
			t.Slug = v[0]
			return nil
		}},
		{"name", "SMSBRIDGE_NAME", one, "write the name that people know, such as ACME", func(t *Tenant, v []string) *Mistake {
			if m := judgeName(v[0]); m != nil {
				return m // and not into the texts, where it would be reported again
			}
			t.Name = v[0]
			return nil
		}},
		{"countries", "SMSBRIDGE_COUNTRIES", list, "list the countries whose phones may be texted, such as DK and SE, or * for all", func(t *Tenant, v []string) (m *Mistake) {
			t.Policy.Countries, m = countries(v)
			return m
		}},
		{"valid_numbers", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Policy.Valid = v[0] == "true"
			return choice(v[0], "true", "false")
		}},
		{"prefix", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Address.Prefix = strings.ToLower(v[0])
			if !phonemail.ValidPrefix(v[0]) {
				return wrong("cannot stand before the + of a phone address", "use up to 32 of a–z, 0–9, dot, hyphen and underscore")
			}
			return nil
		}},
		{"mail_domain", "SMSBRIDGE_MAIL_DOMAIN", one, "write the domain of the phone addresses, such as sms.acme.example", func(t *Tenant, v []string) *Mistake {
			t.Address.Domain = strings.ToLower(v[0])
			if !phonemail.ValidDomain(v[0]) {
				return wrong("is not a mail domain", "write what stands after the @, such as sms.acme.example")
			}
			return nil
		}},
	}
}

// questionOptions are about the mails a tenant gets and the questions it asks.
func questionOptions() []option[Tenant] {
	return []option[Tenant]{
		{"idp_hosts", "SMSBRIDGE_IDP_HOSTS", list, "list the hosts of the identity provider's links, such as login.acme.example", func(t *Tenant, v []string) (m *Mistake) {
			t.IdPHosts, m = hosts(v)
			return m
		}},
		{"unsafe_allow", "SMSBRIDGE_UNSAFE_ALLOW", list, "", func(t *Tenant, v []string) (m *Mistake) {
			t.UnsafeAllow, m = prefixes(v)
			return m
		}},
		{"keep", "SMSBRIDGE_KEEP", one, "", func(t *Tenant, v []string) *Mistake {
			t.Keep = Keep(v[0])
			return choice(v[0], string(KeepBridge), string(KeepMailgun))
		}},
		{"accept", "SMSBRIDGE_ACCEPT", list, "", func(t *Tenant, v []string) *Mistake {
			if m := judgeWords(v); m != nil {
				return m
			}
			t.Accept = v
			return nil
		}},
		{"deny", "", list, "", func(t *Tenant, v []string) *Mistake {
			if m := judgeWords(v); m != nil {
				return m
			}
			t.Deny = v
			return nil
		}},
		{"valid_for", "SMSBRIDGE_VALID_FOR", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.ValidFor, m = life(v[0])
			return m
		}},
	}
}

// kindOptions say what becomes of each kind of mail, and how a question about one is answered.
func kindOptions() []option[Tenant] {
	return []option[Tenant]{
		{"verify", "SMSBRIDGE_VERIFY", one, "", action(func(t *Tenant) *Action { return &t.Verify }, Ask, Off)},
		{"code", "SMSBRIDGE_CODE", one, "", action(func(t *Tenant) *Action { return &t.Code }, Relay, Off)},
		{"reset", "SMSBRIDGE_RESET", one, "", action(func(t *Tenant) *Action { return &t.Reset }, Relay, Ask, Off)},
		{"login", "SMSBRIDGE_LOGIN", one, "", action(func(t *Tenant) *Action { return &t.Login }, Relay, Off)},
		{"unsafe_bare_yes", "SMSBRIDGE_UNSAFE_BARE_YES", one, "", func(t *Tenant, v []string) *Mistake {
			t.UnsafeBareYes = v[0] == "true"
			return choice(v[0], "true", "false")
		}},
		{"answer", "SMSBRIDGE_ANSWER", one, "", func(t *Tenant, v []string) *Mistake {
			t.Answer = Answer(v[0])
			return choice(v[0], string(ByReply), string(ByTap), string(ByBoth))
		}},
		{"code_domain", "SMSBRIDGE_CODE_DOMAIN", one, "", func(t *Tenant, v []string) *Mistake {
			t.CodeDomain = strings.ToLower(v[0])
			if !phonemail.ValidDomain(v[0]) {
				return wrong("is not a host name", "write the host of the page that asks for the code, such as login.acme.example")
			}
			return nil
		}},
	}
}

func action(of func(*Tenant) *Action, allowed ...Action) func(*Tenant, []string) *Mistake {
	return func(t *Tenant, v []string) *Mistake {
		*of(t) = Action(v[0])
		words := make([]string, len(allowed))
		for i, a := range allowed {
			words[i] = string(a)
		}
		return choice(v[0], words...)
	}
}

// providerOptions are about the tenant's accounts at Mailgun and Twilio.
func providerOptions() []option[Tenant] {
	return []option[Tenant]{
		{"mailgun.api_key", "MAILGUN_API_KEY", secret, "it is at Mailgun under API Security", func(t *Tenant, v []string) *Mistake {
			t.Mailgun.APIKey = NewSecret(v[0])
			return judgeSecret(v[0])
		}},
		{"mailgun.signing_key", "MAILGUN_WEBHOOK_SIGNING_KEY", secrets, "it is at Mailgun under API Security: HTTP webhook signing key", func(t *Tenant, v []string) *Mistake {
			for _, key := range v {
				t.Mailgun.SigningKeys = append(t.Mailgun.SigningKeys, NewSecret(key))
				if m := judgeSecret(key); m != nil {
					return m
				}
			}
			return nil
		}},
		{"mailgun.api_base", "MAILGUN_API_BASE", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Mailgun.APIBase, m = baseURL(strings.TrimSuffix(strings.TrimSuffix(v[0], "/"), "/v3"))
			return m
		}},
		{"mailgun.storage_hosts", "MAILGUN_STORAGE_HOSTS", list, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Mailgun.StorageHosts, m = hosts(v)
			return m
		}},
		{"twilio.account_sid", "TWILIO_ACCOUNT_SID", one, "", func(t *Tenant, v []string) *Mistake {
			t.Twilio.AccountSID = v[0]
			if !accountSID.MatchString(v[0]) {
				return wrong("is not an account SID", "it is AC and 32 letters and digits")
			}
			return nil
		}},
		{"twilio.auth_token", "TWILIO_AUTH_TOKEN", secret, "", func(t *Tenant, v []string) *Mistake {
			t.Twilio.AuthToken = NewSecret(v[0])
			if !alphanumeric.MatchString(v[0]) {
				return wrong("is not an auth token", "it has only letters and digits, without quotes around them")
			}
			return nil
		}},
		{"twilio.from", "TWILIO_FROM", one, "", func(t *Tenant, v []string) *Mistake {
			t.Twilio.From = v[0]
			return judgeSender(v[0])
		}},
		{"twilio.api_base", "TWILIO_API_BASE", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Twilio.APIBase, m = baseURL(v[0])
			return m
		}},
	}
}

// linkOptions say how links are found and redeemed where their shape does not say it.
func linkOptions() []option[Tenant] {
	return []option[Tenant]{
		{"links.paths", "SMSBRIDGE_LINK_PATHS", list, "", func(t *Tenant, v []string) *Mistake {
			t.Links.Paths = v
			for _, path := range v {
				if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
					return wrong("has something that is not a path", "write where links begin, such as /account/confirm; * stands for any one segment")
				}
			}
			return nil
		}},
		{"links.wrappers", "SMSBRIDGE_LINK_WRAPPERS", list, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Links.Wrappers, m = hosts(v)
			return m
		}},
		{"links.recipe", "SMSBRIDGE_LINK_RECIPE", one, "", func(t *Tenant, v []string) *Mistake {
			t.Links.Recipe = v[0]
			return nil
		}},
		{"links.api", "SMSBRIDGE_LINK_API", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Links.API, m = baseURL(v[0])
			return m
		}},
		{"links.token", "SMSBRIDGE_LINK_TOKEN", secret, "", func(t *Tenant, v []string) *Mistake {
			t.Links.Token = NewSecret(v[0])
			return judgeSecret(v[0])
		}},
	}
}

// proofOptions are access to the identity provider's own API.
func proofOptions() []option[Tenant] {
	return []option[Tenant]{
		{"proof.kind", "SMSBRIDGE_PROOF", one, "", func(t *Tenant, v []string) *Mistake {
			m := choice(v[0], string(ProofAuth0), string(ProofKeycloak), string(ProofGoTrue))
			if m == nil {
				t.Proof.Kind = ProofKind(v[0])
			}
			return m
		}},
		{"proof.url", "SMSBRIDGE_PROOF_URL", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Proof.URL, m = baseURL(v[0])
			return m
		}},
		{"proof.client_id", "SMSBRIDGE_PROOF_CLIENT_ID", one, "", func(t *Tenant, v []string) *Mistake {
			t.Proof.ClientID = v[0]
			return nil
		}},
		{"proof.secret", "SMSBRIDGE_PROOF_SECRET", secret, "", func(t *Tenant, v []string) *Mistake {
			t.Proof.Secret = NewSecret(v[0])
			return judgeSecret(v[0])
		}},
	}
}

// textOptions are the tenant's wording.
func textOptions() []option[Tenant] {
	variable := map[Saying]string{
		AskRegistration: "SMSBRIDGE_REGISTRATION_TEXT",
		AskPassword:     "SMSBRIDGE_PASSWORD_TEXT",
		AskPasswordCode: "SMSBRIDGE_PASSWORD_CODE_TEXT",
		Wrong:           "SMSBRIDGE_WRONG_TEXT",
	}
	var options []option[Tenant]
	for _, s := range Sayings() {
		options = append(options, option[Tenant]{textKey(s), variable[s], one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.texts[s], m = parseText(v[0])
			return m
		}})
	}
	return options
}

func textKey(s Saying) string { return "texts." + string(s) }
