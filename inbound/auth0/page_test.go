package auth0

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

func TestPickLocale(t *testing.T) {
	acme := &tenant.Tenant{Codes: tenant.Codes{Locale: "en"}}
	for asked, want := range map[string]string{
		"": "en", "da": "da", "tlh, sv;q=0.8, da": "sv", "xx de-AT": "de", "no": "nb", "*": "en",
		";;;,,": "en", "fr-CA,fr;q=0.9": "fr",
	} {
		require.Equal(t, want, pickLocale(acme, "", asked), asked)
		require.Equal(t, want, pickLocale(nil, asked, "zz"), asked)
	}
}

// Ensure that every language has all words, each in its own.
func TestFormWords(t *testing.T) {
	locales := wording.Languages()
	english := wording.Form("en")
	for _, locale := range locales {
		words := wording.Form(locale)
		require.Len(t, words, len(english), locale)
		for key, said := range english {
			require.NotEmpty(t, words[key], locale+" "+key)
			require.Equal(
				t,
				strings.Contains(said, "{n}"),
				strings.Contains(words[key], "{n}"),
				locale+" "+key,
			)
			require.Equal(
				t,
				strings.Contains(said, "{phone}"),
				strings.Contains(words[key], "{phone}"),
				locale+" "+key,
			)
			if locale != "en" && key != "code" {
				require.NotEqual(t, said, words[key], locale+" "+key)
			}
		}
	}
}
