package price

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Told is what a provider says that a text cost. The zero Told says nothing.
type Told struct {
	Amount   Micro  // in millionths of the currency
	Currency string // ISO 4217, such as USD
	Segments int    // that the provider counted, 0 when it does not say
}

// Known reports whether a provider has said the price.
func (t Told) Known() bool { return t.Currency != "" }

// USD is the currency of budgets and of the table.
const USD = "USD"

// mostTold is the highest price of a text that is believed, in any currency.
const mostTold = 1_000

// ErrTold says that a provider told something that is no price of a text.
var ErrTold = errors.New("price: what the provider told is no price of a text")

// ReadTold reads a price as providers write it: Twilio's is negative, others' are not. Its error is
// ErrTold.
func ReadTold(amount, currency string, segments int) (Told, error) {
	value, err := strconv.ParseFloat(amount, 64)
	currency = strings.ToUpper(currency)
	if err != nil || !(math.Abs(value) <= mostTold) || !isCurrency(currency) {
		return Told{}, ErrTold
	}
	if segments < 0 || segments > mostSegments {
		segments = 0
	}
	return Told{Micro(math.Round(math.Abs(value) * float64(Dollar))), currency, segments}, nil
}

// mostSegments is far above what any provider takes: Twilio's longest body has 10 or 24.
const mostSegments = 100

func isCurrency(code string) bool {
	return len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Far reports whether a price in dollars is so far from the table's that an operator should know:
// it is more than a quarter above, or less than half. A text that cost nothing says nothing about
// the table: providers take nothing for one that failed.
func Far(told, table Micro) bool {
	return told > table+table/4 || told > 0 && told < table/2
}
