package idp

import "time"

// CasdoorCode is Casdoor. Its mails for signing up have a code, and no link. Source:
// object/verification.go.
const CasdoorCode Provider = "casdoor-code"

// casdoor returns the row of Casdoor.
func casdoor() []*profile { return []*profile{codeMail(CasdoorCode, 10*time.Minute, 6, textPart)} }
