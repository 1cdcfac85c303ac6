package sender

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that a header may be as large as each bound says, and no larger.
func TestHeaderBounds(t *testing.T) {
	folds := func(lines int) string { return "X: y" + strings.Repeat("\r\n z", lines-1) }
	fields := func(n int) string { return strings.TrimSuffix(strings.Repeat("X: y\r\n", n), "\r\n") }
	long := func(bytes int) string { return "X: " + strings.Repeat("y", bytes-len("X: \r\n\r\n")) }
	for name, c := range map[string]struct {
		largest, larger, why string
	}{
		"lines":  {folds(maxLines), folds(maxLines + 1), "more than 1000 lines"},
		"fields": {fields(maxFields), fields(maxFields + 1), "more than 200 fields"},
		"bytes":  {long(maxHeader), long(maxHeader + 1), "larger than 64 KiB"},
	} {
		h, body, err := readHeader(c.largest + "\r\n\r\nbody")
		require.NoError(t, err, name)
		require.Equal(t, "body", body, name)
		read := ""
		for _, f := range h {
			read += f.lines
		}
		require.Equal(t, c.largest+"\r\n", read, name)
		_, _, err = readHeader(c.larger + "\r\n\r\nbody")
		var refused Refusal
		require.True(t, errors.As(err, &refused), name)
		require.ErrorContains(t, err, c.why, name)
	}
	h, _, err := readHeader("A: \t one\r\n\ttwo \r\n three \r\nB:x\r\n\r\n")
	require.NoError(t, err)
	require.Equal(t, "one\ttwo  three", h.one("a"))
	require.Equal(t, "x", h.one("b"))
	h, _, err = readHeader("!#~: x\r\n\r\n")
	require.NoError(t, err)
	require.Equal(t, "x", h.one("!#~"))
	for _, bad := range []string{" x\r\n\r\n", "A: x\r\n \t\r\n\r\n", "A x\r\n\r\n", ": x\r\n\r\n",
		"A\x7f: x\r\n\r\n", "A: \x1f\r\n\r\n", "A: \x7f\r\n\r\n", "A : x\r\n\r\n", "A: x"} {
		_, _, err := readHeader(bad)
		require.Error(t, err, "%q", bad)
	}
}

// Ensure that a local part has the characters of an atom and no other, so that no two programs read
// two addresses in it.
func TestAtoms(t *testing.T) {
	const atom = "!#$%&'*+-/=?^_`{|}~0123456789" +
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for r := range rune(256) {
		a, ok := parseAddress("x" + string(r) + "y@acme.example")
		require.Equal(t, r == '.' || strings.ContainsRune(atom, r), ok, "%q", r)
		if ok {
			require.Equal(t, "x"+string(r)+"y", a.local)
		}
	}
	for _, local := range []string{"", ".x", "x.", "x..y", "."} {
		_, ok := parseAddress(local + "@acme.example")
		require.False(t, ok, local)
	}
}

// Ensure where the bounds of size and time are.
func TestBounds(t *testing.T) {
	posted := time.Unix(1_700_000_000, 0)
	for claimed, want := range map[time.Duration]string{
		-maxAge: "", -maxAge - time.Second: "more than an hour before",
		maxAhead: "", maxAhead + time.Second: "in the future",
	} {
		err := fresh("Date", posted.Add(claimed), posted)
		require.Equal(t, want == "", err == nil, claimed)
		if want != "" {
			require.ErrorContains(t, err, want)
		}
	}
	const larger = "larger than 2 MiB"
	_, err := open(Mail{MIME: strings.Repeat("x", maxMail)}, nil)
	require.NotContains(t, err.Error(), larger)
	_, err = open(Mail{MIME: strings.Repeat("x", maxMail+1)}, nil)
	require.ErrorContains(t, err, larger)
}
