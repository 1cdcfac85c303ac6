// Package country knows what the operators and the laws of each country make of texts: whether a
// phone can text back, whether a name may be the sender, and whether a text may have a link.
//
// It is for the settings, which decide by it in what form a text goes to a country. It is also for
// `smsbridge compliance`, which shows it to the operator. It promises that every fact has a
// source and the day on which that was read, and that nothing is invented: what no source says
// is unknown. It decides nothing, and knows no tenant.
//
// The facts are in facts.txt, a line each. They were read in stored copies of the pages, which may
// be older than the day of reading. So an operator who knows better can say so in the settings.
// The hours in which advertising is forbidden stand there to be read. The bridge texts only what
// a person has just asked for, and no law that was found closes an hour to that.
//
// Nothing is kept in memory: a look-up reads the embedded text, which takes a few microseconds.
package country

import (
	_ "embed"
	"strings"
	"time"
)

//go:embed facts.txt
var table string

// Topic is what a fact is about.
type Topic string

// The topics.
const (
	Replies Topic = "replies" // whether phones can text back to a number
	Names   Topic = "names"   // what becomes of a text whose sender is a name
	Links   Topic = "links"   // what becomes of a text with a web address
	Abroad  Topic = "abroad"  // links work only from a name or a number of another country
	Quiet   Topic = "quiet"   // the hours that are closed, and to what
	Stop    Topic = "stop"    // words that end consent, with commas
	File    Topic = "file"    // what the operator files, and where
)

// What a fact can say. Quiet, Stop and File have words of their own beside Unknown.
const (
	Yes        = "yes"
	No         = "no"
	Allowed    = "allowed"    // a name, whatever it is
	Free       = "free"       // a link, whatever it is
	Registered = "registered" // works once it is registered
	Blocked    = "blocked"    // a name: never arrives as it was sent
	Filtered   = "filtered"   // a link: never arrives
	None       = "none"       // the source says that there is no such rule
	Unknown    = "unknown"    // no source says it
)

// Facts are what the form of a text depends on.
type Facts struct {
	Replies string // Yes, No or Unknown
	Names   string // Allowed, Registered, Blocked or Unknown
	Links   string // Free, Registered, Filtered or Unknown
	Abroad  bool   // links work only from a name or a number of another country
}

// Fact is one line of the table.
type Fact struct {
	Topic  Topic
	Value  string
	Note   string // what else the source says, often ""
	Source Source
}

// Source is a page that was read.
type Source struct {
	Name      string // what it is
	URL       string
	Read      time.Time // the day
	FirstHand bool      // the law, or a provider's page about what that provider delivers
}

// Of returns the facts about a country, given by its code of two capital letters. What the table
// does not say is Unknown, for any code.
func Of(code string) Facts {
	f := Facts{Replies: Unknown, Names: Unknown, Links: Unknown}
	for rest := lines(code); rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		_, line, _ = strings.Cut(line, "|")
		topic, line, _ := strings.Cut(line, "|")
		value, _, _ := strings.Cut(line, "|")
		switch Topic(topic) {
		case Replies:
			f.Replies = value
		case Names:
			f.Names = value
		case Links:
			f.Links = value
		case Abroad:
			f.Abroad = value == Yes
		}
	}
	return f
}

// About returns all facts about a country, in the order of the table; none for an unknown code.
func About(code string) []Fact {
	var all []Fact
	known := sources(code)
	for line := range strings.Lines(lines(code)) {
		part := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		all = append(all, Fact{
			Topic: Topic(part[1]), Value: part[2], Source: known[part[3]], Note: part[4],
		})
	}
	return all
}

// lines are the lines of the table about one country, which stand together.
func lines(code string) string {
	start := "\n" + code + "|"
	from := strings.Index(table, start)
	if from < 0 || len(code) != 2 {
		return ""
	}
	from++
	end := from
	for strings.HasPrefix(table[end:], start[1:]) {
		end += strings.IndexByte(table[end:], '\n') + 1
	}
	return table[from:end]
}

// sources are the sources by their names in the table, with the address for a country.
func sources(code string) map[string]Source {
	found := map[string]Source{}
	for line := range strings.Lines(table) {
		part := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if part[0] != "source" {
			continue
		}
		read, err := time.Parse(time.DateOnly, part[2])
		if err != nil {
			continue // a test reads all of them
		}
		found[part[1]] = Source{
			Name: part[4], Read: read, FirstHand: part[3] == "first",
			URL: strings.ReplaceAll(part[5], "{}", strings.ToLower(code)),
		}
	}
	return found
}
