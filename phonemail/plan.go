package phonemail

import "strconv"

// plan is what is known of the numbers of a calling code.
type plan struct {
	lengths uint16 // bit n: the national digits may be n; 0: there is no such calling code
	root    uint32 // where its ranges begin
	// The ISO 3166-1 alpha-2 codes of its countries, two letters each, the largest first. It is
	// empty for satellites and other services of no country.
	countries string
}

// planOf returns the plan of the calling code with which some digits begin, and how many digits the
// code has. Without such a code that is 0. No code is the beginning of another (ITU-T E.164
// (11/2010), 6.2.2).
func planOf(plain string) (p *plan, digits int) {
	calling := 0
	for digits = 1; digits <= 3 && digits < len(plain); digits++ {
		calling = calling*10 + int(plain[digits-1]-'0')
		if p := &plans[calling]; p.lengths != 0 {
			return p, digits
		}
	}
	return &plans[0], 0
}

// country returns the country of an outcome, or "" where that is not known.
func (p *plan) country(o outcome) string {
	i := o.country()
	if len(p.countries) == 2 { // one alone has all numbers, also the unassigned ones
		i = 1
	}
	if i == 0 || p.countries == "" {
		return ""
	}
	return p.countries[2*i-2 : 2*i]
}

// IsCountry reports whether code is the ISO 3166-1 alpha-2 code, in capitals, of
// a country that has phone numbers.
func IsCountry(code string) bool {
	for i := range plans {
		for at := 0; at < len(plans[i].countries); at += 2 {
			if plans[i].countries[at:at+2] == code {
				return true
			}
		}
	}
	return false
}

// CountriesOf returns the ISO 3166-1 alpha-2 codes of the countries that have a calling code, such
// as "45", the largest first. It returns none for a calling code of no country.
func CountriesOf(callingCode string) (codes []string) {
	calling, err := strconv.ParseUint(callingCode, 10, 16)
	if err != nil || calling >= uint64(len(plans)) {
		return nil
	}
	all := plans[calling].countries
	for at := 0; at < len(all); at += 2 {
		codes = append(codes, all[at:at+2])
	}
	return codes
}
