package linkclick

// casdoor is Casdoor. It mails codes.
//
// Source: casdoor object/email.go.
var casdoor = provider{
	name:    "casdoor",
	noLink:  "its mails carry codes only",
	footers: []string{"casdoor"},
}
