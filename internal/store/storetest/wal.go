package storetest

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// WAL is what a SQLite database has written since its WAL was begun.
type WAL struct {
	Salts          string // another pair says that the WAL was begun anew
	Pages, Commits int
	Largest        int // the pages of the commit that has most
}

// ReadWAL reads the headers of the frames in the WAL of the SQLite file at path: there is one for
// each page that was written. Those with the size of the database end a commit. Frames with other
// salts are older.
//
// Source: https://sqlite.org/fileformat2.html#walformat
func ReadWAL(t *testing.T, path string) (read WAL) {
	t.Helper()
	const header, frame, page = 32, 24, 4096
	content, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(content), header)
	require.EqualValues(t, page, binary.BigEndian.Uint32(content[8:]), "bytes of a page")
	read.Salts = string(content[16:24])
	begun := 0
	for rest := content[header:]; len(rest) >= frame+page; rest = rest[frame+page:] {
		if string(rest[8:16]) != read.Salts {
			break
		}
		read.Pages++
		if binary.BigEndian.Uint32(rest[4:]) != 0 {
			read.Commits++
			read.Largest = max(read.Largest, read.Pages-begun)
			begun = read.Pages
		}
	}
	return read
}
