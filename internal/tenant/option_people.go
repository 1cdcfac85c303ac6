package tenant

import (
	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
)

// OptOutScope says how far a STOP reaches.
type OptOutScope string

// The scopes. The line that was texted is in each.
const (
	OptOutSender OptOutScope = "sender" // the line alone
	OptOutTenant OptOutScope = "tenant" // all lines of the tenants that text from it
	OptOutAll    OptOutScope = "all"    // all tenants
)

// OptOut says what a STOP reaches, and whom people can ask.
type OptOut struct {
	Scope   OptOutScope
	Contact string // what HELP is answered with, "" when HELP is not answered
}

// optOutOptions are about people who want no more texts, or want to know who texts.
func optOutOptions() []option {
	return []option{
		{Row: row{
			Key: "opt_out_scope", Variable: "SMSBRIDGE_OPT_OUT_SCOPE", Default: "sender",
			Doc: "What a STOP stops. sender: texts from the number or service that was texted, as the " +
				"provider does. tenant: all texts of the tenant, from whichever sender. all: the texts " +
				"of all tenants of this bridge.",
			Prevents: "With sender, a person who said STOP to one of your numbers can be texted from " +
				"another. Some countries forbid that.",
		}, Set: settings.Choice(func(t *Tenant) *OptOutScope { return &t.OptOut.Scope },
			OptOutSender, OptOutTenant, OptOutAll)},
		{Row: row{
			Key: "contact", Variable: "SMSBRIDGE_CONTACT", Off: true, Example: "+45 70 10 20 30",
			Doc: "Whom people can ask: a phone number, a mail address or a web page. The bridge answers " +
				"HELP with it where the provider does not, once in two days for each phone. At most " +
				"40 characters. Without it, HELP is not answered.",
			Prevents: "Carriers in the US block senders that do not answer HELP.",
		}, Set: setContact},
	}
}

func setContact(t *Tenant, v []string) *settings.Mistake {
	if m := mistake(wording.JudgeContact(v[0])); m != nil {
		return m
	}
	t.OptOut.Contact = v[0]
	return nil
}
