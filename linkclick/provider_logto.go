package linkclick

// logto is Logto. It mails codes.
//
// Source: logto connector-smtp/src/constant.ts.
var logto = provider{
	name:    "logto",
	noLink:  "its mails carry codes only",
	footers: []string{"logto"},
}
