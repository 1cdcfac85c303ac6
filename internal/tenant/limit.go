package tenant

import (
	"time"

	"smsbridge/internal/price"
)

// Limits bound what a tenant's texts cost and whom they trouble. A limit of 0 is none.
type Limits struct {
	Wait        time.Duration // after a text that went unanswered; twice as long after each more
	PhoneHour   int           // texts to one phone in any hour
	PhoneDay    int           // texts to one phone in any day
	PrefixHour  int           // texts to numbers that differ in their last four digits
	CountryHour int           // texts to one country
	AskerHour   int           // texts for one who asks for them
	MailPhones  int           // phones that one mail may text
	Breaker     int           // questions that go unanswered before a country is left alone
	Day         Budget        // of the tenant
	ProcessDay  Budget        // of all tenants together
	Prices      price.Table
	AskPrices   bool // whether providers are asked what texts cost
}

// Budget is what a day may cost, from midnight to midnight in UTC.
type Budget struct {
	Segments int
	Money    price.Micro
}

// Price is what a text of some segments is taken to cost: the price of the provider that is asked
// first for it. Verify sends only codes.
func (t *Tenant) Price(country string, segments int, code bool) price.Micro {
	var first Provider
	for _, p := range t.Sending.Providers {
		if p != ByVerify || code {
			first = p
			break
		}
	}
	return t.Limits.Prices.Segment(string(first), country) * price.Micro(segments)
}
