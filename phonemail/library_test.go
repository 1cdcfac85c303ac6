//go:build !race

package phonemail

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unique"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/longtest"
)

// What libphonenumber itself says, by which the tables are judged.

// fromLibrary reads the digits of a number as [ParseNumber] does, with the library.
func fromLibrary(plain string) (Number, error) {
	parsed, err := phonenumbers.Parse("+"+plain, "")
	if err != nil {
		return Number{}, fmt.Errorf("%w: unknown country code", ErrNumber)
	}
	// IsPossibleNumber would also pass what can only be dialed locally.
	if phonenumbers.IsPossibleNumberWithReason(parsed) != phonenumbers.IS_POSSIBLE {
		return Number{}, fmt.Errorf("%w: wrong length for its country", ErrNumber)
	}
	code := strconv.Itoa(int(parsed.GetCountryCode()))
	if plain != code+phonenumbers.GetNationalSignificantNumber(parsed) {
		return Number{}, fmt.Errorf("%w: has a trunk prefix", ErrNumber)
	}
	return Number{unique.Make(plain), len(code)}, nil
}

// inLibrary returns a number as the library has it: all digits after the calling code are national.
func inLibrary(plain string, digits int) *phonenumbers.PhoneNumber {
	code, _ := strconv.Atoi(plain[:digits])
	national := plain[digits:]
	value, _ := strconv.ParseUint(national, 10, 64)
	n := &phonenumbers.PhoneNumber{CountryCode: new(int32(code)), NationalNumber: &value}
	if strings.HasPrefix(national, "0") {
		n.ItalianLeadingZero = new(true)
		// A number of zeros alone ends with one that is its value.
		zeros := len(national) - len(strings.TrimLeft(national[:len(national)-1], "0")) - 1
		n.NumberOfLeadingZeros = new(int32(zeros))
	}
	return n
}

// countryFromLibrary is what [Number.Country] promises.
func countryFromLibrary(n *phonenumbers.PhoneNumber) string {
	region := phonenumbers.GetRegionCodeForNumber(n)
	if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return ""
	}
	return region
}

// checksFromLibrary are what [Policy.Check] promises where every country is allowed: without and
// with [Policy.Valid].
func checksFromLibrary(n *phonenumbers.PhoneNumber) (any, valid error) {
	code := int(n.GetCountryCode())
	main := phonenumbers.GetRegionCodeForCountryCode(code)
	if main == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return ErrType, ErrType
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.TOLL_FREE,
		phonenumbers.UAN, phonenumbers.PAGER, phonenumbers.VOICEMAIL:
		return ErrType, ErrType
	}
	if !phonenumbers.IsValidNumber(n) {
		return nil, ErrInvalid
	}
	return nil, nil
}

// agrees compares all that is promised about some digits with what the library says. It reports
// whether they are a number.
func agrees(t require.TestingT, plain string) bool {
	if !isDigits(plain) {
		return false
	}
	want, wantErr := fromLibrary(plain)
	got, err := ParseNumber("+" + plain)
	require.Equal(t, want, got, plain)
	require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err), plain)
	// A number of the database was judged once, perhaps by another plan.
	_, digits := planOf(plain)
	if digits == 0 {
		require.Error(t, err, plain)
		return false
	}
	kept, n := Number{unique.Make(plain), digits}, inLibrary(plain, digits)
	require.Equal(t, countryFromLibrary(n), kept.Country(), plain)
	any, valid := checksFromLibrary(n)
	anywhere := []string{AnyCountry}
	require.Equal(t, any, Policy{Countries: anywhere}.Check(kept), plain)
	require.Equal(t, valid, Policy{Countries: anywhere, Valid: true}.Check(kept), plain)
	return !errors.Is(err, ErrNumber)
}

// Ensure that the tables say what the library says, for every calling code. Every digit follows
// every node, once at the end of a number and once within a longer one.
func TestTablesAgreeWithTheLibrary(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	numbers, nodes := 0, 0
	for calling, p := range plans {
		if p.lengths == 0 {
			continue
		}
		prefix, seen := strconv.Itoa(calling), map[uint32]bool{}
		var visit func(at uint32, national string)
		visit = func(at uint32, national string) {
			if seen[at] {
				return
			}
			seen[at] = true
			nodes++
			for digit := range 10 {
				on := national + strconv.Itoa(digit)
				if agrees(t, prefix+on) {
					numbers++
				}
				if rest := missing(p, len(on)); rest > 0 &&
					agrees(t, prefix+on+"5839201746358213"[:rest]) {
					numbers++
				}
				if to := follow(at, digit); to != 0 {
					visit(to, on)
				}
			}
		}
		visit(p.root, "")
	}
	require.Greater(t, nodes, 5_000)
	require.Greater(t, numbers, 20_000)
}

// missing is how many digits must follow some national digits for a length that is possible.
func missing(p plan, have int) int {
	for length := have; length <= maxDigits; length++ {
		if p.lengths&(1<<length) != 0 {
			return length - have
		}
	}
	return 0
}

// follow is the node to which a digit leads, 0 where it leads nowhere.
func follow(at uint32, digit int) uint32 {
	for edge := at + 2; edge < at+2+4*uint32(ranges[at+1]); edge += 4 {
		to := uint32(ranges[edge]) | uint32(ranges[edge+1])<<8 |
			uint32(ranges[edge+2])<<16 | uint32(ranges[edge+3])<<24
		if to&(1<<digit) != 0 {
			return to >> 10
		}
	}
	return 0
}

// Ensure that the tables say what the library says, for numbers of every calling code and length.
// The library's own examples are among them.
func TestNumbersAgreeWithTheLibrary(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	for calling := range 1000 {
		for length := range maxDigits {
			agrees(t, strconv.Itoa(calling)+"5839201746358213"[:length])
			for first := 0; first < 10 && plans[calling].lengths != 0; first++ {
				agrees(t, strconv.Itoa(calling)+strconv.Itoa(first)+"0000000000000000"[:length])
			}
		}
	}
	examples := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			if n := phonenumbers.GetExampleNumberForType(region, kind); n != nil {
				agrees(t, phonenumbers.Format(n, phonenumbers.E164)[1:])
				examples++
			}
		}
	}
	require.Greater(t, examples, 800)
	rapid.Check(t,
		func(rt *rapid.T) { agrees(rt, rapid.StringMatching(`[1-9]\d{6,14}`).Draw(rt, "digits")) })
}

// Ensure that the countries are the library's, calling code by calling code.
func TestCountriesAgreeWithTheLibrary(t *testing.T) {
	for calling := range 1000 {
		var want []string
		for _, region := range phonenumbers.GetRegionCodesForCountryCode(calling) {
			if phonenumbers.GetCountryCodeForRegion(region) != 0 {
				want = append(want, region)
			}
		}
		require.Equal(t, want, CountriesOf(strconv.Itoa(calling)), calling)
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			require.Equal(t, phonenumbers.GetCountryCodeForRegion(code) != 0, IsCountry(code), code)
		}
	}
}

func BenchmarkPolicyCheck(b *testing.B) {
	n, err := ParseNumber("+4520123456")
	require.NoError(b, err)
	p := Policy{Countries: []string{"DK", "SE", "NO"}}
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Check(n); err != nil {
			b.Fatal(err)
		}
	}
}
