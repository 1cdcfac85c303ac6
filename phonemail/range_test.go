//go:build !race

package phonemail

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"
)

// How the table of ranges is made. For each calling code, the patterns of its countries become one
// automaton without loops: its nodes are the numbers that begin with the same digits, joined where
// the same can follow. Its outcomes are what libphonenumber says of the number that ends there.

// described is a pattern of libphonenumber's with the lengths of its numbers.
type described struct {
	*matcher
	lengths []int32 // none: the lengths of all the country's numbers
	kind    kind
}

func (d described) has(state, length int) bool {
	return d.final[state] && (len(d.lengths) == 0 || slices.Contains(d.lengths, int32(length)))
}

// country is what libphonenumber knows of one country's numbers.
type country struct {
	leading *matcher // nil: the kinds alone tell its numbers
	general described
	kinds   []described // in the order in which libphonenumber looks at them
}

func newCountry(t testing.TB, m *phonenumbers.PhoneMetadata) country {
	describe := func(d *phonenumbers.PhoneNumberDesc, k kind) described {
		return described{newMatcher(t, d.GetNationalNumberPattern(), false), d.GetPossibleLength(), k}
	}
	c := country{general: describe(m.GetGeneralDesc(), unknown), kinds: []described{
		describe(m.GetPremiumRate(), costly), describe(m.GetTollFree(), costly),
		describe(m.GetSharedCost(), costly), describe(m.GetVoip(), ordinary),
		describe(m.GetPersonalNumber(), ordinary), describe(m.GetPager(), costly),
		describe(m.GetUan(), costly), describe(m.GetVoicemail(), costly),
		describe(m.GetFixedLine(), ordinary),
	}}
	if !m.GetSameMobileAndFixedLinePattern() {
		c.kinds = append(c.kinds, describe(m.GetMobile(), ordinary))
	}
	if m.GetLeadingDigits() != "" {
		c.leading = newMatcher(t, m.GetLeadingDigits(), true)
	}
	return c
}

// matchers are the automata of a country, in the order of their states in a place.
func (c country) matchers() []*matcher {
	list := []*matcher{c.general.matcher}
	if c.leading != nil {
		list = append(list, c.leading)
	}
	for _, k := range c.kinds {
		list = append(list, k.matcher)
	}
	return list
}

// judge says of which kind a number is that ends at these states, and whether it is the country's.
func (c country) judge(states []int, length int) (k kind, its bool) {
	general, kinds := states[0], states[len(states)-len(c.kinds):]
	if c.general.has(general, length) {
		for i, d := range c.kinds {
			if d.has(kinds[i], length) {
				k = d.kind
				break
			}
		}
	}
	if c.leading != nil {
		return k, c.leading.final[states[1]]
	}
	return k, k != unknown
}

// code is a calling code whose automaton is made.
type code struct {
	calling   int
	lengths   []int32 // of its numbers
	countries []country
	trunk     *trunk // nil: its numbers have no trunk prefix
	table     *rangeTable
	known     map[string]uint32 // the nodes of the places that were seen
}

// place is what some digits of a number lead to.
type place struct {
	length  int
	states  []int // of all matchers of all countries
	reading reading
}

func newCode(t testing.TB, calling int, regions []string, table *rangeTable) *code {
	c := &code{calling: calling, table: table, known: map[string]uint32{}}
	for i, name := range regions {
		m := metadataOf(t, name)
		c.countries = append(c.countries, newCountry(t, m))
		if i > 0 {
			continue
		}
		c.lengths = m.GetGeneralDesc().GetPossibleLength()
		if prefix := m.GetNationalPrefixForParsing(); prefix != "" {
			rule := m.GetNationalPrefixTransformRule()
			c.trunk = newTrunk(t, prefix, rule, c.countries[0].general.matcher)
		}
	}
	return c
}

func (c *code) matchers() (list []*matcher) {
	for _, country := range c.countries {
		list = append(list, country.matchers()...)
	}
	return list
}

// root makes the automaton and returns its first node.
func (c *code) root() uint32 {
	p := place{}
	for _, m := range c.matchers() {
		p.states = append(p.states, m.first)
	}
	if c.trunk != nil {
		p.reading = c.trunk.start()
	}
	return c.node(c.matchers(), p)
}

func (c *code) node(matchers []*matcher, p place) uint32 {
	key := fmt.Sprint(p)
	if at, ok := c.known[key]; ok {
		return at
	}
	prefix := len(strconv.Itoa(c.calling))
	n := node{}
	if total := prefix + p.length; total >= minDigits {
		n.end = c.judge(p)
	}
	if prefix+p.length < maxDigits {
		for digit := range 10 {
			on := place{length: p.length + 1, states: make([]int, len(p.states))}
			for i, m := range matchers {
				on.states[i] = m.next(p.states[i], digit)
			}
			if c.trunk != nil {
				on.reading = c.trunk.next(p.reading, digit)
			}
			n.next[digit] = c.node(matchers, on)
		}
	}
	at := c.table.add(n)
	c.known[key] = at
	return at
}

// judge is what libphonenumber says of the number that ends at a place.
func (c *code) judge(p place) (o outcome) {
	states := p.states
	for i, country := range c.countries {
		size := len(country.matchers())
		k, its := country.judge(states[:size], p.length)
		states = states[size:]
		if len(c.countries) == 1 {
			o = newOutcome(0, k)
		} else if its {
			o = newOutcome(i+1, k)
			break
		}
	}
	if c.trunk == nil {
		return o
	}
	left, ok := c.trunk.end(p.reading)
	general := c.countries[0].general.matcher
	switch {
	case !ok, left.length == p.length: // nothing was taken off
	case general.final[p.states[0]] && !general.final[left.state]: // it was a number, and is none
	case slices.Contains(c.lengths, int32(left.length)):
		o |= hasTrunk
	}
	return o
}

// node is a node of an automaton: the outcome of the numbers that end there, and where it goes on.
type node struct {
	end  outcome
	next [10]uint32
}

// rangeTable is the table as it grows. A node stands after those that it leads to, and once.
type rangeTable struct {
	bytes []byte
	known map[node]uint32
}

func newRangeTable() *rangeTable {
	r := &rangeTable{known: map[node]uint32{}}
	r.add(node{}) // at 0: no number goes on here
	return r
}

// add writes a node as [walk] reads it.
func (r *rangeTable) add(n node) uint32 {
	if at, ok := r.known[n]; ok {
		return at
	}
	at := uint32(len(r.bytes))
	r.known[n] = at
	var targets []uint32
	masks := map[uint32]uint32{}
	for digit, to := range n.next {
		if to != 0 && masks[to] == 0 {
			targets = append(targets, to)
		}
		masks[to] |= 1 << digit
	}
	r.bytes = append(r.bytes, byte(n.end), byte(len(targets)))
	for _, to := range targets {
		r.bytes = binary.LittleEndian.AppendUint32(r.bytes, to<<10|masks[to])
	}
	return at
}

func metadataOf(t testing.TB, region string) *phonenumbers.PhoneMetadata {
	collection, err := phonenumbers.MetadataCollection()
	require.NoError(t, err)
	i := slices.IndexFunc(collection.Metadata, func(m *phonenumbers.PhoneMetadata) bool {
		return m.GetId() == region
	})
	require.GreaterOrEqual(t, i, 0, region)
	return collection.Metadata[i]
}
