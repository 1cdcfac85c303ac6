//go:build !race

package house

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What only tests or generators need would be compiled by everyone who runs the program for the
// first time, and would be part of it. The sentence in go.mod says what a module is here for: one
// that begins with "tests:" is not linked.

// testModules returns the modules that go.mod has for tests.
func testModules(goMod string) (paths []string) {
	row := regexp.MustCompile(`(?m)^\t(\S+) v\S+ // tests: `)
	for _, match := range row.FindAllStringSubmatch(goMod, -1) {
		paths = append(paths, match[1])
	}
	return paths
}

// linked returns the packages of a program that are below one of some paths.
func linked(packages, paths []string) (found []string) {
	for _, p := range packages {
		if within(p, paths) {
			found = append(found, p)
		}
	}
	return found
}

func TestProgramLinksNothingForTests(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./cmd/smsbridge")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.Contains(t, packages, "github.com/twilio/twilio-go/client")

	modules := testModules(read(t, "go.mod"))
	require.Greater(t, len(modules), 5)
	modules = append(modules, "testing",
		// takes longer to compile than all of our own code
		"github.com/twilio/twilio-go/rest",
		"github.com/json-iterator") // of libraries for tests
	require.Empty(t, linked(packages, modules), "only tests and generators may import these")
}

func TestLinkedNoticesABreak(t *testing.T) {
	modules := testModules(
		"\ta.example/x v1.0.0 // tests: x\n\tb.example/y v1.0.0 // y for tests: no\n")
	require.Equal(t, []string{"a.example/x"}, modules)
	require.Equal(t, []string{"a.example/x", "a.example/x/z"}, linked([]string{
		"a.example/x", "a.example/x/z", "a.example/xy", "b.example/y",
	}, modules))
}
