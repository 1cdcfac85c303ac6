package inbound

import (
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	durable "smsbridge/internal/azuredurable"
)

// This file is how the Durable door reads queries and codes.

// durableWait is how long a start waits for the end of its instance, and how often it looks.
type durableWait struct{ timeout, interval time.Duration }

// Bounds of waiting: the answer must be written before the server's own time-out, and the database not be asked in a tight loop.
const (
	maxDurableWait = time.Minute
	minDurableLook = 50 * time.Millisecond
	maxDurableLook = 5 * time.Second
)

// durableQuery is a query whose names are in small letters, as they are known in any capitals. Of a repeated name it has one value.
type durableQuery map[string]string

func newDurableQuery(values url.Values) durableQuery {
	query := durableQuery{}
	for _, name := range slices.Sorted(maps.Keys(values)) { // always the same one
		query[strings.ToLower(name)] = values[name][0]
	}
	return query
}

func (q durableQuery) text(name string) string { return q[strings.ToLower(name)] }

// flag reads true and false in any capitals (the Python client writes True), and takes anything else for the default, as .NET does.
func (q durableQuery) flag(name string, otherwise bool) bool {
	switch strings.ToLower(q.text(name)) {
	case "true":
		return true
	case "false":
		return false
	}
	return otherwise
}

// wait reads how long a start waits, or says what is wrong. It does not wait unless both numbers are there.
func (q durableQuery) wait() (durableWait, string) {
	timeout, err := strconv.ParseFloat(q.text("timeout"), 64)
	interval, err2 := strconv.ParseFloat(q.text("pollingInterval"), 64)
	switch {
	case q.text("timeout") == "" || q.text("pollingInterval") == "":
		return durableWait{}, ""
	case err != nil, err2 != nil, math.IsNaN(timeout), math.IsNaN(interval), timeout < 0, interval < 0:
		return durableWait{}, "timeout and pollingInterval are numbers of seconds."
	case interval > timeout:
		return durableWait{}, "timeout must be longer than pollingInterval."
	}
	seconds := func(s float64, least, most time.Duration) time.Duration {
		return max(least, time.Duration(min(s, most.Seconds())*float64(time.Second)))
	}
	return durableWait{seconds(timeout, 1, maxDurableWait), seconds(interval, minDurableLook, maxDurableLook)}, ""
}

// filter reads which instances are meant, or says what is wrong.
func (q durableQuery) filter() (f durable.Filter, refused string) {
	var ok bool
	if f.From, ok = durableTime(q.text("createdTimeFrom")); !ok {
		refused = "createdTimeFrom is a time such as 2026-01-31T12:00:00Z."
	}
	if f.To, ok = durableTime(q.text("createdTimeTo")); !ok {
		refused = "createdTimeTo is a time such as 2026-01-31T12:00:00Z."
	}
	for word := range strings.SplitSeq(q.text("runtimeStatus"), ",") {
		status, ok := durable.ParseStatus(strings.TrimSpace(word))
		if ok {
			f.Statuses = append(f.Statuses, status)
		} else if q.text("runtimeStatus") != "" {
			refused = "runtimeStatus has a word that is no status."
		}
	}
	if f.Prefix = q.text("instanceIdPrefix"); !plainText(f.Prefix) {
		refused = "instanceIdPrefix has characters that no id has."
	}
	return f, refused
}

// durableTime reads a time in one of the forms that clients write; without a zone it is UTC. "" is no time.
func durableTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	text = strings.ReplaceAll(text, " ", "+") // a plus sign that was not escaped
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// plainText reports whether the databases take a text.
func plainText(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// unpack is the text of a JSON string or number, and of a JSON string within the string, because the Python client packs twice. It also takes
// digits that are no JSON number because they start with a zero, as codes do. "" for anything else.
func unpack(body []byte) string {
	text := loose(body)
	if strings.HasPrefix(text, `"`) {
		return loose([]byte(text))
	}
	if digits := strings.TrimSpace(string(body)); text == "" && wholeNumber.MatchString(digits) {
		return digits
	}
	return text
}

var wholeNumber = regexp.MustCompile(`^[0-9]{1,10}$`)

// fillUp is the code that a whole number stands for, filled up with zeros: the sample compares numbers.
func fillUp(number string, digits int) string {
	number = strings.TrimLeft(number, "0")
	return strings.Repeat("0", max(0, digits-len(number))) + number
}
