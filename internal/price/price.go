// Package price knows what a text is taken to cost before its provider says so.
//
// It is for the settings and for the rule that keeps the budget. It promises a price for every
// text: what is not in the table costs what the line of all providers and countries says. Prices
// are amounts of [Micro], so that sums are exact.
package price

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"smsbridge/phonemail"
)

// Micro is an amount of money, in millionths of a US dollar.
type Micro int64

// Dollar is one US dollar.
const Dollar Micro = 1_000_000

// String shows an amount in dollars, with as many digits as it needs, two at least.
func (m Micro) String() string {
	s := strings.TrimRight(strconv.FormatFloat(float64(m)/float64(Dollar), 'f', 6, 64), "0")
	if point := strings.IndexByte(s, '.'); len(s)-point < 3 {
		s += strings.Repeat("0", 3-len(s)+point)
	}
	return s
}

// most is the highest amount that is read.
const most = 1_000_000_000

// Parse reads an amount of dollars, such as 12.50.
func Parse(s string) (Micro, error) {
	dollars, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(dollars) || dollars < 0 || dollars > most {
		return 0, errors.New("price: not an amount of dollars")
	}
	return Micro(math.Round(dollars * float64(Dollar))), nil
}

// key says which texts a price is for. A field of any stands for all that have no line.
type key struct{ provider, country string }

const any = "*"

// Table has the price of a segment by provider and country. The zero Table has none.
type Table struct{ of map[key]Micro }

// Empty reports whether a table has no price at all.
func (t Table) Empty() bool { return len(t.of) == 0 }

//go:embed price.csv
var shipped string

// Shipped is the table that is part of the program.
func Shipped() Table { return readShipped() }

// readShipped reads it once: each tenant without a table of its own has it.
var readShipped = sync.OnceValue(func() Table {
	t, err := Read(shipped)
	if err != nil {
		panic(err) // a test reads it
	}
	return t
})

// ErrNoRest says that a table has no price for what it does not name.
var ErrNoRest = errors.New("price: no line for all providers and countries: *,*,PRICE,DATE,SOURCE")

// Read reads a table of lines PROVIDER,COUNTRY,PRICE,DATE,SOURCE. A line that begins with # is a
// comment. The error names the line, and says what is wrong with it.
func Read(text string) (Table, error) {
	t, number := Table{map[key]Micro{}}, 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := t.add(strings.SplitN(line, ",", 5)); err != nil {
			return Table{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if _, ok := t.of[key{any, any}]; !ok {
		return Table{}, ErrNoRest
	}
	return t, nil
}

func (t Table) add(fields []string) error {
	if len(fields) != 5 {
		return errors.New("price: not PROVIDER,COUNTRY,PRICE,DATE,SOURCE")
	}
	k := key{strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1])}
	switch k.provider {
	case "twilio", "verify", "flowroute", "webhook", any:
	default:
		return errors.New("price: the provider is none of twilio, verify, flowroute, webhook and *")
	}
	if k.country != any && !phonemail.IsCountry(k.country) {
		return errors.New("price: the country is no code of two letters (ISO 3166-1), and not *")
	}
	amount, err := Parse(strings.TrimSpace(fields[2]))
	if err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, strings.TrimSpace(fields[3])); err != nil {
		return errors.New("price: the date is not YYYY-MM-DD")
	}
	if strings.TrimSpace(fields[4]) == "" {
		return errors.New("price: the source is missing")
	}
	if _, twice := t.of[k]; twice {
		return errors.New("price: the provider and country have two lines")
	}
	t.of[k] = amount
	return nil
}

// Segment is what one segment costs from a provider to a country.
func (t Table) Segment(provider, country string) Micro {
	for _, k := range []key{{provider, country}, {provider, any}, {any, country}, {any, any}} {
		if amount, ok := t.of[k]; ok {
			return amount
		}
	}
	return 0
}
