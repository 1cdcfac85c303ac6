package auth0

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// This file takes Auth0's streams: logs
// (https://auth0.com/docs/customize/log-streams/custom-log-streams) as JSON lines, array or object,
// the last as one log or as {"logs": [...]}, and events
// (https://auth0.com/docs/customize/events). Both come at least once and in any order.
// An object that is not about a code is counted and forgotten. A response other than 200 makes
// Auth0 send the batch again, or is for a sender that is not Auth0.

const (
	maxStream   = 4 << 20 // bytes of a batch
	maxStreamed = 2000    // objects of a batch
)

// streamed is one object of a stream: a log or an event.
type streamed struct {
	LogID string `json:"log_id"`

	// Of events only. The names are those of CloudEvents. Auth0's page of event types has other
	// ones in its example.
	SpecVersion      string `json:"specversion"`
	OtherSpecVersion string `json:"spec_version"`
	ID               string `json:"id"`
	Type             string `json:"type"`

	Data struct {
		// Type is one of https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes.
		Type     string          `json:"type"`
		Strategy string          `json:"strategy"`
		UserID   string          `json:"user_id"`
		UserName string          `json:"user_name"`
		Details  json.RawMessage `json:"details"`

		Object   streamedUser  `json:"object"`
		Previous *streamedUser `json:"previous_object"`
	} `json:"data"`
}

type streamedUser struct {
	UserID        string `json:"user_id"`
	PhoneNumber   string `json:"phone_number"`
	PhoneVerified bool   `json:"phone_verified"`
}

// receiveStream takes a batch of logs or events. The token comes as Auth0 was told to send it:
// alone, as log streams do, or as a bearer token.
func (d *Door) receiveStream(c echo.Context) error {
	t, ok := d.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || len(t.Auth0.StreamTokens) == 0 {
		return d.refuse(c,
			web.NotFound.Of("There is no such tenant, or it has no token for this door."))
	}
	values := c.Request().Header.Values(echo.HeaderAuthorization)
	if len(values) != 1 ||
		!t.Auth0.AllowsStream(values[0]) && !t.Auth0.AllowsStream(web.Bearer(c.Request())) {
		return d.refuse(c, web.Unauthorized.Of("Send the configured token as Authorization."))
	}
	for _, token := range []string{values[0], web.Bearer(c.Request())} {
		d.Used(t.Slug, "auth0.log_stream_token", tenant.Place(t.Auth0.StreamTokens, token))
	}
	body, p := web.ReadBody(c.Request(), maxStream, "It is larger than any batch.")
	if p != nil {
		return d.refuse(c, p)
	}
	all, err := readStream(body)
	if err != nil {
		return d.refuse(c, web.BadRequest.Of("The body has no logs and no events."))
	}
	return d.feed(c, t, func(ctx context.Context, tx *store.Tx) (counts, error) {
		counted := counts{}
		for _, one := range all {
			result, err := one.take(ctx, tx, t)
			if err != nil {
				return nil, err
			}
			counted[result]++
		}
		return counted, nil
	})
}

var errNotStream = errors.New("not a stream of JSON objects")

// readStream reads objects one after the other, in one array, or in the member logs of an object.
// An object of an unexpected shape is read as an empty one, which is not about a code: Auth0
// switches a stream off that it cannot deliver.
func readStream(body []byte) ([]streamed, error) {
	raws, err := split(body)
	if err != nil {
		return nil, err
	}
	all := make([]streamed, len(raws))
	for i, raw := range raws {
		if raw[0] != '{' {
			return nil, errNotStream
		}
		if json.Unmarshal(raw, &all[i]) != nil {
			all[i] = streamed{}
		}
	}
	return all, nil
}

// split takes a batch apart into its objects, which it does not read.
func split(body []byte) ([]json.RawMessage, error) {
	var raws []json.RawMessage
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		if json.Unmarshal(body, &raws) != nil {
			return nil, errNotStream
		}
	} else {
		for in := json.NewDecoder(bytes.NewReader(body)); ; {
			var raw json.RawMessage
			if err := in.Decode(&raw); errors.Is(err, io.EOF) {
				break
			} else if err != nil || len(raws) >= maxStreamed {
				return nil, errNotStream
			}
			raws = append(raws, raw)
		}
	}
	if len(raws) == 1 && raws[0][0] == '{' {
		var batch struct {
			Logs []json.RawMessage `json:"logs"`
		}
		if json.Unmarshal(raws[0], &batch) == nil && batch.Logs != nil {
			raws = batch.Logs
		}
	}
	if len(raws) == 0 || len(raws) > maxStreamed {
		return nil, errNotStream
	}
	return raws, nil
}

// take hands the object's feedback to the rule.
func (o streamed) take(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant,
) (auth0.Result, error) {
	f, ok := o.feedback(t.Auth0.PhonePath)
	if !ok {
		return auth0.Other, nil
	}
	return auth0.TakeEvent(ctx, tx, t, cmp.Or(o.LogID, o.ID), f)
}

// feedback reads what an object says about a code. The second result is false when that is nothing.
func (o streamed) feedback(phonePath []string) (auth0.Feedback, bool) {
	none := phonemail.Number{}
	if o.SpecVersion != "" || o.OtherSpecVersion != "" {
		kind := strings.TrimPrefix(o.Type, "com.auth0.")
		user, before := o.Data.Object, o.Data.Previous
		verified := user.PhoneVerified && (before == nil || !before.PhoneVerified)
		f := auth0.Feedback{
			Source: "event", UserID: user.UserID, Phone: numberIn(user.PhoneNumber),
		}
		return f, verified && (kind == "user.created" || kind == "user.updated") && f.Phone != none
	}
	f := auth0.Feedback{Source: "log " + o.Data.Type, UserID: o.Data.UserID}
	switch o.Data.Type {
	case "s", "sepotpft": // a log-in, or the exchange of a passwordless code
		f.Phone = numberIn(o.Data.UserName)
		return f, o.Data.Strategy == "sms" || strings.HasPrefix(f.UserID, "sms|")
	case "gd_auth_succeed", "gd_enrollment_complete", "seoobft": // MFA, by whatever factor
		f.Phone = phoneIn(o.Data.Details, phonePath)
		return f, f.UserID != "" || f.Phone != none
	}
	return f, false
}

// numberIn is the phone number that a text is, or none.
func numberIn(text string) phonemail.Number {
	phone, _ := phonemail.ParseNumber(text)
	return phone
}

// phoneIn finds the phone in the details of a log. With a path, which begins at the log's data, it
// is the number there; without one it is the only number in the details, and none if there are two.
func phoneIn(details json.RawMessage, path []string) phonemail.Number {
	var at any
	if json.Unmarshal(details, &at) != nil {
		return phonemail.Number{}
	}
	if len(path) > 0 {
		at = map[string]any{"details": at}
		for _, name := range path {
			object, _ := at.(map[string]any)
			at = object[name]
		}
		text, _ := at.(string)
		return numberIn(text)
	}
	found := map[phonemail.Number]bool{}
	collectPhones(at, found)
	if len(found) == 1 {
		for phone := range found {
			return phone
		}
	}
	return phonemail.Number{}
}

func collectPhones(at any, found map[phonemail.Number]bool) {
	switch at := at.(type) {
	case string:
		if phone := numberIn(at); phone != (phonemail.Number{}) {
			found[phone] = true
		}
	case []any:
		for _, one := range at {
			collectPhones(one, found)
		}
	case map[string]any:
		for _, one := range at {
			collectPhones(one, found)
		}
	}
}
