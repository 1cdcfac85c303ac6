//go:build !race

package tenant

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/settings"
)

// otherWarnings are the warnings that are not about what works in which country.
func otherWarnings(s Settings) []string {
	return slices.DeleteFunc(slices.Clone(s.Warnings), func(w string) bool {
		return strings.Contains(w, " texted there, ") || strings.Contains(w, " asked there: ") ||
			strings.Contains(w, "whether phones there can text back")
	})
}

// TestWarningsOfCountries wants each matter said once, with its countries and a remedy.
func TestWarningsOfCountries(t *testing.T) {
	const links = "no links are texted there"
	for _, test := range []struct {
		name    string
		changes []string
		want    []string // each in one warning
	}{
		{"defaults", nil, []string{"tenant acme: DK, SE: " + links}},
		{"one is registered", []string{"SMSBRIDGE_LINKS_WORK=dk"},
			[]string{"tenant acme: SE: " + links}},
		{"all are registered", []string{"SMSBRIDGE_LINKS_WORK=DK,SE"}, nil},
		{"all countries are", []string{"SMSBRIDGE_LINKS_WORK=*"}, nil},
		{"links are free", []string{"SMSBRIDGE_COUNTRIES=FR,BE,IT"}, nil},
		{"a Danish number", []string{"SMSBRIDGE_COUNTRIES=DK,FR", "TWILIO_FROM=+4540123456",
			"SMSBRIDGE_LINKS_WORK=*"}, []string{"tenant acme: DK: " + links}},
		{"no replies", []string{"SMSBRIDGE_COUNTRIES=FR,RO"}, []string{
			"tenant acme: RO: " + links, "tenant acme: RO: no questions are asked there",
		}},
		{"replies after all", []string{"SMSBRIDGE_COUNTRIES=FR,RO", "SMSBRIDGE_LINKS_WORK=RO",
			"SMSBRIDGE_REPLIES_WORK=RO"}, nil},
		{"taps instead", []string{"SMSBRIDGE_COUNTRIES=FR,RO", "SMSBRIDGE_LINKS_WORK=RO"}, nil},
		{"unknown replies", []string{"SMSBRIDGE_COUNTRIES=FR,IS", "SMSBRIDGE_LINKS_WORK=IS"},
			[]string{"tenant acme: IS: it is not known whether phones there can text back"}},
		{"known by the operator", []string{"SMSBRIDGE_COUNTRIES=FR,IS", "SMSBRIDGE_LINKS_WORK=IS",
			"SMSBRIDGE_REPLIES_WORK=IS"}, nil},
		{"a name", []string{"SMSBRIDGE_COUNTRIES=FR,AU,US", "TWILIO_LINKS_FROM=ACME",
			"SMSBRIDGE_LINKS_WORK=US"},
			[]string{"tenant acme: AU, US: the name as sender of links and codes"}},
		{"a registered name", []string{"SMSBRIDGE_COUNTRIES=FR,AU", "TWILIO_LINKS_FROM=ACME",
			"SMSBRIDGE_NAMES_WORK=AU"}, nil},
		{"everywhere", []string{"SMSBRIDGE_COUNTRIES=*", "SMSBRIDGE_LINKS_WORK=*",
			"SMSBRIDGE_REPLIES_WORK=*"},
			[]string{"tenant acme: CN: no links", "ALL countries"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := FromEnv(oneTenant(test.changes...))
			require.NoError(t, err)
			require.Len(t, s.Warnings, len(test.want), "%v", s.Warnings)
			for i, want := range test.want {
				require.Contains(t, s.Warnings[i], want)
			}
		})
	}
	s, err := FromEnv(oneTenant("SMSBRIDGE_COUNTRIES=*"))
	require.NoError(t, err)
	require.Regexp(t, `AD, AE, AF, .* and [0-9]+ more countries: `+links, s.Warnings[0])
}

// TestCountriesRefused wants a start refused that could work in none of the countries.
func TestCountriesRefused(t *testing.T) {
	for _, test := range []struct {
		name             string
		changes          []string
		where, what, tip string
	}{
		{"links to Denmark", []string{"SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_ANSWER=tap"},
			"SMSBRIDGE_ANSWER", "is tap, which works in none of the countries: operators of DK filter " +
				"texts with links that are not registered (links_work)", "write answer = reply, or register"},
		{"both to Denmark and Sweden", []string{"SMSBRIDGE_ANSWER=both"}, "SMSBRIDGE_ANSWER",
			"is both, which works in none", "smsbridge compliance DK"},
		{"a name and links", []string{"SMSBRIDGE_ANSWER=tap", "TWILIO_FROM=ACME"}, "SMSBRIDGE_ANSWER",
			"cannot be had in any of the countries: a phone cannot reply to a name; operators of DK",
			"smsbridge compliance DK"},
		{"no replies", []string{"SMSBRIDGE_COUNTRIES=RO", "SMSBRIDGE_LINKS_WORK=RO"},
			"SMSBRIDGE_ANSWER", "is reply, which works in none of the countries: phones of RO cannot",
			"write answer = tap"},
		{"nothing works", []string{"SMSBRIDGE_COUNTRIES=CN"}, "SMSBRIDGE_ANSWER",
			"phones of CN cannot text back (replies_work); operators of CN filter texts with links", "CN"},
		{"a name to the US", []string{"SMSBRIDGE_COUNTRIES=US", "TWILIO_LINKS_FROM=ACME"},
			"TWILIO_FROM", "can text no code to any of the countries: operators of US block names", "US"},
		{"a name that is not registered", []string{"SMSBRIDGE_COUNTRIES=ES",
			"TWILIO_LINKS_FROM=ACME"}, "TWILIO_FROM", "only registered names as senders (names_work)",
			"smsbridge compliance ES"},
		{"links to China", []string{"SMSBRIDGE_LINKS_WORK=CN"}, "SMSBRIDGE_LINKS_WORK",
			"has CN, where operators filter every link", "take it out"},
		{"names in the US", []string{"SMSBRIDGE_NAMES_WORK=DK,US"}, "SMSBRIDGE_NAMES_WORK",
			"has US, where operators block every name", "compliance US"},
		{"a Danish number for links", []string{"SMSBRIDGE_LINKS_WORK=DK", "TWILIO_FROM=+4540123456"},
			"SMSBRIDGE_LINKS_WORK", "has DK, and operators of DK filter texts with links from a number " +
				"of DK", "of another country, or a name"},
		{"no country", []string{"SMSBRIDGE_REPLIES_WORK=Denmark"}, "SMSBRIDGE_REPLIES_WORK",
			`unknown country "Denmark"`, "write DK"},
		{"no sender", []string{"TWILIO_LINKS_FROM=a very long name"}, "TWILIO_LINKS_FROM",
			"is not a sender", "a name of up to 11"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := FromEnv(oneTenant(test.changes...))
			var mistakes settings.Mistakes
			require.True(t, errors.As(err, &mistakes), "%v", err)
			require.Len(t, mistakes, 1, "%v", mistakes)
			require.Contains(t, mistakes[0].Where, test.where)
			require.Contains(t, mistakes[0].What, test.what)
			require.Contains(t, mistakes[0].Hint, test.tip)
		})
	}
}

// TestSenderOfCountryRefused wants a name refused for a country that does not take it.
func TestSenderOfCountryRefused(t *testing.T) {
	const from = "from: \"+15005550006\""
	file := strings.Replace(minimal, from, from+"\n      links_senders: {DK: ACME, ES: ACME}", 1)
	_, err := load(t, file)
	var mistakes settings.Mistakes
	require.True(t, errors.As(err, &mistakes), "%v", err)
	require.Len(t, mistakes, 1, "%v", mistakes)
	require.Contains(t, mistakes[0].Where, "twilio.links_senders")
	require.Contains(t, mistakes[0].What, "has a name for ES: operators of ES take only registered")

	named := strings.Replace(file, "countries: [DK]", "countries: [DK]\n    names_work: [ES]", 1)
	s, err := load(t, named)
	require.NoError(t, err)
	acme := s.Tenants.All()[0]
	require.Equal(t, "ACME", acme.WayTo("ES", ForCode).Line.Sender)
	require.Equal(t, "+15005550006", acme.WayTo("ES", ForQuestion).Line.Sender)
	require.Equal(t, "+15005550006", acme.WayTo("SE", ForCode).Line.Sender)
}

// TestSharedSenderOfLinks wants two tenants told apart by name when one's sender of links is the
// other's sender. A number at Flowroute must not be shared so.
func TestSharedSenderOfLinks(t *testing.T) {
	const from = "from: \"+15005550006\""
	second := strings.NewReplacer("slug: acme", "slug: beta", "sms.acme", "sms.beta",
		from, "from: \"+15005550007\"\n      links_from: \"+15005550006\"")
	item := minimal[strings.Index(minimal, "  - slug"):]
	_, err := load(t, minimal+second.Replace(item))
	var mistakes settings.Mistakes
	require.True(t, errors.As(err, &mistakes), "%v", err)
	require.Len(t, mistakes, 1, "%v", mistakes)
	require.Contains(t, mistakes[0].What, "another tenant with the same sender has the same name")
	_, err = load(t, minimal+strings.NewReplacer("slug: acme", "slug: beta", "sms.acme", "sms.beta",
		from, "from: \"+15005550007\"\n      links_from: ACME").Replace(item))
	require.NoError(t, err)

	at := "    flowroute: {access_key: a, secret_key: env:FLOW, number: '+12065550101'}\n"
	links := strings.Replace(at, "number: '+12065550101'",
		"number: '+12065550102', links_number: '+12065550101'", 1)
	_, err = load(t, minimal+at+strings.NewReplacer("slug: acme", "slug: beta", "name: ACME",
		"name: Beta", "sms.acme", "sms.beta").Replace(item)+links, "FLOW="+flowSecret)
	require.True(t, errors.As(err, &mistakes), "%v", err)
	require.Len(t, mistakes, 1, "%v", mistakes)
	require.Contains(t, mistakes[0].Where, "flowroute.links_number")
	require.Contains(t, mistakes[0].What, "another tenant has the same number")
}
