//go:build !race

package phonemail

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the table of ranges is made with: automata for libphonenumber's patterns.

// matcher is a deterministic automaton for a pattern over digits. Its states are made when they
// are needed; 0 is the state in which no match is possible any more.
type matcher struct {
	prog   *syntax.Prog
	prefix bool // the beginning of a number is enough
	ids    map[string]int
	sets   [][]uint32
	nexts  [][10]int // -1: not made yet
	final  []bool
	first  int // the state before the first digit
}

func newMatcher(t testing.TB, pattern string, prefix bool) *matcher {
	m := &matcher{prog: compiled(t, pattern), prefix: prefix, ids: map[string]int{}}
	m.id(nil)
	if pattern != "" { // an empty one has no numbers
		m.first = m.id(m.closure([]uint32{uint32(m.prog.Start)}))
	}
	return m
}

func compiled(t testing.TB, pattern string) *syntax.Prog {
	parsed, err := syntax.Parse("(?:"+pattern+")", syntax.Perl)
	require.NoError(t, err)
	prog, err := syntax.Compile(parsed.Simplify())
	require.NoError(t, err)
	return prog
}

// closure is what is reached from some instructions without a digit.
func (m *matcher) closure(from []uint32) (set []uint32) {
	seen := map[uint32]bool{}
	var walk func(at uint32)
	walk = func(at uint32) {
		if seen[at] {
			return
		}
		seen[at] = true
		switch i := m.prog.Inst[at]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			walk(i.Out)
			walk(i.Arg)
		case syntax.InstCapture, syntax.InstNop:
			walk(i.Out)
		case syntax.InstFail:
		case syntax.InstEmptyWidth:
			panic("a pattern of numbers has an anchor")
		default:
			set = append(set, at)
		}
	}
	for _, at := range from {
		walk(at)
	}
	slices.Sort(set)
	return set
}

func (m *matcher) id(set []uint32) int {
	key := fmt.Sprint(set)
	if id, ok := m.ids[key]; ok {
		return id
	}
	id := len(m.sets)
	m.ids[key] = id
	m.sets = append(m.sets, set)
	m.nexts = append(m.nexts, [10]int{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1})
	m.final = append(m.final, slices.ContainsFunc(set, func(at uint32) bool {
		return m.prog.Inst[at].Op == syntax.InstMatch
	}))
	return id
}

// next is the state after a digit.
func (m *matcher) next(state, digit int) int {
	if known := m.nexts[state][digit]; known >= 0 {
		return known
	}
	if m.prefix && m.final[state] {
		return state
	}
	var out []uint32
	for _, at := range m.sets[state] {
		i := m.prog.Inst[at]
		if i.Op != syntax.InstMatch && i.MatchRune('0'+rune(digit)) {
			out = append(out, i.Out)
		}
	}
	id := m.id(m.closure(out))
	m.nexts[state][digit] = id
	return id
}

// run is the state after several digits.
func (m *matcher) run(state int, digits string) int {
	for _, d := range digits {
		state = m.next(state, int(d-'0'))
	}
	return state
}

// trunk follows libphonenumber's removal of national prefixes and carrier codes from a number
// (maybeStripNationalPrefixAndCarrierCode). The pattern of the prefixes prefers its earlier
// alternatives, so its threads have an order, as in Pike's automaton.
type trunk struct {
	prog    *syntax.Prog
	general *matcher
	group   int    // the last group of the pattern
	before  string // what a transformed number begins with; the group follows
	rule    bool   // whether there is a transformation
}

// thread is one way to read the digits so far as a prefix. Left is what would remain.
type thread struct {
	at     uint32
	inside bool // the last group
	group  bool // the last group has begun
	left   rest
}

// rest is the number without its prefix: its state in the general pattern, and its length.
type rest struct{ state, length int }

// reading is the state of a trunk: its threads by preference, and the best match so far.
type reading struct {
	threads []thread
	matched bool
	best    rest
}

var transformRule = regexp.MustCompile(`^(\d*)\$(\d)$`)

func newTrunk(t testing.TB, pattern, rule string, general *matcher) *trunk {
	p := &trunk{prog: compiled(t, pattern), general: general, rule: rule != ""}
	p.group = regexp.MustCompile(pattern).NumSubexp()
	if rule != "" {
		parts := transformRule.FindStringSubmatch(rule)
		require.NotNil(t, parts, rule)
		require.Equal(t, strconv.Itoa(p.group), parts[2], rule)
		p.before = parts[1]
	}
	return p
}

func (p *trunk) start() reading {
	return p.advance([]thread{{at: uint32(p.prog.Start)}}, reading{}, false)
}

// advance follows the threads to their next digit. One that matches ends those after it. With end,
// no digit follows.
func (p *trunk) advance(from []thread, r reading, end bool) reading {
	r.threads = nil
	seen := map[uint32]bool{}
	done := false
	var walk func(t thread)
	walk = func(t thread) {
		if done || seen[t.at] {
			return
		}
		i := p.prog.Inst[t.at]
		seen[t.at] = true
		switch i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			for _, at := range []uint32{i.Out, i.Arg} {
				t.at = at
				walk(t)
			}
		case syntax.InstCapture:
			t.at = i.Out
			if p.rule && i.Arg == uint32(2*p.group) {
				t.inside, t.group = true, true
				t.left = rest{p.general.run(p.general.first, p.before), len(p.before)}
			} else if p.rule && i.Arg == uint32(2*p.group+1) {
				t.inside = false
			}
			walk(t)
		case syntax.InstNop:
			t.at = i.Out
			walk(t)
		case syntax.InstEmptyWidth:
			if end {
				t.at = i.Out
				walk(t)
				return
			}
			r.threads = append(r.threads, t)
		case syntax.InstMatch:
			done, r.matched, r.best = true, true, rest{p.general.first, 0}
			if t.group {
				r.best = t.left
			}
		case syntax.InstFail:
		default:
			r.threads = append(r.threads, t)
		}
	}
	for _, t := range from {
		walk(t)
	}
	return r
}

// next is the reading after a digit.
func (p *trunk) next(r reading, digit int) reading {
	if r.matched {
		r.best = rest{p.general.next(r.best.state, digit), r.best.length + 1}
	}
	var on []thread
	for _, t := range r.threads {
		i := p.prog.Inst[t.at]
		if i.Op == syntax.InstEmptyWidth || !i.MatchRune('0'+rune(digit)) {
			continue
		}
		t.at = i.Out
		if t.inside {
			t.left = rest{p.general.next(t.left.state, digit), t.left.length + 1}
		}
		on = append(on, t)
	}
	return p.advance(on, r, false)
}

// end is what remains of a number that ends here. ok is false where no prefix was read.
func (p *trunk) end(r reading) (left rest, ok bool) {
	r = p.advance(r.threads, r, true)
	return r.best, r.matched
}
