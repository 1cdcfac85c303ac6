package tenant

import (
	"strings"

	"smsbridge/internal/country"
	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// countrySection is what the operator says of countries beyond what the bridge knows.
func countrySection() section {
	return section{"What works where", "The bridge has a dated table of what operators make of " +
		"texts; `smsbridge compliance DK` shows a country's. A question takes the form that works " +
		"there: a reply instead of a tap where links are filtered. What has no such form is refused " +
		"with the reason. Links and names that are not known to work count as filtered. Here you " +
		"say what you have registered, or know better.", countryOptions()}
}

func countryOptions() []option {
	return []option{
		{Row: row{
			Key: "links_work", Variable: "SMSBRIDGE_LINKS_WORK", Kind: settings.List,
			Example: "DK,SE",
			Doc: "The countries whose operators have registered texts with the bridge's short links, " +
				"whose host is that of {public_url}; or * for all.",
			Prevents: "Operators drop links that they do not know, and you pay for the text. Without " +
				"the country here, the bridge texts no link there.",
		}, Set: setWorks(func(t *Tenant) *[]string { return &t.Works.Links }, linksCannot)},
		{Row: row{
			Key: "names_work", Variable: "SMSBRIDGE_NAMES_WORK", Kind: settings.List,
			Example: "ES,IE",
			Doc: "The countries in which the name that your texts come from is registered, or * for " +
				"all. It concerns a name as sender, such as ACME; a number needs none.",
			Prevents: "Operators block a name that is not registered, or show it as a likely scam.",
		}, Set: setWorks(func(t *Tenant) *[]string { return &t.Works.Names }, namesCannot)},
		{Row: row{
			Key: "replies_work", Variable: "SMSBRIDGE_REPLIES_WORK", Kind: settings.List,
			Example: "RO",
			Doc: "The countries whose phones can text back to your number, although the bridge's " +
				"table says that they cannot; or * for all.",
			Prevents: "A question that cannot be answered costs a text, and the person waits in vain.",
		}, Set: setWorks(func(t *Tenant) *[]string { return &t.Works.Replies },
			func(country.Facts) string { return "" })},
	}
}

func linksCannot(f country.Facts) string {
	if f.Links == country.Filtered {
		return "where operators filter every link"
	}
	return ""
}

func namesCannot(f country.Facts) string {
	if f.Names == country.Blocked {
		return "where operators block every name"
	}
	return ""
}

// setWorks takes countries, but none in which it certainly cannot work.
func setWorks(
	of func(*Tenant) *[]string, cannot func(country.Facts) string,
) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		var all []string
		for _, item := range v {
			code := strings.ToUpper(item)
			if code != phonemail.AnyCountry && !phonemail.IsCountry(code) {
				return settings.Wrong("has an unknown country "+settings.Quote(item), countryHint(item))
			}
			if why := cannot(country.Of(code)); why != "" {
				return settings.Wrong("has "+code+", "+why,
					"take it out; smsbridge compliance "+code+" says more")
			}
			all = append(all, code)
		}
		*of(t) = all
		return nil
	}
}
