package tenant

import (
	"strings"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/settings"
)

const (
	// mostPhone is the most texts to a phone that its row remembers, and so the highest limit.
	mostPhone  = 30
	mostTexts  = 1_000_000_000
	hintAmount = "write an amount of US dollars, such as 25.00, or 0 for no limit"
)

// limitOptions are about who may cause how many texts, and to whom.
func limitOptions() []option {
	return []option{
		{Row: row{
			Key: "limits.wait", Variable: "SMSBRIDGE_LIMIT_WAIT", Default: "1m",
			Doc: "How long a phone is left alone after a text that it did not answer, 0s to 1h. Each " +
				"further one doubles the time, up to 32 times. A yes, or the right code, ends it. " +
				"Tenants with one account at a provider count together.",
			Prevents: "Without it, a stranger who signs up with your number floods your phone.",
		}, Set: settings.Duration(0, time.Hour, "1m",
			func(t *Tenant) *time.Duration { return &t.Limits.Wait })},
		{Row: row{
			Key: "limits.phone_hour", Variable: "SMSBRIDGE_LIMIT_PHONE_HOUR", Default: "5",
			Doc: "How many texts a phone gets in any hour, 1 to 30, or 0 for no limit. What tells how a " +
				"question ended does not count. Tenants with one account at a provider count together.",
			Prevents: "Without it, the owner of a number is flooded, and the carrier blocks your sender.",
		}, Set: settings.Count(0, mostPhone, func(t *Tenant) *int { return &t.Limits.PhoneHour })},
		{Row: row{
			Key: "limits.phone_day", Variable: "SMSBRIDGE_LIMIT_PHONE_DAY", Default: "10",
			Doc:      "The same for any 24 hours.",
			Prevents: "Without it, five texts an hour are a hundred and twenty a day.",
		}, Set: settings.Count(0, mostPhone, func(t *Tenant) *int { return &t.Limits.PhoneDay })},
		{Row: row{
			Key: "limits.prefix_hour", Variable: "SMSBRIDGE_LIMIT_PREFIX_HOUR", Default: "20",
			Doc: "How many texts go in an hour to numbers that differ only in their last four digits. " +
				"An hour is one of the clock. 0 is no limit.",
			Prevents: "Who earns from texts rents such ranges of numbers, and signs up with all of them.",
		}, Set: settings.Count(0, mostTexts, func(t *Tenant) *int { return &t.Limits.PrefixHour })},
		{Row: row{
			Key: "limits.country_hour", Variable: "SMSBRIDGE_LIMIT_COUNTRY_HOUR", Default: "200",
			Doc: "How many texts go to one country in an hour of the clock. 0 is no limit. Raise it " +
				"before a day on which many sign up.",
			Prevents: "Without it, a fraud in one country spends the budget of all.",
		}, Set: settings.Count(0, mostTexts, func(t *Tenant) *int { return &t.Limits.CountryHour })},
		{Row: row{
			Key: "limits.asker_hour", Variable: "SMSBRIDGE_LIMIT_ASKER_HOUR", Default: "30",
			Doc: "How many texts one who asks causes in an hour of the clock. That is Auth0's user, " +
				"or a subject that an app names. Who types numbers at the form is an address of the " +
				"Internet, of IPv6 a /64 network. All mails whose sender is not proved count as those of " +
				"one. 0 is no limit.",
			Prevents: "Without it, one person with a list of numbers spends what the tenant may spend.",
		}, Set: settings.Count(0, mostTexts, func(t *Tenant) *int { return &t.Limits.AskerHour })},
		{Row: row{
			Key: "limits.mail_phones", Variable: "SMSBRIDGE_LIMIT_MAIL_PHONES", Default: "10",
			Doc:      "How many phones one mail may text, 1 to 50. Further ones are recorded as refused.",
			Prevents: "Without it, one mail to many addresses is many texts.",
		}, Set: settings.Count(1, 50, func(t *Tenant) *int { return &t.Limits.MailPhones })},
		{Row: row{
			Key: "limits.breaker", Variable: "SMSBRIDGE_LIMIT_BREAKER", Default: "20",
			Doc: "After how many unanswered questions and codes of an hour a country is left alone for " +
				"30 minutes. It is not when one in ten was answered. Then five texts try whether people " +
				"answer again. 0 is never.",
			Prevents: "Numbers that only earn from texts do not answer: this ends a fraud before the " +
				"budget does.",
		}, Set: settings.Count(0, mostTexts, func(t *Tenant) *int { return &t.Limits.Breaker })},
	}
}

// spendOptions bound what a tenant spends in a day.
func spendOptions() []option {
	return []option{
		{Row: row{
			Key: "limits.daily_segments", Default: "0",
			Doc: "How many segments the tenant may have texted from midnight to midnight (UTC). " +
				"Reaching it ends all texts but those that tell how a question ended. 0: as many as " +
				"{daily_segments} leaves.",
			Prevents: "Without it, one tenant can spend what all tenants may.",
		}, Set: settings.Count(0, mostTexts, func(t *Tenant) *int { return &t.Limits.Day.Segments })},
		{Row: row{
			Key: "limits.daily_money", Default: "0",
			Doc:      "The same in US dollars. 0: as much as {daily_money} leaves.",
			Prevents: "A segment to one country costs fifty times one to another.",
		}, Set: setMoney(func(t *Tenant) *price.Micro { return &t.Limits.Day.Money })},
		{Row: row{
			Key: "limits.ask_prices", Variable: "SMSBRIDGE_ASK_PRICES", Default: "true",
			Doc: "Whether Twilio and Flowroute are asked, some minutes after each text, what it cost. " +
				"What was spent of the day's money is corrected by the response. It is one request a " +
				"text, and up to three while the provider does not know.",
			Prevents: "With an old table of prices, {daily_money} ends too early or too late, and no " +
				"line of the log says so.",
		}, Set: settings.Switch(func(t *Tenant) *bool { return &t.Limits.AskPrices })},
	}
}

// budgetOptions bound what all tenants together spend in a day.
func budgetOptions() []settings.Option[Settings] {
	type option = settings.Option[Settings]
	return []option{
		{Row: row{
			Key: "daily_segments", Variable: "SMSBRIDGE_DAILY_SEGMENTS", Default: "5000",
			Doc: "How many segments all replicas together may have texted from midnight to midnight " +
				"(UTC), for all tenants. At 50, 80 and 100 % it is logged and recorded, once each. " +
				"Reaching it ends all texts but those that tell how a question ended, which count all " +
				"the same. A text counts when it is made, also when it is not sent after all. 0 is no " +
				"limit.",
			Prevents: "Without it, a fraud that no other limit stops is paid for until the month's bill.",
		}, Set: settings.Count(0, mostTexts, func(s *Settings) *int { return &s.day.Segments })},
		{Row: row{
			Key: "daily_money", Variable: "SMSBRIDGE_DAILY_MONEY", Default: "0", Example: "50.00",
			Doc:      "The same in US dollars, by {prices}. 0 is no limit.",
			Prevents: "A segment to one country costs fifty times one to another.",
		}, Set: setMoney(func(s *Settings) *price.Micro { return &s.day.Money })},
		{Row: row{
			Key: "prices", Variable: "SMSBRIDGE_PRICES", Off: true, Example: "/etc/smsbridge/price.csv",
			Doc: "A file of prices instead of the shipped one, internal/price/price.csv, which says how " +
				"it is written. A price that is not in it is that of the line *,*.",
			Prevents: "With prices that are not yours, {daily_money} ends too early or too late.",
		}, Set: setPrices},
	}
}

func setMoney[T any](of func(*T) *price.Micro) settings.Setter[T] {
	return func(target *T, v []string) *settings.Mistake {
		amount, err := price.Parse(v[0])
		switch plain := strings.Trim(v[0], "0123456789.") == ""; {
		case err != nil || !plain:
			return settings.Wrong(settings.Quote(v[0])+" is not an amount", hintAmount)
		case amount == 0 && strings.Trim(v[0], "0.") != "":
			return settings.Wrong(settings.Quote(v[0])+" is less than a millionth of a dollar", hintAmount)
		}
		*of(target) = amount
		return nil
	}
}

// maxPrices, in bytes, is far beyond a price for each provider and country.
const maxPrices = 1 << 20

func setPrices(s *Settings, v []string) *settings.Mistake {
	text, err := settings.ReadLimited(v[0], maxPrices)
	if err != nil {
		return settings.Wrong("is not a file that can be read",
			"write the path of a file, or leave it out for the shipped prices")
	}
	table, err := price.Read(string(text))
	if err != nil {
		return settings.Wrong("has no usable prices: "+err.Error(),
			"write lines PROVIDER,COUNTRY,PRICE,DATE,SOURCE as in internal/price/price.csv")
	}
	s.prices = table
	return nil
}

// checkLimits finds limits that contradict each other.
func (l *loader) checkLimits(t *Tenant, given settings.Given) {
	if hour, day := t.Limits.PhoneHour, t.Limits.PhoneDay; day != 0 && hour > day {
		l.Add(given.Place("limits.phone_hour"), settings.Wrong(
			"is more than limits.phone_day", "write at most as many for the hour as for the day"))
	}
}

// shareBudget gives every tenant what all of them may spend, and the prices.
func shareBudget(s Settings) {
	prices := s.prices
	if prices.Empty() {
		prices = price.Shipped()
	}
	for _, t := range s.Tenants.all {
		t.Limits.ProcessDay, t.Limits.Prices = s.day, prices
	}
}
