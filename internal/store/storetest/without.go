package storetest

import "regexp"

var (
	idForm   = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	timeForm = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)
)

// WithoutIDs is a text without its ids and times. Their digits may be those of a short code by
// chance, so a test that looks for the code looks here.
func WithoutIDs(text string) string {
	return timeForm.ReplaceAllString(idForm.ReplaceAllString(text, "ID"), "TIME")
}
