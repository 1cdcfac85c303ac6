package linkclick

// hanko is Hanko. It mails codes.
//
// Source: hanko backend/mail/templates.
var hanko = provider{
	name:    "hanko",
	noLink:  "its mails carry codes only",
	footers: []string{"hanko"},
}
