//go:build !race

package settings

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a file that cannot be read has a hint of what to do.
func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	for reference, hint := range map[string]string{
		"file:" + dir + "/nope": "there is no " + dir + "/nope: make the file, or correct the path",
		"file:nope":             "there is no nope in the folder that smsbridge was started in",
		"file:~/key":            "write the whole path instead of ~",
		"file:" + dir:           dir + " is a folder: add the name of the file",
	} {
		_, l := fromText("shops:\n  - name: x\n    token: " + reference + "\n")
		require.Len(t, l.Mistakes(), 1, reference)
		require.Equal(t, "refers to a file that cannot be read", l.Mistakes()[0].What)
		require.Contains(t, l.Mistakes()[0].Hint, hint)
	}
	require.Equal(t, "let the user that smsbridge runs as read key",
		unreadable("key", &fs.PathError{Op: "open", Path: "key", Err: fs.ErrPermission}))
	for _, reference := range []string{"'env: KEY'", "'file: key'"} {
		_, l := fromText("shops:\n  - name: x\n    token: "+reference+"\n", "KEY=hidden")
		require.Contains(t, l.Mistakes().Error(), "has a blank behind", reference)
	}
	_, ok := NewLoader(nil).ReadFile(dir, shopForm())
	require.False(t, ok)
}
