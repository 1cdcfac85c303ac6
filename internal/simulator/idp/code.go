package idp

import (
	"crypto/rand"
	"strings"
	"time"
)

// Notice has no link of the provider and no code. There is nothing to do.
const Notice Provider = "notice"

// notice returns the row of the notice.
func notice() []*profile {
	return []*profile{{name: Notice, purpose: purposeNotice, style: mailStyle{
		Subject: "News from {name}", Heading: "Your account is ready",
		Intro:   "There is nothing for you to do.",
		Powered: "newsletter",
	}}}
}

// codeMail returns the row of a provider that mails a code of so many digits and no link.
func codeMail(name Provider, life time.Duration, digits int, parts mailParts) *profile {
	return &profile{name: name, purpose: purposeCode, life: life, code: digitCode(digits),
		style: mailStyle{
			Subject: "Your verification code", Parts: parts,
			Intro: "Please type this where you were asked for it. Nobody from {name} will ever want it " +
				"from you.",
		}}
}

// signInCode is the name of the mail of [Server.SignIn] that has a code.
const signInCode Provider = "sign-in-code"

func codeToSignIn() *profile {
	row := codeMail(signInCode, 10*time.Minute, 6, bothParts)
	row.purpose, row.style.Subject = purposeLogin, "Your sign-in code"
	return row
}

// digitCode returns a function that makes codes of n digits.
func digitCode(n int) func() string {
	return func() string {
		digits := make([]byte, n)
		rand.Read(digits)
		for i, b := range digits {
			digits[i] = '0' + b%10 // a little uneven, which does no harm in a pretend code
		}
		return string(digits)
	}
}

// EnterCode types the code of a mail into the identity provider's own page, which a person
// reaches without the mail. It does what following the mail does. It returns ErrCode if no mail
// to this address has the code, or if it is used or too old.
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
