package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// watched is what the bridge tells operators at a path.
func watched(ts *testscript.TestScript, path string) string {
	res, err := http.Get("http://" + ts.Getenv("DOOR") + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	ts.Check(err)
	return string(said)
}

// finds CODE REGEXP: the bridge comes to find what has the code, in words that read so. finds none:
// nothing is wrong any more.
func storyFinds(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "none" {
		until(ts, "nothing to be wrong", func() bool {
			return strings.Contains(watched(ts, "/readyz?verbose"), "nothing is wrong")
		})
		return
	}
	reads := regexp.MustCompile(`(?s)` + args[0] + `\b.*` + args[1])
	until(ts, args[0], func() bool {
		return reads.MatchString(watched(ts, "/readyz?verbose"))
	})
}

// metric REGEXP: a line of the metrics comes to read so.
func storyMetric(ts *testscript.TestScript, _ bool, args []string) {
	reads := regexp.MustCompile(`(?m)` + args[0])
	until(ts, args[0], func() bool { return reads.MatchString(watched(ts, "/metrics")) })
}
