// Package longtest is for tests that take a third of a second or more on two idle cores, waits
// included. A plain `go test ./...` skips them, so that a colleague does not wait for them and runs
// it often. ./test.sh runs every one of them. Nothing but tests may import it.
package longtest

import (
	"flag"
	"os"
	"testing"
)

// Variable is the environment variable that asks for the long tests when it is 1.
const Variable = "SMSBRIDGE_TEST_LONG"

// Skip skips the test, unless Variable asks for long tests, or the caller names tests with -run.
func Skip(t *testing.T) {
	t.Helper()
	named := flag.Lookup("test.run").Value.String() != ""
	if !named && os.Getenv(Variable) != "1" {
		t.Skipf("it is long: name it with -run, set %s=1, or run ./test.sh", Variable)
	}
}
