package outbound

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/wording"
	"smsbridge/linkclick"
)

// outcomes are the constants of linkclick's type Outcome, as its source lists them.
func outcomes(t *testing.T) (found []linkclick.Outcome) {
	t.Helper()
	sources, err := filepath.Glob("../linkclick/*.go")
	require.NoError(t, err)
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		require.NoError(t, err)
		if !strings.HasSuffix(source, "_test.go") {
			found = append(found, outcomesIn(t, file)...)
		}
	}
	return found
}

func outcomesIn(t *testing.T, file *ast.File) (found []linkclick.Outcome) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Outcome" {
			return true
		}
		for _, value := range spec.Values {
			word, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			require.NoError(t, err)
			found = append(found, linkclick.Outcome(word))
		}
		return true
	})
	return found
}

// Ensure that the rule knows every outcome of a click, and has words of its own for each. It
// confirms what linkclick takes for a success, and nothing else.
func TestOutcomesAreKnown(t *testing.T) {
	t.Parallel()
	all := outcomes(t)
	require.Subset(t, all, []linkclick.Outcome{linkclick.OutcomeConfirmed, linkclick.OutcomeUnknown})
	for _, o := range all {
		success := linkclick.Result{Outcome: o}.Succeeded()
		require.Equal(t, success, challenge.Confirms(challenge.Outcome(o)), o)
	}
	for _, purpose := range []challenge.Purpose{challenge.Registration, challenge.Password} {
		said := map[wording.Saying]linkclick.Outcome{}
		for _, o := range all {
			saying := challenge.Saying(purpose, challenge.Outcome(o))
			require.NotContains(t, said, saying, "%s is told like %s", o, said[saying])
			said[saying] = o
		}
	}
	require.EqualValues(t, linkclick.OutcomeUnknown, challenge.OutcomeUnknown)
}
