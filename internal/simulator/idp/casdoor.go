package idp

import "time"

// CasdoorCode is Casdoor. It mails a code, and no link. Source: object/email.go.
const CasdoorCode Provider = "casdoor-code"

// casdoor returns the row of Casdoor.
func casdoor() []*profile { return []*profile{codeMail(CasdoorCode, 10*time.Minute, 6, textPart)} }
