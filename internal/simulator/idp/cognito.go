package idp

// Amazon Cognito. Sources: AWS, "Customizing email verification messages" and "Signing up and
// confirming user accounts".
const (
	// Cognito takes one GET, and responds with a page. It never redirects.
	Cognito Provider = "cognito"
	// CognitoCode mails a code, and no link.
	CognitoCode Provider = "cognito-code"
)

// cognito returns Cognito's rows.
func cognito() []*profile {
	return []*profile{
		{name: Cognito, purpose: purposeVerify, life: day,
			link:  "/confirmUser/?client_id={id}&user_name={email}&confirmation_code={secret}",
			style: mailStyle{Anchor: "Verify Email"}, says: pageWords, get: getPage},
		codeMail(CognitoCode, day, 6, htmlPart),
	}
}
