package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/api"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store/storetest"
)

// Ensure that openapi.yaml describes every path and method there is, and none that is not, and
// knows the members of every request.
func TestDescriptionIsComplete(t *testing.T) {
	d := inboundtest.ReadDescription(t, inboundtest.Open(t, storetest.SQLite(t)))
	described := map[string][]string{}
	for path, item := range d.At(d.Root, "paths").(map[string]any) {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				described[path] = append(described[path], strings.ToUpper(method))
			}
		}
		slices.Sort(described[path])
	}
	routed := map[string][]string{"/v1/openapi.yaml": {"GET"}}
	for path, m := range api.Paths() {
		path = strings.ReplaceAll(path, ":id", "{id}")
		for method, fields := range m {
			routed[path] = append(routed[path], method)
			properties, _ := d.At(
				d.Root, "paths", path, strings.ToLower(method), "requestBody", "content", "application/json",
				"schema", "properties",
			).(map[string]any)
			var names []string
			for name := range properties {
				names = append(names, name)
			}
			require.ElementsMatch(t, fields, names, "%s %s", method, path)
		}
		slices.Sort(routed[path])
	}
	require.Equal(t, routed, described)
	require.Equal(t, "3.1.0", d.Root["openapi"])
}

// Ensure that the judge of responses finds faults.
func TestDescriptionJudges(t *testing.T) {
	d := inboundtest.ReadDescription(t, inboundtest.Open(t, storetest.SQLite(t)))
	schema := d.At(d.Root, "components", "schemas", "Problem")
	for body, want := range map[string]string{
		`{}`: "lacks type",
		`{"type":"urn:smsbridge:problem:nonsense","title":"","status":400}`: "is \"urn",
		`{"type":"urn:smsbridge:problem:malformed","title":"",` +
			`"status":"400"}`: "status is a string",
		`{"type":"urn:smsbridge:problem:malformed","title":"","status":400,"x":"y"}`: "has x",
	} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(body), &value))
		if faults := d.Judge(schema, value, ""); want != "" {
			require.Contains(t, strings.Join(faults, "\n"), want)
		}
	}
}

// Ensure that the description says what it seems to say: in YAML, a comma within braces ends a
// text, and its rest becomes a key without a value.
func TestDescriptionHasNoHoles(t *testing.T) {
	d := inboundtest.ReadDescription(t, inboundtest.Open(t, storetest.SQLite(t)))
	var holes func(node any, where string)
	holes = func(node any, where string) {
		switch node := node.(type) {
		case nil:
			t.Error(where + " has no value")
		case map[string]any:
			for name, child := range node {
				holes(child, where+"/"+name)
			}
		case []any:
			for _, child := range node {
				holes(child, where)
			}
		}
	}
	holes(d.Root, "")
	code := d.At(d.Root, "components", "schemas", "Create", "properties", "code", "description")
	require.Equal(t, "A code of your own. Left out, a random one is drawn.", code)
}
