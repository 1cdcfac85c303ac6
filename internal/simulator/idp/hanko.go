package idp

import "time"

// HankoCode is Hanko. It mails a code, and no link. Source: backend/mail/templates.
const HankoCode Provider = "hanko-code"

// hanko returns the row of Hanko.
func hanko() []*profile { return []*profile{codeMail(HankoCode, 5*time.Minute, 6, bothParts)} }
