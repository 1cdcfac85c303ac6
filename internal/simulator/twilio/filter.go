package twilio

import (
	"net/url"
	"time"
)

// listFilter selects the texts of a list.
type listFilter struct {
	to, from     string
	since, until time.Time // sent at or after, sent at or before; zero: no limit
}

// parseFilter reads To, From and the three forms of DateSent. Without a sign it is the day itself.
// With < or > it is the instant or day up to or from which, inclusive. See
// https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources.
//
// It reports false for a date in neither form.
func parseFilter(query url.Values) (listFilter, bool) {
	filter := listFilter{to: query.Get("To"), from: query.Get("From")}
	if raw := query.Get("DateSent"); raw != "" {
		day, _, ok := parseDate(raw)
		if !ok {
			return filter, false
		}
		filter.since = day.Truncate(24 * time.Hour)
		filter.until = filter.since.Add(24*time.Hour - time.Nanosecond)
	}
	if raw := query.Get("DateSent>"); raw != "" {
		since, _, ok := parseDate(raw)
		if !ok {
			return filter, false
		}
		filter.since = since
	}
	if raw := query.Get("DateSent<"); raw != "" {
		until, isDay, ok := parseDate(raw)
		if !ok {
			return filter, false
		}
		if isDay {
			until = until.Add(24*time.Hour - time.Nanosecond)
		}
		filter.until = until
	}
	return filter, true
}

// parseDate reads YYYY-MM-DD, a day of UTC, or an instant of RFC 3339.
func parseDate(raw string) (at time.Time, isDay, ok bool) {
	if day, err := time.Parse(time.DateOnly, raw); err == nil {
		return day, true, true
	}
	at, err := time.Parse(time.RFC3339, raw)
	return at.UTC(), false, err == nil
}

// match reports whether the filter selects the text. Dates are compared in whole seconds, which
// is all the API shows.
func (f listFilter) match(text *storedText) bool {
	sent := text.sent.Truncate(time.Second)
	dated := !f.since.IsZero() || !f.until.IsZero()
	return (f.to == "" || f.to == text.To) &&
		(f.from == "" || f.from == text.From) &&
		!(dated && text.sent.IsZero()) &&
		(f.since.IsZero() || !sent.Before(f.since.Truncate(time.Second))) &&
		(f.until.IsZero() || !sent.After(f.until))
}
