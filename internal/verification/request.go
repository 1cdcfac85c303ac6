package verification

import (
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// For is a request with the settings of a tenant: its line, limits and wording. The door adds
// what it was asked for, and changes what it must. A door that was told a language decides with
// Tenant.CodeLanguageFor again.
func For(t *tenant.Tenant, door string, phone phonemail.Number) Request {
	way := t.Way(phone, tenant.ForCode)
	return Request{
		Tenant: t, Door: door, Line: way.Line, Phone: phone, Unreachable: way.Refusal,
		Length: t.Codes.Length, Renew: t.Codes.Renew, Wording: t.CodeWording(phone),
		Locale: t.CodeLanguageFor("", phone),
		Notify: t.API.Callback.URL != "",
		Limits: Limits{
			Life: t.Codes.ValidFor, Attempts: t.Codes.Attempts, Wrong: t.Codes.Wrong, Sends: t.Codes.Sends,
			Gap: t.Codes.Gap,
		},
	}
}
