package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"

	"smsbridge/internal/store/fact"
)

// Hear has f told what each transaction of this process recorded, once that is on disk. It must
// return soon: the next transaction may wait for it. Call it before the first transaction.
func (s *Store) Hear(f func(facts []fact.Fact)) { s.heard = f }

// RecordAbout is Record, and tells those who count more of the fact.
func (tx *Tx) RecordAbout(
	ctx context.Context, tenant, subject, name, detail string, about fact.About,
) error {
	if tx.events.hearing {
		tx.events.facts = append(tx.events.facts, fact.Fact{
			Tenant: tenant, Subject: subject, Name: name, About: about,
		})
	}
	return tx.note(ctx, tenant, subject, name, detail)
}

// tell tells those who count what a transaction recorded.
func (s *Store) tell(facts []fact.Fact) {
	if len(facts) > 0 {
		s.heard(facts)
	}
}

// groupSteps is how many sizes of groups are told apart: up to 1, 2, 4 … 256 calls.
const groupSteps = 9

// groupCount counts commits by how many calls shared each.
type groupCount struct {
	commits [groupSteps]atomic.Uint64
	calls   atomic.Uint64
}

func (g *groupCount) add(calls int) {
	g.commits[min(bits.Len(uint(calls-1)), groupSteps-1)].Add(1)
	g.calls.Add(uint64(calls))
}

// Groups says how many calls shared a commit, since the store was opened.
type Groups struct {
	UpTo           map[float64]uint64 // how many commits had at most so many calls
	Commits, Calls uint64
}

// Groups returns how many calls shared a commit.
func (s *Store) Groups() Groups {
	g := Groups{UpTo: map[float64]uint64{}, Calls: s.groups.calls.Load()}
	for i := range s.groups.commits {
		g.Commits += s.groups.commits[i].Load()
		g.UpTo[float64(uint(1)<<i)] = g.Commits
	}
	return g
}

// Begun is how many jobs are at work here that were begun in the transactions that made them due.
func (s *Store) Begun() int {
	s.turns.mu.Lock()
	defer s.turns.mu.Unlock()
	return s.turns.busy
}

// KeyID names the key that seals, and tells nothing of it.
func (s *Store) KeyID() string { return s.sealer[0].id }

// Size is how many bytes the database has.
func (s *Store) Size(ctx context.Context) (bytes int64, err error) {
	row := s.engine.beside().QueryRowContext(ctx, s.engine.sizeQuery())
	if err := row.Scan(&bytes); err != nil {
		return 0, fmt.Errorf("store: measuring: %w", err)
	}
	return bytes, nil
}

// ClockAhead is how much later it is for certain at the database than in this process; earlier is
// negative. What the round trip may explain is no difference. SQLite has the process's clock.
func (s *Store) ClockAhead(ctx context.Context) (time.Duration, error) {
	ahead, err := s.engine.clockAhead(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: comparing the clocks: %w", err)
	}
	return ahead, nil
}

// mostCounted is how many jobs are counted at most.
const mostCounted = 10_000

// Queue says how it is with the queue. A number that it cannot count any further is 10,000.
type Queue struct {
	Due     int       // jobs that a worker could take
	Oldest  time.Time // since when the oldest of them is due; zero when there is none
	Failing int       // jobs that failed and are tried again
	Died    time.Time // when the last job died; zero when none died within thirty days
	Dead    int       // jobs that died within thirty days
}

// The statements about the queue. Each is served by one of River's own indexes.
const (
	countDue = `SELECT COUNT(*) FROM (SELECT 1 FROM river_job
		WHERE state = 'available' AND queue = 'default' LIMIT 10000) AS j`
	oldestDue = `SELECT scheduled_at FROM river_job
		WHERE state = 'available' AND queue = 'default' AND priority = 1
		ORDER BY scheduled_at LIMIT 1`
	countFailing = `SELECT COUNT(*) FROM (SELECT 1 FROM river_job
		WHERE state = 'retryable' AND queue = 'default' LIMIT 10000) AS j`
	countCanceled = `SELECT COUNT(*) FROM (SELECT 1 FROM river_job
		WHERE state = 'cancelled' AND finalized_at IS NOT NULL LIMIT 10000) AS j`
	countDiscarded = `SELECT COUNT(*) FROM (SELECT 1 FROM river_job
		WHERE state = 'discarded' AND finalized_at IS NOT NULL LIMIT 10000) AS j`
	lastCanceled = `SELECT finalized_at FROM river_job
		WHERE state = 'cancelled' AND finalized_at IS NOT NULL
		ORDER BY finalized_at DESC LIMIT 1`
	lastDiscarded = `SELECT finalized_at FROM river_job
		WHERE state = 'discarded' AND finalized_at IS NOT NULL
		ORDER BY finalized_at DESC LIMIT 1`
)

// Queue counts what the queue has.
func (s *Store) Queue(ctx context.Context) (q Queue, err error) {
	conn := s.engine.beside()
	var canceled, discarded int
	var canceledAt, discardedAt time.Time
	for query, into := range map[string]*int{
		countDue: &q.Due, countFailing: &q.Failing, countCanceled: &canceled,
		countDiscarded: &discarded,
	} {
		if err := conn.QueryRowContext(ctx, query).Scan(into); err != nil {
			return q, fmt.Errorf("store: counting jobs: %w", err)
		}
	}
	for query, into := range map[string]*time.Time{
		oldestDue: &q.Oldest, lastCanceled: &canceledAt, lastDiscarded: &discardedAt,
	} {
		err := conn.QueryRowContext(ctx, query).Scan(into)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return q, fmt.Errorf("store: looking for jobs: %w", err)
		}
	}
	q.Dead = min(canceled+discarded, mostCounted)
	if q.Died = canceledAt; discardedAt.After(canceledAt) {
		q.Died = discardedAt
	}
	return q, nil
}
