package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

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

// finds CODE REGEXP [passing|trying]: the bridge comes to find what has the code, in words that
// read so. With passing, time passes meanwhile: 25 seconds between two looks of the bridge. With
// trying, each job that waits for its next try becomes due at once. finds none: nothing is wrong
// any more.
func storyFinds(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "none" {
		until(ts, "nothing to be wrong", func() bool {
			return strings.Contains(watched(ts, "/readyz?verbose"), "nothing is wrong")
		})
		return
	}
	reads := regexp.MustCompile(`(?s)` + args[0] + `\b.*` + args[1])
	queue, err := openQueue(ts.Getenv("SMSBRIDGE_DATABASE"))
	ts.Check(err)
	defer queue.db.Close()
	meanwhile := append(args, "")[2]
	moved := time.Now()
	until(ts, args[0], func() bool {
		switch {
		case meanwhile == "passing" && time.Since(moved) > watchEvery:
			pass(ts, 25*time.Second)
			moved = time.Now()
		case meanwhile == "trying":
			rows, err := queue.db.Query(queue.makeDue, time.Hour.Seconds())
			ts.Check(err)
			ts.Check(rows.Close())
		}
		return reads.MatchString(watched(ts, "/readyz?verbose"))
	})
}

// metric REGEXP: a line of the metrics comes to read so.
func storyMetric(ts *testscript.TestScript, _ bool, args []string) {
	reads := regexp.MustCompile(`(?m)` + args[0])
	until(ts, args[0], func() bool { return reads.MatchString(watched(ts, "/metrics")) })
}

// poison KIND: a job of the kind comes to wait for its next try, and its text is broken. So no
// worker can do it any more.
func storyPoison(ts *testscript.TestScript, _ bool, args []string) {
	queue, err := openQueue(ts.Getenv("SMSBRIDGE_DATABASE"))
	ts.Check(err)
	defer queue.db.Close()
	until(ts, "a job to wait", func() bool {
		var n int
		ts.Check(queue.db.QueryRow("SELECT count(*) FROM river_job WHERE kind = '" + args[0] +
			"' AND state IN ('retryable', 'scheduled')").Scan(&n))
		return n > 0
	})
	_, err = queue.db.Exec("UPDATE text SET body = 'poison' WHERE state = 'due'")
	ts.Check(err)
}
