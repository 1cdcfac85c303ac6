package idp

import "time"

// EntraCode is Microsoft Entra External ID. It mails a code, and no link. Source: Microsoft
// Entra External ID, "Email one-time passcode".
const EntraCode Provider = "entra-code"

// entra returns the row of Microsoft Entra External ID.
func entra() []*profile { return []*profile{codeMail(EntraCode, 10*time.Minute, 8, htmlPart)} }
