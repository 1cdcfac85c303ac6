// Package nodetest gives tests the packages of npm that their scripts need. ./test.sh installs
// them before the tests, once for each state of package-lock.json, into a folder outside the
// tree. A test never installs anything and never reaches the network. Nothing but tests may
// import it.
package nodetest

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed package-lock.json
var lock []byte

// Folder is a new folder with a copy of the scripts, in which Node.js finds the packages.
// Without Node.js or the packages the test is skipped, or fails when SMSBRIDGE_TEST_STRICT=1
// says that nothing may be skipped.
func Folder(t *testing.T, scripts string) string {
	t.Helper()
	skip := t.Skipf
	if os.Getenv("SMSBRIDGE_TEST_STRICT") == "1" {
		skip = t.Fatalf
	}
	if _, err := exec.LookPath("node"); err != nil {
		skip("node is not on the PATH: no Node.js to test with")
	}
	packages, err := packages()
	if err != nil {
		skip("the packages of npm are not installed (./test.sh does it): %v", err)
	}
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS(scripts)))
	require.NoError(t, os.Symlink(packages, filepath.Join(folder, "node_modules")))
	return folder
}

// packages is the folder of the installed packages, named as ./test.sh names it.
func packages() (string, error) {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	name := fmt.Sprintf("node-%x", sha256.Sum256(lock))
	folder := filepath.Join(cache, "smsbridge-test", name, "node_modules")
	_, err := os.Stat(folder)
	return folder, err
}
