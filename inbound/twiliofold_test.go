//go:build !race

package inbound

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/longtest"
)

// Ensure that a signature is good for one form alone. Each folding of a genuine form has its signed
// text, and is refused. Some fields that no code reads may be folded: those that Twilio's pages do
// not name, or name for other channels. Then the form has the same ids, and is a duplicate.
func TestFoldedFormsDoNotFit(t *testing.T) {
	longtest.Skip(t)
	replies, receipts := genuineForms()
	for i, forms := range []map[string]url.Values{replies, receipts} {
		for kind, form := range forms {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				text, folded := readSigned(form).text, Foldings(form)
				require.Greater(t, len(folded), 200)
				for _, f := range folded {
					if readSigned(f).text != text {
						t.Fatal("another signed text")
					}
					if readSigned(f).misfit(neededOf(i == 1)...) != "" {
						continue
					}
					if kind != "fields of tomorrow" && kind != "WhatsApp" && kind != "a name as sender" {
						t.Error("passes", f)
					}
					for _, id := range []string{"MessageSid", "AccountSid", "To"} {
						require.Equal(t, form.Get(id), f.Get(id))
					}
				}
			})
		}
	}
}

// Ensure that whatever is added to a genuine form, no folding of it has other ids.
func TestFoldingsOfAnyForm(t *testing.T) {
	replies, _ := genuineForms()
	piece := rapid.SampledFrom([]string{
		"MessageSid", replySID, "From", "+4520999999", "To", "Sms", "Body", "A", "z", "0", "{", "}",
		"FromCity", "NumMedia", " ", "AccountSid", accountID, "YES", "ToZip", "Original",
	})
	rapid.Check(t, func(t *rapid.T) {
		form := maps.Clone(replies["a text"])
		words := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "words"), "")
		form.Set(rapid.SampledFrom([]string{"Body", "FromCity", "Zebra"}).Draw(t, "field"), words)
		first := rapid.IntRange(0, len(form)-1).Draw(t, "first")
		for _, f := range foldings(form, first, 3) {
			if readSigned(f).misfit(neededOf(false)...) != "" {
				continue
			}
			for _, id := range []string{"MessageSid", "AccountSid", "To"} {
				if f.Get(id) != form.Get(id) {
					t.Fatalf("%s is %q", id, f.Get(id))
				}
			}
			if from := f.Get("From"); strings.HasPrefix(from, "+4520999999") {
				t.Fatalf("From is %q", from)
			}
		}
	})
}
