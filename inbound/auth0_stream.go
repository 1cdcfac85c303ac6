package inbound

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// This file takes Auth0's streams: logs (https://auth0.com/docs/customize/log-streams/custom-log-streams) as JSON lines, array or object, and events
// (https://auth0.com/docs/customize/events). Both come at least once and in any order. What is not about a code of ours is counted and forgotten; an
// answer that is not 200 is for a stream that must be repeated, or that is not Auth0's.

const (
	maxStream   = 4 << 20 // bytes of a batch
	maxStreamed = 2000    // objects of a batch
)

// streamed is one object of a stream: a log or an event.
type streamed struct {
	LogID string `json:"log_id"`

	// Of events only. The names are those of CloudEvents, but Auth0's page of event types has other ones in its example.
	SpecVersion      string `json:"specversion"`
	OtherSpecVersion string `json:"spec_version"`
	ID               string `json:"id"`
	Type             string `json:"type"`

	Data struct {
		Type     string          `json:"type"` // https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes
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

// receiveAuth0Stream takes a batch of logs or events. The token comes as Auth0 was told to send it: alone, as log streams do, or as a bearer token.
func (s *Server) receiveAuth0Stream(c echo.Context) error {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || len(t.Auth0.StreamTokens) == 0 {
		return s.refuseAuth0(c, notFound.of("There is no such tenant, or it has no token for this door."))
	}
	values := c.Request().Header.Values(echo.HeaderAuthorization)
	if len(values) != 1 || !t.Auth0.AllowsStream(values[0]) && !t.Auth0.AllowsStream(bearer(c.Request())) {
		return s.refuseAuth0(c, unauthorized.of("Send the configured token as Authorization."))
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.Request().Body, maxStream))
	if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
		return s.refuseAuth0(c, tooLarge.of("It is larger than any batch."))
	}
	all, err := readStream(body)
	if err != nil {
		return s.refuseAuth0(c, badRequest.of("The body has no logs and no events."))
	}
	return s.feed(c, t, func(ctx context.Context, tx *store.Tx) (map[auth0.Result]int, error) {
		counts := map[auth0.Result]int{}
		for _, one := range all {
			what, err := takeStreamed(ctx, tx, t, one)
			if err != nil {
				return nil, err
			}
			counts[what]++
		}
		return counts, nil
	})
}

var errNotStream = errors.New("not a stream of JSON objects")

// readStream reads objects one after the other or in one array. Objects of an unexpected shape are read as empty ones, which are about nothing:
// Auth0 switches a stream off that it cannot deliver.
func readStream(body []byte) ([]streamed, error) {
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
	if len(raws) == 0 || len(raws) > maxStreamed {
		return nil, errNotStream
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

// takeStreamed takes one object, unless it was taken before.
func takeStreamed(ctx context.Context, tx *store.Tx, t *tenant.Tenant, one streamed) (auth0.Result, error) {
	f, ok := one.feedback(t.Auth0.PhonePath)
	if !ok {
		return auth0.Other, nil
	}
	return auth0.TakeEvent(ctx, tx, t, cmp.Or(one.LogID, one.ID), f)
}

// feedback reads what an object says about a code. The second result is false when that is nothing.
func (o streamed) feedback(phonePath []string) (auth0.Feedback, bool) {
	if o.SpecVersion != "" || o.OtherSpecVersion != "" {
		kind := strings.TrimPrefix(o.Type, "com.auth0.")
		user := o.Data.Object
		verified := user.PhoneVerified && (o.Data.Previous == nil || !o.Data.Previous.PhoneVerified)
		f := auth0.Feedback{Source: "event", UserID: user.UserID, Phone: numberIn(user.PhoneNumber)}
		return f, verified && (kind == "user.created" || kind == "user.updated") && f.Phone != (phonemail.Number{})
	}
	f := auth0.Feedback{Source: "log " + o.Data.Type, UserID: o.Data.UserID}
	switch o.Data.Type {
	case "s", "sepotpft": // a log-in, or the exchange of a passwordless code
		f.Phone = numberIn(o.Data.UserName)
		return f, o.Data.Strategy == "sms" || strings.HasPrefix(f.UserID, "sms|")
	case "gd_auth_succeed", "gd_enrollment_complete", "seoobft": // MFA, by whatever factor
		f.Phone = phoneIn(o.Data.Details, phonePath)
		return f, f.UserID != "" || f.Phone != (phonemail.Number{})
	}
	return f, false
}

// numberIn is a number, or none.
func numberIn(text string) phonemail.Number {
	phone, _ := phonemail.ParseNumber(text)
	return phone
}

// phoneIn finds the phone in the details of a log: at a path from the log's data, or else the only number there is.
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
