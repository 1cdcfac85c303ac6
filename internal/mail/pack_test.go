package mail

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Ensure that a body comes back as it was, whatever is in it, and that no other bytes are one.
func TestBodiesAreEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.String()
		b := Body{
			word.Draw(t, "subject"), word.Draw(t, "from"), word.Draw(t, "text"),
			word.Draw(t, "html"), word.Draw(t, "mime"), word.Draw(t, "envelope"),
		}
		raw := b.encode()
		got, err := decodeBody(raw)
		require.NoError(t, err)
		require.Equal(t, b, got)
		_, err = decodeBody(raw[:rapid.IntRange(0, len(raw)-1).Draw(t, "cut")])
		require.Error(t, err)
		_, err = decodeBody(append(raw, 0))
		require.Error(t, err)
	})
}

func FuzzDecodeBody(f *testing.F) {
	f.Add(Body{Subject: "a", HTML: "b"}.encode())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := decodeBody(raw)
		if err != nil {
			require.Equal(t, Body{}, b)
		}
	})
}
