package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"smsbridge/internal/simulator/collector"
)

// collector [KNOB]: a collector of traces listens, and the bridge is told of it. hang: it does not
// respond from now on; refuse: it refuses the key; well: it takes all.
func storyCollector(ts *testscript.TestScript, _ bool, args []string) {
	th := in(ts)
	if len(args) > 0 {
		th.traces.Set(func(m *collector.Manners) {
			*m = collector.Manners{Hang: args[0] == "hang"}
			if args[0] == "refuse" {
				m.FailNext, m.FailStatus = 1000, http.StatusUnauthorized
			}
		})
		return
	}
	c, err := collector.Open()
	ts.Check(err)
	ts.Defer(c.Close)
	th.traces = c
	ts.Setenv("SMSBRIDGE_OTLP_URL", c.URL())
}

// spans PHONE NAME…: the collector comes to have a trace whose id is that of the phone's case, as
// show prints it. Spans of these names begin in this order; all hang together, below one.
func storySpans(ts *testscript.TestScript, _ bool, args []string) {
	show := exec.Command("smsbridge", "show", args[0])
	for _, name := range []string{"SMSBRIDGE_DATABASE", "SMSBRIDGE_KEY", "SMSBRIDGE_PUBLIC_URL"} {
		show.Env = append(show.Env, name+"="+ts.Getenv(name))
	}
	for name, value := range in(ts).env {
		show.Env = append(show.Env, name+"="+value)
	}
	said, err := show.CombinedOutput()
	if err != nil {
		ts.Fatalf("show: %v: %s", err, said)
	}
	id := regexp.MustCompile(`(?m)^\w+ ([0-9a-f-]{36}) of`).FindSubmatch(said)
	if id == nil {
		ts.Fatalf("there is no case in %s", said)
	}
	trace := strings.ReplaceAll(string(id[1]), "-", "")
	logged := ""
	until(ts, "spans", func() bool {
		var names, known, parents []string
		for _, s := range in(ts).traces.Spans() {
			if s.Trace == trace {
				names, known = append(names, s.Name), append(known, s.ID)
				parents = append(parents, s.Parent)
			}
		}
		wanted := args[1:]
		for _, name := range names {
			if len(wanted) > 0 && wanted[0] == name {
				wanted = wanted[1:]
			}
		}
		tops := 0
		for _, parent := range parents {
			switch {
			case parent == "":
				tops++
			case !slices.Contains(known, parent):
				return false
			}
		}
		missing := fmt.Sprintf("%d spans have no parent; after %v there is not %v", tops, names, wanted)
		if missing != logged {
			ts.Logf("%s", missing)
			logged = missing
		}
		return tops == 1 && len(wanted) == 0
	})
}
