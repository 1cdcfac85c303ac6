package country_test

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/country"
	"smsbridge/phonemail"
)

// fields returns the lines of the table that say something, each taken apart.
func fields(t *testing.T) (sources, facts [][]string) {
	t.Helper()
	text, err := os.ReadFile("facts.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch part := strings.Split(line, "|"); {
		case line == "" || strings.HasPrefix(line, "#"):
		case part[0] == "source":
			sources = append(sources, part)
		default:
			facts = append(facts, part)
		}
	}
	return sources, facts
}

// TestEverySource wants each source to be a page, with the day on which it was read.
func TestEverySource(t *testing.T) {
	sources, facts := fields(t)
	seen := map[string]bool{}
	for _, part := range sources {
		require.Len(t, part, 6, part)
		require.False(t, seen[part[1]], "%s is there twice", part[1])
		seen[part[1]] = true
		read, err := time.Parse(time.DateOnly, part[2])
		require.NoError(t, err, part)
		require.True(t, read.Year() >= 2026, "%s was read long ago", part[1])
		require.Contains(t, []string{"first", "second"}, part[3], part)
		require.NotEmpty(t, part[4], part)
		u, err := url.Parse(strings.ReplaceAll(part[5], "{}", "dk"))
		require.NoError(t, err, part)
		require.Equal(t, "https", u.Scheme, part)
		require.Contains(t, u.Host, ".", part)
		used := func(fact []string) bool { return fact[3] == part[1] }
		require.True(t, slices.ContainsFunc(facts, used), "no fact needs %s", part[1])
	}
}

// TestEveryFact wants each line to have a known country, topic, value and source, once. The lines
// of a country stand together.
func TestEveryFact(t *testing.T) {
	sources, facts := fields(t)
	values := map[country.Topic][]string{
		country.Replies: {"yes", "no", "unknown"},
		country.Names:   {"allowed", "registered", "blocked", "unknown"},
		country.Links:   {"free", "registered", "filtered", "unknown"},
		country.Abroad:  {"yes"},
	}
	words := regexp.MustCompile(`^[A-Z][A-Za-z0-9 ,:'’()-]*\.?$`)
	seen, last, ended := map[string]bool{}, "", map[string]bool{}
	for _, part := range facts {
		require.Len(t, part, 5, part)
		code, topic, value := part[0], country.Topic(part[1]), part[2]
		require.True(t, phonemail.IsCountry(code), "%s is no country", code)
		require.False(t, seen[code+part[1]], "%s is there twice", part[:2])
		seen[code+part[1]] = true
		if code != last {
			require.False(t, ended[code], "the lines of %s do not stand together", code)
			ended[last], last = true, code
		}
		switch topic {
		case country.Replies, country.Names, country.Links, country.Abroad:
			require.Contains(t, values[topic], value, part)
		case country.Quiet, country.Stop, country.File:
			require.True(t, value == country.Unknown || value == country.None ||
				words.MatchString(strings.ReplaceAll(value, ";", "")), part)
		default:
			require.Fail(t, "no such topic", part)
		}
		known := func(source []string) bool { return source[1] == part[3] }
		require.True(t, slices.ContainsFunc(sources, known), "%v has no source", part)
	}
	require.Greater(t, len(seen), 300)
}

// TestDefaultCountries wants the countries that deploy/env.example names to be complete, and
// every other country of which more is known than a provider's table.
func TestDefaultCountries(t *testing.T) {
	text, err := os.ReadFile("../../deploy/env.example")
	require.NoError(t, err)
	example := regexp.MustCompile(`For example: ([A-Z,]+)\nSMSBRIDGE_COUNTRIES=`)
	found := example.FindSubmatch(text)
	require.NotNil(t, found, "deploy/env.example names no countries")
	codes := strings.Split(string(found[1]), ",")
	require.NotEmpty(t, codes)
	_, facts := fields(t)
	for _, part := range facts {
		if part[1] == string(country.Links) {
			codes = append(codes, part[0])
		}
	}
	for _, code := range codes {
		var topics []country.Topic
		for _, fact := range country.About(code) {
			topics = append(topics, fact.Topic)
			require.NotEmpty(t, fact.Value)
			require.NotEmpty(t, fact.Source.Name)
			require.NotEmpty(t, fact.Source.URL)
			require.NotContains(t, fact.Source.URL, "{}")
			require.False(t, fact.Source.Read.IsZero())
		}
		for _, topic := range []country.Topic{country.Replies, country.Names, country.Links,
			country.Quiet, country.Stop, country.File} {
			require.Contains(t, topics, topic, "%s is not complete", code)
		}
	}
}

// TestOf compares what is looked up with the lines of the table.
func TestOf(t *testing.T) {
	require.Equal(t, country.Facts{
		Replies: country.Yes, Names: country.Allowed, Links: country.Registered, Abroad: true,
	}, country.Of("DK"))
	require.Equal(t, country.Facts{
		Replies: country.Yes, Names: country.Blocked, Links: country.Registered,
	}, country.Of("US"))
	require.Equal(t, country.Filtered, country.Of("CN").Links)
	unknown := country.Facts{
		Replies: country.Unknown, Names: country.Unknown, Links: country.Unknown,
	}
	for _, code := range []string{"", "D", "dk", "AQ", "source", "\n", "DK|names"} {
		require.Equal(t, unknown, country.Of(code), "%q", code)
		require.Empty(t, country.About(code), "%q", code)
	}
	about := country.About("DK")
	require.Equal(t, country.Replies, about[0].Topic)
	require.Equal(t, "https://www.twilio.com/en-us/guidelines/dk/sms", about[0].Source.URL)
	require.True(t, about[0].Source.FirstHand)
	require.Equal(t, time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC), about[0].Source.Read)
	require.False(t, about[1].Source.FirstHand)
	_, facts := fields(t)
	for _, part := range facts {
		of := country.Of(part[0])
		switch country.Topic(part[1]) {
		case country.Replies:
			require.Equal(t, part[2], of.Replies, part)
		case country.Names:
			require.Equal(t, part[2], of.Names, part)
		case country.Links:
			require.Equal(t, part[2], of.Links, part)
		case country.Abroad:
			require.True(t, of.Abroad, part)
		}
	}
}

// TestOfAllocates wants a look-up for a text to leave no garbage.
func TestOfAllocates(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() { country.Of("ZW") }))
}

func BenchmarkOf(b *testing.B) {
	for b.Loop() {
		country.Of("ZW")
	}
}
