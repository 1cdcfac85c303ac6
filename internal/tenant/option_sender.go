package tenant

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// Verify says how the bridge finds out who sent a mail.
type Verify string

const (
	// VerifyDKIM verifies the signature in the raw mail.
	VerifyDKIM Verify = "dkim"
	// VerifyMailgun believes the results that Mailgun wrote into the mail.
	VerifyMailgun Verify = "mailgun"
	// VerifyOff takes a mail from any sender.
	VerifyOff Verify = "off"
)

// Sender says which senders a tenant's mails may have. See internal/sender.
type Sender struct {
	Verify  Verify
	Domains []string // in small letters; none only when Verify is off
}

const hintSender = "write the domain after d= in the DKIM-Signature of one of the identity " +
	"provider's mails, such as acme.example; smsbridge link FILE.eml prints it"

// mailSenderOptions are about who may send the tenant's mails.
func mailSenderOptions() []option {
	return []option{
		{Row: row{
			Key: "sender.verify", Variable: "SMSBRIDGE_SENDER_VERIFY", Default: "dkim",
			Doc: "How the sender of a mail is verified. dkim: by the signature in the raw mail, for " +
				"which Mailgun's route must be store(notify=…), or a URL that ends in /mime. The " +
				"signature must cover From, To, Subject, Date and Message-ID. mailgun: by Mailgun's own " +
				"checks, for mail providers that sign less, such as SendGrid; keep the spam filter of " +
				"the mail domain on, or Mailgun does not check. off: not at all.",
			Prevents: "With off, every stranger who can send a mail can make you pay for a text, and " +
				"offer people a link of their own.",
		}, Set: settings.Choice(func(t *Tenant) *Verify { return &t.Mails.Sender.Verify },
			VerifyDKIM, VerifyMailgun, VerifyOff)},
		{Row: row{
			Key: "sender.domains", Variable: "SMSBRIDGE_SENDER_DOMAINS", Kind: settings.List,
			Need: settings.Usual, Example: "acme.example",
			Doc: "The domains that the identity provider's mails come from. Each is the d= of a " +
				"DKIM signature, exactly; subdomains need lines of their own. The From address has one " +
				"of them, or a subdomain. Needed unless {sender.verify=off}.",
			Prevents: "A domain that a mail provider shares among its customers lets each of them " +
				"send in your name. Such domains are refused.",
		}, Set: setSenderDomains},
	}
}

// dnsOption is where the keys of signatures are looked up.
func dnsOption() settings.Option[Settings] {
	return settings.Option[Settings]{Row: row{
		Key: "dns", Variable: "SMSBRIDGE_DNS", Off: true, Restart: true, Example: "127.0.0.1:53",
		Doc: "The name server that is asked for the keys of DKIM signatures, as address and port. " +
			"The system's, when it is left out.",
		Prevents: "A name server that strangers can answer for makes forged mails genuine: choose " +
			"one on this machine or in your own network.",
	}, Set: setDNS}
}

func setDNS(s *Settings, v []string) *settings.Mistake {
	server, err := netip.ParseAddrPort(v[0])
	if err != nil || server.Port() == 0 {
		return settings.Wrong("is not an IP address with a port", "write it as 127.0.0.1:53")
	}
	s.DNS = server
	return nil
}

func setSenderDomains(t *Tenant, v []string) *settings.Mistake {
	var all []string
	for _, item := range v {
		domain := strings.ToLower(item)
		suffix, _ := publicsuffix.PublicSuffix(domain)
		switch {
		case !phonemail.ValidDomain(domain):
			return settings.Wrong("has something that is not a mail domain", hintSender)
		case suffix == domain, isShared(domain, sharedDomains()):
			return settings.Wrong("has "+settings.Quote(domain)+", which belongs to everybody",
				"have the identity provider sign with a domain of your own, and write that; its mail "+
					"provider calls this domain authentication")
		}
		if !slices.Contains(all, domain) {
			all = append(all, domain)
		}
	}
	t.Mails.Sender.Domains = all
	return nil
}

// checkSender finds out whether senders can be told apart, and says loudly when they are not.
func (l *loader) checkSender(t *Tenant, given settings.Given) {
	s := t.Mails.Sender
	switch {
	case s.Verify == VerifyOff:
		l.Warn("tenant %s: UNSAFE: the sender of mails is not verified; every stranger who can mail "+
			"%s can cause texts to the countries it allows, and offer people a link of their own "+
			"(sender.verify)", t.Slug, t.Address.Domain)
		return
	case len(s.Domains) == 0 && !given.Has("sender.domains"):
		l.Add(given.Place("sender.domains"), settings.Wrong("is missing, so that no mail could be told "+
			"from a forged one", hintSender))
	case s.Verify == VerifyMailgun:
		l.Warn("tenant %s: the sender of mails is verified by Mailgun alone; keep the spam filter of "+
			"%s on, because without it every stranger can write Mailgun's results "+
			"(sender.verify)", t.Slug, t.Address.Domain)
	}
	for _, domain := range s.Domains {
		if isShared(domain, providerDomains()) {
			l.Warn("tenant %s: mails from %s come from all customers of that identity provider; each of "+
				"them can cause texts; set up a sender of your own there (sender.domains)", t.Slug, domain)
		}
	}
}

func isShared(domain string, among []string) bool {
	return slices.ContainsFunc(among, func(shared string) bool {
		return domain == shared || strings.HasSuffix(domain, "."+shared)
	})
}

// sharedDomains are domains that mail providers sign with for every customer, and those at which
// anyone can have a mailbox. Public suffixes, such as firebaseapp.com, are shared, too.
func sharedDomains() []string {
	return []string{
		"sendgrid.net", "sendgrid.com", "sendgrid.info", "mailgun.org", "mailgun.net", "mailgun.com",
		"amazonses.com", "mandrillapp.com", "mcsv.net", "mcdlv.net", "rsgsv.net", "mailchimpapp.net",
		"sparkpostmail.com", "sparkpost.com", "sparkpostmail2.com", "postmarkapp.com", "mtasv.net",
		"mailjet.com", "mailjet.net", "sendinblue.com", "brevo.com", "brevosend.com", "smtp2go.com",
		"elasticemail.com", "resend.dev", "resend.com", "mailersend.net", "mailersend.com",
		"mlsend.com", "socketlabs.com", "zeptomail.com", "zeptomail.net", "mailtrap.io",
		"mailtrap.live", "loops.so", "plunk.dev", "azurecomm.net", "ahasend.com", "scaleway-tem.com",
		"gmail.com", "googlemail.com", "gappssmtp.com", "outlook.com", "hotmail.com", "live.com",
		"msn.com", "onmicrosoft.com", "yahoo.com", "ymail.com", "aol.com", "icloud.com", "me.com",
		"mac.com", "gmx.com", "gmx.net", "gmx.de", "web.de", "mail.com", "mail.ru", "yandex.com",
		"yandex.ru", "proton.me", "protonmail.com", "pm.me", "zoho.com", "zohomail.com",
		"fastmail.com", "tutanota.com", "qq.com", "163.com", "126.com", "naver.com", "orange.fr",
		"free.fr", "t-online.de", "libero.it", "seznam.cz", "wp.pl",
	}
}

// providerDomains are domains from which identity providers send for every customer that has no
// sender of its own.
func providerDomains() []string {
	return []string{
		"auth0user.net", "auth0.com", "okta.com", "oktapreview.com", "verificationemail.com",
		"supabase.io", "supabase.co", "supabase.com", "clerk.dev", "clerk.com", "accounts.dev",
		"microsoftonline.com", "microsoft.com", "stytch.com", "fusionauth.io", "zitadel.com",
		"zitadel.cloud", "workos.com", "workos-mail.com", "descope.com", "kinde.com", "logto.io",
		"logto.app", "authgear.com", "frontegg.com", "ory.sh", "hanko.io", "nhost.run", "firebase.com",
	}
}
