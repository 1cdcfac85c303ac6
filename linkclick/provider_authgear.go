package linkclick

// authgear is Authgear. It mails codes, and a login link for the person to approve. The words of
// the mail tell what that link is.
//
// Source: authgear resources/authgear/templates.
var authgear = provider{
	name:    "authgear",
	noLink:  "its verification mails carry codes; the shape of its login link is not known",
	senders: []string{"authgear.com"},
	footers: []string{"authgear"},
}
