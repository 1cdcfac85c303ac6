package idp

import "time"

// LogtoCode is Logto. It mails a code, and no link. Source: connector-smtp.
const LogtoCode Provider = "logto-code"

// logto returns the row of Logto.
func logto() []*profile { return []*profile{codeMail(LogtoCode, 10*time.Minute, 6, htmlPart)} }
