//go:build !race

package outbound

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/settings"
	"smsbridge/internal/tenant"
)

// eventsPage is the page about events, and snippet a piece of code on it.
func eventsPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/EVENTS.md")
	require.NoError(t, err)
	return string(page)
}

func snippet(t *testing.T, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(eventsPage(t), "\n```"+language+"\n")
	require.True(t, found, language)
	code, _, _ := strings.Cut(rest, "\n```")
	return code + "\n"
}

// Ensure that the page explains each type of event, and no other.
func TestEventsAreExplained(t *testing.T) {
	t.Parallel()
	var explained []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\|").
		FindAllStringSubmatch(eventsPage(t), -1) {
		explained = append(explained, row[1])
	}
	require.ElementsMatch(t, tenant.EventTypes(), explained)
}

// received is a request as a receiver in another language gets it.
type received struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Now     int64             `json:"now"`
	Right   bool              `json:"right"`
}

// requests are signed by our own code: right ones, and ones of which something is wrong.
func requests() (all []received) {
	now := time.Unix(1796040000, 0)
	const body = `{"type":"question.confirmed","data":{"id":"ø"}}`
	one := func(change func(r *received)) {
		header := http.Header{}
		old := tenant.Events{Secrets: []settings.Secret{
			settings.NewSecret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"), settings.NewSecret(eventSecret),
		}}
		Sign(header, old.Keys(), "01a2", now, []byte(body))
		r := received{eventSecret, map[string]string{}, body, now.Unix(), true}
		for name := range header {
			r.Headers[strings.ToLower(name)] = header.Get(name)
		}
		if change != nil {
			change(&r)
			r.Right = false
		}
		all = append(all, r)
	}
	one(nil)
	one(func(r *received) { r.Body += " " })
	one(func(r *received) { r.Headers["webhook-id"] = "01a3" })
	one(func(r *received) { r.Now += 301 })
	one(func(r *received) { r.Now -= 301 })
	one(func(r *received) { r.Secret = "whsec_" + strings.Repeat("A", 32) })
	one(func(r *received) { r.Headers["webhook-signature"] = "v1, v2,x" })
	one(func(r *received) {
		r.Headers["webhook-signature"] = strings.ReplaceAll(r.Headers["webhook-signature"], "v1", "v2")
	})
	return all
}

// Ensure that the code of the page takes what we sign, and nothing else.
func TestSnippetsVerify(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	for language, test := range map[string]struct {
		file, around string
		run          []string
	}{
		"go": {"verify.go", `package main

import ("encoding/json"; "fmt"; "net/http"; "os"; "time")

func main() {
	var all []struct { Secret string; Headers map[string]string; Body string; Now int64 }
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil { panic(err) }
	for _, r := range all {
		header := http.Header{}
		for name, value := range r.Headers { header.Set(name, value) }
		fmt.Println(Verify(r.Secret, header, []byte(r.Body), time.Unix(r.Now, 0)) == nil)
	}
}
`, []string{"go", "run", "verify.go", "main.go"}},
		"js": {"verify.mjs", `import { verify } from "./verify.mjs";
import { readFileSync } from "node:fs";
for (const r of JSON.parse(readFileSync(0))) {
  try { verify(r.secret, r.headers, Buffer.from(r.body), r.now * 1000); console.log("true"); }
  catch { console.log("false"); }
}
`, []string{"node", "main.mjs"}},
		"python": {"verify.py", `import json, sys
from verify import verify
for r in json.load(sys.stdin):
    try:
        verify(r["secret"], r["headers"], r["body"].encode(), r["now"])
        print("true")
    except ValueError:
        print("false")
`, []string{"python3", "main.py"}},
	} {
		t.Run(language, func(t *testing.T) {
			if _, err := exec.LookPath(test.run[0]); err != nil {
				t.Skipf("%s is not installed", test.run[0])
			}
			folder, all := t.TempDir(), requests()
			for name, code := range map[string]string{
				test.file: snippet(t, language), "main" + filepath.Ext(test.file): test.around,
			} {
				require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(code), 0o600))
			}
			input, err := json.Marshal(all)
			require.NoError(t, err)
			command := exec.CommandContext(t.Context(), test.run[0], test.run[1:]...)
			command.Dir, command.Stdin = folder, strings.NewReader(string(input))
			said, err := command.CombinedOutput()
			require.NoError(t, err, string(said))
			var want []string
			for _, r := range all {
				want = append(want, map[bool]string{true: "true", false: "false"}[r.Right])
			}
			require.Equal(t, want, strings.Fields(string(said)))
		})
	}
}
