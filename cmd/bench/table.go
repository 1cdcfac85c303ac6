package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// value names one number of a sample. A number that could not be measured is missing, or 0.
type value string

const (
	valueRate      value = "per_second"
	valueDelivered value = "texts_per_second"
	valueP50       value = "p50_ms"
	valueP99       value = "p99_ms"
	valueCPU       value = "server_cpu_ms"   // of each operation
	valueBackends  value = "postgres_cpu_ms" // of each operation, by the database's own backends
	valueCommits   value = "commits"         // of each operation
	valueWritten   value = "written_kb"      // of each operation
	valueMemory    value = "memory_mb"
	valueEcho      value = "of_echo"   // rate, by that of a bare response
	valueForget    value = "of_forget" // rate, by that of the handler that forgets
	valueSQLite    value = "of_sqlite" // rate, by that on SQLite
	valueFirst     value = "of_first"  // rate, or time turned around, by that of the first binary
	// valueLighter is the processor time of the first binary by this one's. A machine that others use
	// too changes it least.
	valueLighter value = "cpu_of_first"
	// The same beside the first number of old cases.
	valueFewer        value = "of_first_rows"
	valueFewerLighter value = "cpu_of_first_rows"
)

// key says what a row of the table is about.
type key struct {
	Work     string `json:"work"`
	Many     int    `json:"many"`
	Database string `json:"database,omitempty"`
	Binary   string `json:"binary,omitempty"`
	Old      int    `json:"old_cases,omitempty"`
}

func (k key) String() string {
	parts := []string{k.Work, strconv.Itoa(k.Many), k.Database, k.Binary}
	if k.Old > 0 {
		parts = append(parts, fmt.Sprintf("with %d old cases", k.Old))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// sample is one measurement.
type sample struct {
	key
	Repetition int                `json:"repetition"`
	Values     map[value]float64  `json:"values"`
	Rows       map[string]float64 `json:"rows,omitempty"` // left by each operation, by table
}

func (s *sample) set(name value, to float64) {
	if s.Values == nil {
		s.Values = map[value]float64{}
	}
	s.Values[name] = to
}

// tally takes over rate and durations.
func (s *sample) tally(t tally) {
	s.set(valueRate, t.rate())
	s.set(valueP50, milliseconds(t.percentile(.5)))
	s.set(valueP99, milliseconds(t.percentile(.99)))
}

// perOp sets values that were measured over so many operations.
func (s *sample) perOp(ops int, values map[value]float64) {
	for name, all := range values {
		if ops > 0 {
			s.set(name, all/float64(ops))
		}
	}
}

// String is one line of progress.
func (s sample) String() string {
	said := s.key.String() + ":"
	if rate := s.Values[valueRate]; rate > 0 {
		said += " " + short(rate) + " per second,"
	}
	return said + " p50 " + short(s.Values[valueP50]) + " ms"
}

// report is a run's table, and what it was made of.
type report struct {
	Table   []sample `json:"table"` // medians
	Samples []sample `json:"samples"`
}

// tableOf makes the table: each number is the median over the repetitions, and so is each ratio of
// two numbers that one repetition measured.
func tableOf(samples []sample, binaries []string, old []int) report {
	samples = slices.Clone(samples)
	for i := range samples {
		samples[i].Values = withRatios(samples, samples[i], binaries, old)
	}
	var keys []key
	groups := map[key][]sample{}
	for _, s := range samples {
		if groups[s.key] == nil {
			keys = append(keys, s.key)
		}
		groups[s.key] = append(groups[s.key], s)
	}
	slices.SortStableFunc(keys, byPlan(slices.Clone(keys), binaries))
	r := report{Samples: samples}
	for _, k := range keys {
		row := sample{key: k, Values: map[value]float64{}}
		numbers, rows := map[value][]float64{}, map[string][]float64{}
		for _, s := range groups[k] {
			for name, n := range s.Values {
				numbers[name] = append(numbers[name], n)
			}
			for name, n := range s.Rows {
				rows[name] = append(rows[name], n)
			}
		}
		for name, all := range numbers {
			row.Values[name] = median(all)
		}
		for name, all := range rows {
			if row.Rows == nil {
				row.Rows = map[string]float64{}
			}
			row.Rows[name] = median(all)
		}
		r.Table = append(r.Table, row)
	}
	return r
}

// byPlan sorts as the works are listed, whatever the turns of a repetition were. The parts of one
// work stay in the order in which they were measured first.
func byPlan(keys []key, binaries []string) func(a, b key) int {
	var parts []string
	for _, k := range keys {
		parts = append(parts, k.Work)
	}
	works := allWorks()
	place := func(k key) int {
		name, _, _ := strings.Cut(k.Work, ":")
		return slices.IndexFunc(works, func(w work) bool {
			return name == w.name || strings.HasPrefix(name, w.name+" ")
		})
	}
	return func(a, b key) int {
		return cmp.Or(cmp.Compare(place(a), place(b)),
			cmp.Compare(slices.Index(parts, a.Work), slices.Index(parts, b.Work)),
			cmp.Compare(a.Many, b.Many), cmp.Compare(b.Database, a.Database), // SQLite first
			cmp.Compare(slices.Index(binaries, a.Binary), slices.Index(binaries, b.Binary)),
			cmp.Compare(a.Old, b.Old))
	}
}

// withRatios adds what a sample is beside others of its repetition.
func withRatios(all []sample, s sample, binaries []string, old []int) map[value]float64 {
	values := map[value]float64{}
	for name, n := range s.Values {
		values[name] = n
	}
	beside := func(name value, k key, of value) { // above 1 is better
		for _, other := range all {
			if other.Repetition != s.Repetition || other.key != k {
				continue
			}
			mine, theirs := s.Values[of], other.Values[of]
			if of == valueP50 || of == valueCPU { // the less, the better
				mine, theirs = theirs, mine
			}
			if mine > 0 && theirs > 0 {
				values[name] = mine / theirs
			}
		}
	}
	if strings.HasPrefix(s.Work, workAccept) {
		beside(valueEcho, key{Work: workEcho, Many: s.Many}, valueRate)
		beside(valueForget, key{Work: workForget, Many: s.Many}, valueRate)
	}
	of := valueRate
	if s.Values[valueRate] == 0 {
		of = valueP50
	}
	if s.Database == kindPostgres {
		beside(valueSQLite, key{s.Work, s.Many, kindSQLite, s.Binary, s.Old}, of)
	}
	if s.Binary != "" && len(binaries) > 1 && s.Binary != binaries[0] {
		first := key{s.Work, s.Many, s.Database, binaries[0], s.Old}
		beside(valueFirst, first, of)
		beside(valueLighter, first, valueCPU)
	}
	if s.Binary != "" && len(old) > 1 && s.Old != old[0] {
		first := key{s.Work, s.Many, s.Database, s.Binary, old[0]}
		beside(valueFewer, first, of)
		beside(valueFewerLighter, first, valueCPU)
	}
	return values
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// columns are the columns of numbers, with their headings.
func columns() []struct {
	name    value
	heading string
} {
	return []struct {
		name    value
		heading string
	}{
		{valueRate, "per s"}, {valueDelivered, "texts per s"}, {valueP50, "p50 ms"},
		{valueP99, "p99 ms"}, {valueCPU, "CPU ms"}, {valueBackends, "PostgreSQL CPU ms"},
		{valueCommits, "commits"}, {valueWritten, "written kB"}, {valueMemory, "memory MB"},
		{valueEcho, "× echo"}, {valueForget, "× forget"}, {valueSQLite, "× SQLite"},
		{valueFirst, "× first"}, {valueLighter, "CPU × first"}, {valueFewer, "× first rows"},
		{valueFewerLighter, "CPU × first rows"},
	}
}

// markdown is the table for people.
func (r report) markdown(o options) string {
	var b strings.Builder
	shown := columns()
	shown = slices.DeleteFunc(shown, func(c struct {
		name    value
		heading string
	}) bool {
		return !slices.ContainsFunc(r.Table, func(s sample) bool { return s.Values[c.name] != 0 })
	})
	b.WriteString("| work | at once | database | binary | old cases |")
	for _, c := range shown {
		b.WriteString(" " + c.heading + " |")
	}
	b.WriteString("\n|---|---|---|---|---|" + strings.Repeat("---|", len(shown)) + "\n")
	for _, s := range r.Table {
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %d |", s.Work, s.Many, dash(s.Database),
			dash(s.Binary), s.Old)
		for _, c := range shown {
			b.WriteString(" " + short(s.Values[c.name]) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString(r.rowsLeft())
	fmt.Fprintf(&b, "\nMedians of %d repetitions of %gs, sender check %s, providers after %s. "+
		"CPU, commits and written kB are of one operation of the server's; on SQLite "+
		"each commit is one fsync, on PostgreSQL reading counts, too. `× first` compares with the "+
		"first binary: rates, or else times; above 1 is faster. `CPU × first` compares the processor "+
		"time of one operation; above 1 is lighter. `× first rows` and `CPU × first rows` compare in "+
		"the same way with the first number of old cases.\n",
		o.Repeat, o.Seconds, o.Sender, o.Latency)
	return b.String()
}

// rowsLeft says what each operation left in the database.
func (r report) rowsLeft() string {
	var b strings.Builder
	for _, s := range r.Table {
		if len(s.Rows) == 0 {
			continue
		}
		var tables []string
		all := 0.0
		for table, n := range s.Rows {
			if all += n; math.Abs(n) >= .01 {
				tables = append(tables, fmt.Sprintf("%s %s", table, short(n)))
			}
		}
		slices.Sort(tables)
		fmt.Fprintf(&b, "* %s leaves %s rows: %s\n", s.key, short(all), strings.Join(tables, ", "))
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nRows that each operation leaves:\n\n" + b.String()
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// short is a number with three digits that count.
func short(n float64) string {
	switch size := math.Abs(n); {
	case n == 0:
		return "–"
	case size >= 100:
		return strconv.FormatFloat(n, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(n, 'f', 1, 64)
	case size >= 1:
		return strconv.FormatFloat(n, 'f', 2, 64)
	}
	return strconv.FormatFloat(n, 'g', 2, 64)
}
