package inbound

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

// description is openapi.yaml, decoded.
type description struct{ root map[string]any }

func readDescription(t testing.TB) description {
	t.Helper()
	var d description
	require.NoError(t, yaml.Unmarshal(openAPI, &d.root))
	return d
}

// at follows a path of keys, and references on the way.
func (d description) at(node any, keys ...string) any {
	for _, key := range keys {
		object, _ := d.follow(node).(map[string]any)
		node = object[key]
	}
	return d.follow(node)
}

func (d description) follow(node any) any {
	object, ok := node.(map[string]any)
	if !ok {
		return node
	}
	reference, ok := object["$ref"].(string)
	if !ok {
		return node
	}
	return d.at(d.root, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
}

// judge returns what a JSON value has that its schema does not allow, of the keywords that openapi.yaml uses.
func (d description) judge(schema, value any, where string) (faults []string) {
	s, ok := d.follow(schema).(map[string]any)
	if !ok {
		return []string{where + " has no schema"}
	}
	fault := func(format string, args ...any) { faults = append(faults, where+" "+fmt.Sprintf(format, args...)) }
	switch v := value.(type) {
	case map[string]any:
		if s["type"] != "object" {
			fault("is an object")
		}
		for _, name := range list(s["required"]) {
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
			faults = append(faults, d.judge(properties[name], member, where+"."+name)...)
		}
	case []any:
		for i, item := range v {
			faults = append(faults, d.judge(s["items"], item, fmt.Sprintf("%s[%d]", where, i))...)
		}
	case string:
		if s["type"] != "string" {
			fault("is a string")
		}
		if allowed := list(s["enum"]); allowed != nil && !slices.Contains(allowed, any(v)) {
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
	default:
		fault("is a %T", value)
	}
	return faults
}

func list(node any) []any { all, _ := node.([]any); return all }

// described fails the test when an answer of the API is not as openapi.yaml describes it.
func (d description) described(t testing.TB, method, path string, status int, header http.Header, body []byte) {
	t.Helper()
	operation, ok := d.at(d.root, "paths", pathTemplate(path), strings.ToLower(method)).(map[string]any)
	if !ok {
		require.GreaterOrEqual(t, status, 400, "%s %s is not described", method, path)
		operation = d.at(d.root, "paths", "/v1/verifications", "post").(map[string]any)
	}
	response := d.at(operation, "responses", strconv.Itoa(status))
	if response == nil {
		require.GreaterOrEqual(t, status, 400, "%s %s answers %d, which is not described", method, path, status)
		response = d.at(operation, "responses", "default")
	}
	schema := d.at(response, "content", strings.Split(header.Get("Content-Type"), ";")[0], "schema")
	require.NotNil(t, schema, "%s %s answers with content of another type", method, path)
	var value any
	require.NoError(t, json.Unmarshal(body, &value), string(body))
	require.Empty(t, d.judge(schema, value, "the body"))
	headers, _ := d.at(response, "headers").(map[string]any)
	for name, described := range headers {
		if d.at(described, "required") == true {
			require.NotEmpty(t, header.Get(name), name)
			require.Empty(t, d.judge(d.at(described, "schema"), header.Get(name), name))
		}
	}
}

// pathTemplate is the path of openapi.yaml that a path of a request belongs to.
func pathTemplate(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	if len(parts) > 3 {
		parts[3] = "{id}"
	}
	return strings.Join(parts, "/")
}

// Ensure that openapi.yaml describes every path and method there is, and none that is not, and knows the members of every request.
func TestDescriptionIsComplete(t *testing.T) {
	d := readDescription(t)
	described := map[string][]string{}
	for path, item := range d.at(d.root, "paths").(map[string]any) {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				described[path] = append(described[path], strings.ToUpper(method))
			}
		}
		slices.Sort(described[path])
	}
	routed := map[string][]string{"/v1/openapi.yaml": {"GET"}}
	for path, m := range apiPaths() {
		path = strings.ReplaceAll(path, ":id", "{id}")
		for method, operation := range m {
			routed[path] = append(routed[path], method)
			properties, _ := d.at(d.root, "paths", path, strings.ToLower(method), "requestBody", "content", "application/json", "schema", "properties").(map[string]any)
			var names []string
			for name := range properties {
				names = append(names, name)
			}
			require.ElementsMatch(t, operation.fields, names, "%s %s", method, path)
		}
		slices.Sort(routed[path])
	}
	require.Equal(t, routed, described)
	require.Equal(t, "3.1.0", d.root["openapi"])
}

// Ensure that the judge of answers finds faults.
func TestDescriptionJudges(t *testing.T) {
	d := readDescription(t)
	schema := d.at(d.root, "components", "schemas", "Problem")
	for body, want := range map[string]string{
		`{}`: "lacks type", `{"type":"urn:smsbridge:problem:nonsense","title":"","status":400}`: "is \"urn",
		`{"type":"urn:smsbridge:problem:malformed","title":"","status":"400"}`:       "status is a string",
		`{"type":"urn:smsbridge:problem:malformed","title":"","status":400,"x":"y"}`: "has x",
	} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(body), &value))
		if faults := d.judge(schema, value, ""); want != "" {
			require.Contains(t, strings.Join(faults, "\n"), want)
		}
	}
}
