package linkclick

import (
	"encoding/json"
	"slices"
	"strings"
)

// fields is the JSON object of a response.
type fields struct {
	object map[string]any
	body   string // of the object
	good   bool   // the status is one of success
}

// readFields reads a response that is JSON; anything but a whole object is empty.
func readFields(a response) fields {
	f := fields{body: a.body, good: a.status >= 200 && a.status < 300}
	if a.isJSON && a.whole {
		_ = json.Unmarshal([]byte(a.body), &f.object) // leaves it empty if it fails
	}
	return f
}

// at returns the value at a path of names; nil if there is none.
func (f fields) at(path ...string) any {
	var value any = f.object
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// text returns the string at a path of names; "" if there is none.
func (f fields) text(path ...string) string {
	s, _ := f.at(path...).(string)
	return s
}

// confirms reports whether the object of some API says that an address is verified. The provider
// is that of the link; nil if it is not known.
func (f fields) confirms(of *provider) bool {
	return f.good && (f.at("emailVerified") == true || f.at("email_verified") == true ||
		of != nil && of.truth != "" && f.at(of.truth) == true)
}

// wordFields are the members of an object that tell a reader how it went.
var wordFields = []string{
	"message", "msg", "error", "error_code", "error_description", "errorDescription",
	"error_message", "reason", "detail", "description", "title", "text", "string", "code",
}

// words returns what the object says at any depth, one member a line, in the order of the response:
// a member may deny what the one before it names. A name such as TOKEN_EXPIRED becomes words.
func (f fields) words() string {
	if f.object == nil {
		return ""
	}
	var lines []string
	d := json.NewDecoder(strings.NewReader(f.body)) // which was read as a whole object before
	var collect func(name string)
	collect = func(name string) {
		token, _ := d.Token()
		switch v := token.(type) {
		case json.Delim:
			for d.More() {
				member := ""
				if v == '{' {
					key, _ := d.Token()
					member, _ = key.(string)
				}
				collect(member)
			}
			_, _ = d.Token() // its end
		case string:
			if slices.Contains(wordFields, name) {
				lines = append(lines, strings.ReplaceAll(v, "_", " "))
			}
		}
	}
	collect("")
	return strings.Join(lines, "\n")
}
