package tenant

import (
	"path"
	"slices"

	"smsbridge/internal/settings"
)

// Events says which of a tenant's addresses are told what happened. The zero value tells none.
type Events struct {
	To      []Endpoint
	Secrets []settings.Secret // whsec_ and base64; several during a rotation
}

// Endpoint is an address of a tenant's app that subscribed to events.
type Endpoint struct {
	Name  string // by which rows and logs know it
	URL   string
	Types []string // what it is told: types of events, or patterns such as text.*; none: all
}

// Wants reports whether the endpoint is told of a type of event.
func (e Endpoint) Wants(kind string) bool {
	matches := func(pattern string) bool {
		matched, err := path.Match(pattern, kind)
		return err == nil && matched
	}
	return len(e.Types) == 0 || slices.ContainsFunc(e.Types, matches)
}

// Endpoint returns the endpoint with a name.
func (e Events) Endpoint(name string) (Endpoint, bool) {
	i := slices.IndexFunc(e.To, func(to Endpoint) bool { return to.Name == name })
	if i < 0 {
		return Endpoint{}, false
	}
	return e.To[i], true
}

// Keys returns what signs the events.
func (e Events) Keys() [][]byte { return Callback{Secrets: e.Secrets}.Keys() }

// EventTypes are the types of events that an app may subscribe to; docs/EVENTS.md explains each.
func EventTypes() []string {
	return []string{
		"question.asked", "question.accepted", "question.confirmed", "question.denied",
		"question.expired", "question.failed", "question.canceled",
		"verification.started", "verification.approved", "verification.failed",
		"verification.expired", "verification.canceled", "verification.max_attempts_reached",
		"text.sent", "text.delivered", "text.undelivered", "text.failed", "text.suppressed",
		"limit.reached", "limit.paused",
	}
}
