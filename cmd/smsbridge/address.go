package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"smsbridge/phonemail"
)

// The helps are in addressHelps, since a tag cannot be broken into lines.
type addressCommand struct {
	Of     string `arg:"" help:"A phone number such as +4512345678, or a phone's mail address."`
	Prefix string `help:"${address_prefix}" env:"SMSBRIDGE_TENANT" placeholder:"acme"`
	Domain string `help:"${address_domain}" env:"SMSBRIDGE_MAIL_DOMAIN" placeholder:"sms.acme.example"`
}

// addressHelps returns the helps of the flags, by the names that their tags have.
func addressHelps() kong.Vars {
	return kong.Vars{
		"address_prefix": "What stands before the plus sign: the tenant.",
		"address_domain": "The domain at which the tenant's phones have mail addresses.",
	}
}

// Help is shown by smsbridge address --help.
func (addressCommand) Help() string {
	return "An application that signs up a person without e-mail " +
		"gives the identity provider this address:\n\n" +
		"  $ smsbridge address +4512345678 --prefix acme --domain sms.acme.example\n" +
		"  acme+4512345678@sms.acme.example\n" +
		"  $ smsbridge address acme+4512345678@sms.acme.example\n" +
		"  +4512345678"
}

// Run prints the address of a phone or the phone of an address.
func (a addressCommand) Run(w world) error {
	if strings.Contains(a.Of, "@") {
		return a.printPhone(w)
	}
	number, err := phonemail.ParseNumber(a.Of)
	if err != nil {
		return mistake{a.Of + " is not a phone number that exists anywhere",
			"write it with country code and without spaces, such as +4512345678"}
	}
	prefix, domain := strings.ToLower(a.Prefix), strings.ToLower(a.Domain)
	if !phonemail.ValidPrefix(prefix) || !phonemail.ValidDomain(domain) {
		return mistake{"the tenant's prefix or mail domain is missing or cannot be used in an address",
			"give them: --prefix acme --domain sms.acme.example, " +
				"or set SMSBRIDGE_TENANT and SMSBRIDGE_MAIL_DOMAIN"}
	}
	_, err = fmt.Fprintln(w.stdout, phonemail.Scheme{Prefix: prefix, Domain: domain}.Address(number))
	return err
}

func (a addressCommand) printPhone(w world) error {
	scheme, number, err := phonemail.ParseAddress(a.Of)
	if err != nil {
		return mistake{a.Of + " is not a phone's mail address",
			"it has the form acme+4512345678@sms.acme.example: 7 to 15 digits after the last plus sign"}
	}
	if a.Prefix != "" && !strings.EqualFold(scheme.Prefix, a.Prefix) ||
		a.Domain != "" && !strings.EqualFold(scheme.Domain, a.Domain) {
		return mistake{a.Of + " is not an address of this tenant",
			"its addresses begin with " + a.Prefix + "+ and end with @" + a.Domain}
	}
	_, err = fmt.Fprintln(w.stdout, number.E164())
	return err
}
