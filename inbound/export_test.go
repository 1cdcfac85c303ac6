package inbound

// What the tests from outside of the package compare with.
const (
	MaxRead       = maxRead
	MaxKept       = maxKept
	MaxToken      = maxToken
	MaxRecipients = maxRecipients
	OldestPost    = oldestPost
	NewestPost    = newestPost
)

// ParsedFields reports whether a field of a parsed mail is read.
func ParsedFields(name string) bool { return parsedFields(name) }
