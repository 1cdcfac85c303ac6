package simulator

import (
	"strings"
	"time"
)

// idpCodes returns the rows of mails with nothing to redeem by a link: those with only a code, and the notice. Sources:
// AWS, "Signing up and confirming user accounts"; Microsoft Entra External ID, "Email one-time passcode"; Hanko,
// backend/mail/templates; Logto, connector-smtp; Casdoor, object/email.go.
func idpCodes() []*idpProvider {
	return []*idpProvider{
		idpCodeMail(IdPCognitoCode, idpDay, 6, idpHTMLPart),
		idpCodeMail(IdPEntraCode, 10*time.Minute, 8, idpHTMLPart),
		idpCodeMail(IdPHankoCode, 5*time.Minute, 6, idpBothParts),
		idpCodeMail(IdPLogtoCode, 10*time.Minute, 6, idpHTMLPart),
		idpCodeMail(IdPCasdoorCode, 10*time.Minute, 6, idpTextPart),
		{name: IdPNotice, purpose: idpNotice, letter: idpLetter{
			Subject: "News from {name}", Heading: "Your account is ready", Intro: "There is nothing for you to do.", Powered: "newsletter",
		}},
	}
}

// idpCodeMail returns the row of a provider that mails a code of so many digits and no link.
func idpCodeMail(name IdPProvider, life time.Duration, digits int, parts idpParts) *idpProvider {
	return &idpProvider{name: name, purpose: idpCode, life: life, code: idpDigits(digits), letter: idpLetter{
		Subject: "Your verification code", Parts: parts,
		Intro: "Please type this where you were asked for it. Nobody from {name} will ever want it from you.",
	}}
}

// EnterCode types the code of a mail into the identity provider's own page, which a person reaches without the mail. It
// does what following the mail does. It returns ErrIdPCode if no mail to this address has the code or if it is used or
// too old.
func (i *IdP) EnterCode(email, code string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, k := range i.tickets {
		if code != "" && k.code == code && k.email == strings.ToLower(email) && i.redeem(k) == idpVerified {
			return nil
		}
	}
	return ErrIdPCode
}
