package inboundtest

import (
	"html"
	"net/url"
	"regexp"
)

// hiddenField is a field that a form has and no person sees.
var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// HiddenFields are what the form on a page posts beside what is typed.
func HiddenFields(page string) url.Values {
	fields := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(page, -1) {
		fields.Set(field[1], html.UnescapeString(field[2]))
	}
	return fields
}
