package wording

import "sync"

// ShippedCode returns the shipped text of a code in a language, in English when there is none of
// it.
func ShippedCode(language string) Text { return in(language).code }

// AuthMessage is the shipped text of the door for Flowroute's clients. The bare code is on its
// first line, which clients' tests read.
const AuthMessage = "{{.Code}}\nWelcome to {{.Name}}! " +
	"Use this one-time code to complete your signup."

// ShippedAuthMessage returns AuthMessage, taken apart.
func ShippedAuthMessage() Text { return authMessage() }

var authMessage = sync.OnceValue(func() Text { return mustParse(AuthMessage, codeFields()) })
