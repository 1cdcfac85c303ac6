package idp

import (
	"strings"
	"time"
)

// codes returns the rows of mails with nothing to redeem by a link: those with only a code, and the notice. Sources:
// AWS, "Signing up and confirming user accounts"; Microsoft Entra External ID, "Email one-time passcode"; Hanko,
// backend/mail/templates; Logto, connector-smtp; Casdoor, object/email.go.
func codes() []*profile {
	return []*profile{
		codeMail(CognitoCode, day, 6, htmlPart),
		codeMail(EntraCode, 10*time.Minute, 8, htmlPart),
		codeMail(HankoCode, 5*time.Minute, 6, bothParts),
		codeMail(LogtoCode, 10*time.Minute, 6, htmlPart),
		codeMail(CasdoorCode, 10*time.Minute, 6, textPart),
		{name: Notice, purpose: purposeNotice, letter: mailStyle{
			Subject: "News from {name}", Heading: "Your account is ready", Intro: "There is nothing for you to do.", Powered: "newsletter",
		}},
	}
}

// codeMail returns the row of a provider that mails a code of so many digits and no link.
func codeMail(name Provider, life time.Duration, digits int, parts parts) *profile {
	return &profile{name: name, purpose: purposeCode, life: life, code: digitCode(digits), letter: mailStyle{
		Subject: "Your verification code", Parts: parts,
		Intro: "Please type this where you were asked for it. Nobody from {name} will ever want it from you.",
	}}
}

// EnterCode types the code of a mail into the identity provider's own page, which a person reaches without the mail. It
// does what following the mail does. It returns ErrCode if no mail to this address has the code or if it is used or
// too old.
func (i *Server) EnterCode(email, code string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, k := range i.tickets {
		if code != "" && k.code == code && k.email == strings.ToLower(email) && i.redeem(k) == verified {
			return nil
		}
	}
	return ErrCode
}
