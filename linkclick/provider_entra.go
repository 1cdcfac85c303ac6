package linkclick

// entra is Microsoft Entra External ID, formerly Azure AD B2C. It mails codes.
//
// Source: learn.microsoft.com/entra/external-id, "Email one-time passcode".
var entra = provider{
	name:    "entra",
	noLink:  "its mails carry codes only",
	senders: []string{"microsoftonline.com"},
	footers: []string{"microsoft entra"},
}
