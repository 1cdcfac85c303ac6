package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// at makes a sample.
func at(work, database, binary string, repetition int, values map[value]float64) sample {
	return sample{key: key{work, 64, database, binary, 0}, Repetition: repetition, Values: values}
}

func rate(n float64) map[value]float64 { return map[value]float64{valueRate: n} }

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		all  []float64
		want float64
	}{
		{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2},
		{[]float64{4, 100, 1, 2}, 3},
	} {
		require.InDelta(t, test.want, median(test.all), 1e-9, test.all)
	}
}

// Ensure that a ratio compares what one repetition measured: a machine that grew slower between two
// repetitions changes none.
func TestRatiosAreOfOneRepetition(t *testing.T) {
	var samples []sample
	for repetition, speed := range []float64{1, 10, 100} {
		samples = append(samples,
			at(workEcho, "", "", repetition, rate(1000*speed)),
			at(workForget, "", "", repetition, rate(500*speed)),
			at(workAccept, kindSQLite, "old", repetition, rate(100*speed)),
			at(workAccept, kindSQLite, "new", repetition, rate(200*speed)),
			at(workAccept, kindPostgres, "old", repetition, rate(50*speed)))
	}
	table := tableOf(samples, []string{"old", "new"}, []int{0}).Table
	require.Len(t, table, 5)
	want := []struct {
		key           key
		rate          float64
		echo, forget  float64
		sqlite, first float64
	}{
		{key{workEcho, 64, "", "", 0}, 10_000, 0, 0, 0, 0},
		{key{workForget, 64, "", "", 0}, 5000, 0, 0, 0, 0},
		{key{workAccept, 64, kindSQLite, "old", 0}, 1000, .1, .2, 0, 0},
		{key{workAccept, 64, kindSQLite, "new", 0}, 2000, .2, .4, 0, 2},
		{key{workAccept, 64, kindPostgres, "old", 0}, 500, .05, .1, .5, 0},
	}
	for i, w := range want {
		got := table[i]
		require.Equal(t, w.key, got.key)
		for name, number := range map[value]float64{valueRate: w.rate, valueEcho: w.echo,
			valueForget: w.forget, valueSQLite: w.sqlite, valueFirst: w.first} {
			require.InDelta(t, number, got.Values[name], 1e-9, "%s of %s", name, w.key)
		}
	}
}

// Ensure that a time that is shorter counts as faster, and that what was not measured has no ratio.
func TestRatiosOfTimes(t *testing.T) {
	ms := func(n float64) map[value]float64 { return map[value]float64{valueP50: n} }
	table := tableOf([]sample{
		at("latency: a", kindSQLite, "old", 0, ms(80)), at("latency: a", kindSQLite, "new", 0, ms(20)),
		at("latency: b", kindSQLite, "old", 0, ms(0)), at("latency: b", kindSQLite, "new", 0, ms(20)),
	}, []string{"old", "new"}, []int{0}).Table
	require.InDelta(t, 4, table[1].Values[valueFirst], 1e-9)
	require.NotContains(t, table[0].Values, valueFirst)
	require.NotContains(t, table[3].Values, valueFirst)
}

// Ensure that less processor time counts as better.
func TestRatiosOfProcessorTime(t *testing.T) {
	cost := func(n float64) map[value]float64 { return map[value]float64{valueRate: 1, valueCPU: n} }
	table := tableOf([]sample{
		at("flow", kindSQLite, "old", 0, cost(6)), at("flow", kindSQLite, "new", 0, cost(1.5)),
	}, []string{"old", "new"}, []int{0}).Table
	require.InDelta(t, 4, table[1].Values[valueLighter], 1e-9)
	require.InDelta(t, 1, table[1].Values[valueFirst], 1e-9)
	require.NotContains(t, table[0].Values, valueLighter)
}

// Ensure that a database with old cases is compared with one without, of the same binary.
func TestRatiosOfOldCases(t *testing.T) {
	var samples []sample
	for i, n := range []float64{100, 90, 50, 40} {
		s := at("flow", kindSQLite, []string{"old", "new"}[i/2], 0,
			map[value]float64{valueRate: n, valueCPU: 100 / n})
		s.Old = []int{0, 1_000_000}[i%2]
		samples = append(samples, s)
	}
	table := tableOf(samples, []string{"old", "new"}, []int{0, 1_000_000}).Table
	for i, want := range []float64{0, .9, 0, .8} {
		require.InDelta(t, want, table[i].Values[valueFewer], 1e-9, i)
		require.InDelta(t, want, table[i].Values[valueFewerLighter], 1e-9, i)
	}
	require.InDelta(t, 40./90, table[3].Values[valueFirst], 1e-9)
	require.Equal(t, "flow 64 sqlite new with 1000000 old cases", table[3].key.String())
}

// Ensure that rows keep the order of the works, however the binaries took turns.
func TestOrder(t *testing.T) {
	table := tableOf([]sample{
		at("start", kindSQLite, "a", 0, nil), at("accept-held", kindSQLite, "b", 0, nil),
		at("accept-held", kindSQLite, "a", 0, nil), at(workAccept, kindPostgres, "a", 0, nil),
		at(workAccept, kindSQLite, "a", 0, nil), at("burst: accepted", kindSQLite, "a", 0, nil),
	}, []string{"a", "b"}, []int{0}).Table
	var got []string
	for _, row := range table {
		got = append(got, row.key.String())
	}
	require.Equal(t, []string{"accept 64 sqlite a", "accept 64 postgres a", "accept-held 64 sqlite a",
		"accept-held 64 sqlite b", "burst: accepted 64 sqlite a", "start 64 sqlite a"}, got)
}

func TestMarkdown(t *testing.T) {
	s := at("flow", kindSQLite, "new", 0, map[value]float64{valueRate: 812.4, valueCPU: 1.257})
	s.Rows = map[string]float64{"mail": 1, "river_job": 0.5, "event": 0.001}
	text := tableOf([]sample{s}, []string{"new"}, []int{0}).markdown(options{Repeat: 1, Sender: "off"})
	require.Contains(t, text, "| work | at once | database | binary | old cases | per s | CPU ms |\n")
	require.Contains(t, text, "| flow | 64 | sqlite | new | 0 | 812 | 1.26 |\n")
	require.Contains(t, text, "* flow 64 sqlite new leaves 1.50 rows: mail 1.00, river_job 0.5\n")
	require.NotContains(t, text, "× echo", "nothing was compared")
}

func TestPercentile(t *testing.T) {
	var some tally
	require.Zero(t, some.percentile(.5))
	for i := 100; i >= 1; i-- {
		some.add(time.Duration(i))
	}
	require.Equal(t, time.Duration(51), some.percentile(.5))
	require.Equal(t, time.Duration(100), some.percentile(.99))
	require.Equal(t, time.Duration(1), some.percentile(0))
	some.add(-5)
	require.Zero(t, some.percentile(0), "no time is negative")
}

// Ensure that a load does no more operations than it may, counts each once, and tells callers
// apart.
func TestLoad(t *testing.T) {
	done := make([]bool, 100)
	begun, ended := 0, 0
	l := load{callers: 7, limit: 100, window: time.Minute,
		begin: func() { begun++ }, end: func() { ended++ },
		step: func(_ context.Context, _, n int) error {
			done[n] = true
			return nil
		}}
	tally, err := l.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{100, 100, 1, 1}, []int{tally.ops, tally.all, begun, ended})
	require.NotContains(t, done, false)
	require.Less(t, tally.window, time.Minute)
}

// Ensure that a whole load also counts an operation that ends long after its window.
func TestWholeLoad(t *testing.T) {
	ended := false
	l := load{callers: 3, whole: true, window: time.Nanosecond, begin: func() {},
		end: func() { require.True(t, ended, "the cost is read when all has ended") },
		step: func(_ context.Context, _, n int) error {
			if n == 2 {
				<-time.After(20 * time.Millisecond) // beyond the window, however long exactly
				ended = true
			}
			return nil
		}}
	tally, err := l.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, tally.all, tally.ops)
}

func TestLoadFails(t *testing.T) {
	broken := errors.New("refused")
	l := load{callers: 3, window: time.Minute, begin: func() {}, end: func() {},
		step: func(_ context.Context, _, n int) error {
			if n == 5 {
				return broken
			}
			return nil
		}}
	_, err := l.run(t.Context())
	require.ErrorIs(t, err, broken)
}
