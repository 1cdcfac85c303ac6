package azuredurable

import (
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsbridge/inbound/web"
	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
)

// This file reads queries and codes.

// waiting is how long a start waits for the end of its instance, and how often it looks.
type waiting struct{ timeout, interval time.Duration }

// Bounds of waiting. The response must be written before the server's own timeout, and the database
// must not be asked in a tight loop.
const (
	maxWait = time.Minute
	minLook = 50 * time.Millisecond
	maxLook = 5 * time.Second
)

// params is a query. Its names are in small letters, because a client may write any capitals. Of a
// repeated name it has one value.
type params map[string]string

func readParams(values url.Values) params {
	query := params{}
	for _, name := range slices.Sorted(maps.Keys(values)) { // always the same one
		query[strings.ToLower(name)] = values[name][0]
	}
	return query
}

func (q params) text(name string) string { return q[strings.ToLower(name)] }

// flag reads true and false in any capitals (the Python client writes True). Anything else is the
// default, as in .NET.
func (q params) flag(name string, otherwise bool) bool {
	switch strings.ToLower(q.text(name)) {
	case "true":
		return true
	case "false":
		return false
	}
	return otherwise
}

// wait reads how long a start waits, or says what is wrong. Without both numbers a start does not
// wait.
func (q params) wait() (waiting, string) {
	timeout, err := strconv.ParseFloat(q.text("timeout"), 64)
	interval, err2 := strconv.ParseFloat(q.text("pollingInterval"), 64)
	switch {
	case q.text("timeout") == "" || q.text("pollingInterval") == "":
		return waiting{}, ""
	case err != nil, err2 != nil, math.IsNaN(timeout), math.IsNaN(interval),
		timeout < 0, interval < 0:
		return waiting{}, "timeout and pollingInterval are numbers of seconds."
	case interval > timeout:
		return waiting{}, "timeout must be longer than pollingInterval."
	}
	seconds := func(s float64, least, most time.Duration) time.Duration {
		return max(least, time.Duration(min(s, most.Seconds())*float64(time.Second)))
	}
	return waiting{seconds(timeout, 1, maxWait), seconds(interval, minLook, maxLook)}, ""
}

// filter reads which instances are meant, or says what is wrong.
func (q params) filter() (f azuredurable.Filter, refused string) {
	var ok bool
	if f.From, ok = parseTime(q.text("createdTimeFrom")); !ok {
		refused = "createdTimeFrom is a time such as 2026-01-31T12:00:00Z."
	}
	if f.To, ok = parseTime(q.text("createdTimeTo")); !ok {
		refused = "createdTimeTo is a time such as 2026-01-31T12:00:00Z."
	}
	for word := range strings.SplitSeq(q.text("runtimeStatus"), ",") {
		status, ok := azuredurable.ParseStatus(strings.TrimSpace(word))
		if ok {
			f.Statuses = append(f.Statuses, status)
		} else if q.text("runtimeStatus") != "" {
			refused = "runtimeStatus has a word that is no status."
		}
	}
	if f.Prefix = q.text("instanceIdPrefix"); !store.IsText(f.Prefix) {
		refused = "instanceIdPrefix has characters that no id has."
	}
	return f, refused
}

// parseTime reads a time in one of the forms that clients write. Without a zone it is UTC. "" is no
// time.
func parseTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	text = strings.ReplaceAll(text, " ", "+") // a plus sign that was not escaped
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02",
	} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// unpack is the text of a JSON string or number. The Python client packs twice, so it is also the
// text of a JSON string within the string. Digits that start with a zero, as codes do, are no JSON
// number, and are taken too. "" for anything else.
func unpack(body []byte) string {
	text := web.Loose(body)
	if strings.HasPrefix(text, `"`) {
		return web.Loose([]byte(text))
	}
	if digits := strings.TrimSpace(string(body)); text == "" && wholeNumber.MatchString(digits) {
		return digits
	}
	return text
}

var wholeNumber = regexp.MustCompile(`^[0-9]{1,10}$`)
