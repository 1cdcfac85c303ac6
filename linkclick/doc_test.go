package linkclick

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only redeeming connects: the other files import no network, and take from net/http only names
// of statuses, methods and headers.
func TestOnlyRedeemingConnects(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "redeem") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, i := range file.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			require.NoError(t, err)
			require.NotContains(t, []string{"net", "crypto/tls", "os", "syscall"}, path, name)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := s.X.(*ast.Ident); ok && from.Name == "http" {
				constant := strings.HasPrefix(s.Sel.Name, "Status") ||
					strings.HasPrefix(s.Sel.Name, "Method")
				require.True(t, constant || s.Sel.Name == "Header", "%s: %s", name, s.Sel.Name)
			}
			return true
		})
	}
}

// The package comment names every file, but for those of the providers.
func TestPackageCommentNamesEveryFile(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if name == "doc.go" || strings.HasSuffix(name, "_test.go") ||
			strings.HasPrefix(name, "provider_") {
			continue
		}
		require.Contains(t, file.Doc.Text(), name)
	}
}
