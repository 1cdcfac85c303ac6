package inboundtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Description is openapi.yaml, decoded.
type Description struct{ Root map[string]any }

// ReadDescription reads openapi.yaml as the bridge serves it.
func ReadDescription(t testing.TB, b *Bridge) Description {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, b.URL+"/v1/openapi.yaml", nil)
	require.NoError(t, err)
	var d Description
	require.NoError(t, yaml.Unmarshal([]byte(b.Send(t, request).Body), &d.Root))
	return d
}

// At follows a path of keys, and references on the way.
func (d Description) At(node any, keys ...string) any {
	for _, key := range keys {
		object, _ := d.follow(node).(map[string]any)
		node = object[key]
	}
	return d.follow(node)
}

func (d Description) follow(node any) any {
	object, ok := node.(map[string]any)
	if !ok {
		return node
	}
	reference, ok := object["$ref"].(string)
	if !ok {
		return node
	}
	return d.At(d.Root, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
}

// Judge returns what a JSON value has that its schema does not allow, of the keywords that
// openapi.yaml uses.
func (d Description) Judge(schema, value any, where string) (faults []string) {
	s, ok := d.follow(schema).(map[string]any)
	if !ok {
		return []string{where + " has no schema"}
	}
	fault := func(format string, args ...any) {
		faults = append(faults, where+" "+fmt.Sprintf(format, args...))
	}
	switch v := value.(type) {
	case map[string]any:
		if s["type"] != "object" {
			fault("is an object")
		}
		for _, name := range List(s["required"]) {
			if _, there := v[name.(string)]; !there {
				fault("lacks %s", name)
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for name, member := range v {
			if properties[name] == nil {
				fault("has %s", name)
				continue
			}
			faults = append(faults, d.Judge(properties[name], member, where+"."+name)...)
		}
	case []any:
		for i, item := range v {
			faults = append(faults, d.Judge(s["items"], item, fmt.Sprintf("%s[%d]", where, i))...)
		}
	case string:
		if s["type"] != "string" {
			fault("is a string")
		}
		if allowed := List(s["enum"]); allowed != nil && !slices.Contains(allowed, any(v)) {
			fault("is %q", v)
		}
		if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			fault("does not match")
		}
		if _, err := uuid.Parse(v); s["format"] == "uuid" && err != nil {
			fault("is no UUID")
		}
		if _, err := time.Parse(time.RFC3339, v); s["format"] == "date-time" && err != nil {
			fault("is no time")
		}
	case float64:
		if s["type"] != "integer" || v != float64(int(v)) {
			fault("is a number")
		}
	case bool:
		if s["type"] != "boolean" {
			fault("is a boolean")
		}
	default:
		fault("is a %T", value)
	}
	return faults
}

// List is a node that is a list.
func List(node any) []any { all, _ := node.([]any); return all }

// Described fails the test when a response of the API is not as openapi.yaml describes it.
func (d Description) Described(
	t testing.TB,
	method, path string,
	status int,
	header http.Header,
	body []byte,
) {
	t.Helper()
	operation, ok := d.At(
		d.Root, "paths", pathTemplate(path), strings.ToLower(method),
	).(map[string]any)
	if !ok {
		require.GreaterOrEqual(t, status, 400, "%s %s is not described", method, path)
		operation = d.At(d.Root, "paths", "/v1/verifications", "post").(map[string]any)
	}
	response := d.At(operation, "responses", strconv.Itoa(status))
	if response == nil {
		require.GreaterOrEqual(
			t,
			status,
			400,
			"%s %s answers %d, which is not described",
			method,
			path,
			status,
		)
		response = d.At(operation, "responses", "default")
	}
	schema := d.At(response, "content", strings.Split(header.Get("Content-Type"), ";")[0], "schema")
	require.NotNil(t, schema, "%s %s answers with content of another type", method, path)
	var value any
	require.NoError(t, json.Unmarshal(body, &value), string(body))
	require.Empty(t, d.Judge(schema, value, "the body"))
	headers, _ := d.At(response, "headers").(map[string]any)
	for name, described := range headers {
		if d.At(described, "required") == true {
			require.NotEmpty(t, header.Get(name), name)
			require.Empty(t, d.Judge(d.At(described, "schema"), header.Get(name), name))
		}
	}
}

// pathTemplate is the path of openapi.yaml that a path of a request belongs to.
func pathTemplate(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	if len(parts) > 3 && (parts[2] == "verifications" || parts[2] == "questions") {
		parts[3] = "{id}"
	}
	return strings.Join(parts, "/")
}
