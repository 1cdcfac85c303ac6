package phonemail

import (
	"errors"
	"slices"
)

// What [Policy.Check] returns for a number that must not be texted.
var (
	// ErrCountry: the number's country is not on the list, or not known.
	ErrCountry = errors.New("country not allowed")
	// ErrType: the number is of a kind that costs extra or that no person carries.
	ErrType = errors.New("kind of number not allowed")
	// ErrInvalid: the number is not in an assigned range.
	ErrInvalid = errors.New("number not in an assigned range")
)

// AnyCountry, in [Policy.Countries], stands for all countries.
const AnyCountry = "*"

// Policy says which numbers may be texted. Its purpose is to keep sign-ups for
// costly numbers, paid for by the tenant, from being a business. The zero value
// refuses every number.
type Policy struct {
	// Countries lists ISO 3166-1 alpha-2 codes in capitals, or AnyCountry. A
	// number whose country is unknown (see Number.Country) needs AnyCountry.
	Countries []string
	// Valid also refuses numbers outside the ranges that are known to be
	// assigned. It is off by default because new ranges take months to be known.
	Valid bool
}

// Check returns nil when n may be texted, else [ErrCountry], [ErrType],
// [ErrInvalid], or [ErrNumber] for no number and for one that was erased.
//
// Whatever the policy says, it refuses premium-rate, shared-cost and toll-free
// numbers, universal access numbers (UAN), pagers and voice mail boxes. It also
// refuses the country codes of no country: satellite phones (+870, +881, +882,
// +883), international premium rate (+979) and the like.
func (p Policy) Check(n Number) error {
	if n.code == 0 {
		return ErrNumber
	}
	plan, o := n.look()
	if !slices.Contains(p.Countries, AnyCountry) && !slices.Contains(p.Countries, plan.country(o)) {
		return ErrCountry
	}
	// What belongs to no country is costly. A number from an unassigned range has no known kind.
	if plan.countries == "" || o.kind() == costly {
		return ErrType
	}
	if p.Valid && o.kind() == unknown {
		return ErrInvalid
	}
	return nil
}
