package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Checkpoint does what a SQLite store does now and then by itself.
func (s *Store) Checkpoint(ctx context.Context) error {
	return s.engine.(*sqliteEngine).checkpoint(ctx)
}

// MigrationLock is the advisory lock of the replica that migrates.
const MigrationLock = migrationLock

// HandBack does what Start does first with the jobs of a killed process.
func (s *Store) HandBack(ctx context.Context) error {
	return handBack(ctx, s.engine.database())
}

// Unallocated is the part of a page that Blank overwrites.
func Unallocated(number int64, content []byte) []byte { return unallocated(number, content) }

// ErasedAlso are the statements for each row that is erased, about what belongs to it.
func ErasedAlso() (all []string) {
	for _, t := range heldTables() {
		all = append(all, t.also...)
	}
	return all
}

// BlankedAtOnce is how many pages of a file Blank looks at together.
const BlankedAtOnce = blankedAtOnce

// Awaited are the ids that are awaited.
func (s *Store) Awaited() []string {
	s.waiters.mu.Lock()
	defer s.waiters.mu.Unlock()
	return slices.Sorted(maps.Keys(s.waiters.of))
}

// ReadAtOnce has every connection that reads a SQLite file in use at once. It returns how many of
// them were closed because too many had nothing to do.
func (s *Store) ReadAtOnce(ctx context.Context) (closed int64, err error) {
	reading := s.engine.(*sqliteEngine).readOnly
	var held []*sql.Conn
	for range readers {
		conn, err := reading.Conn(ctx)
		if err != nil {
			return 0, err
		}
		held = append(held, conn)
	}
	for _, conn := range held {
		if err := conn.Close(); err != nil {
			return 0, err
		}
	}
	return reading.Stats().MaxIdleClosed, nil
}

// OpenWithoutPolls is Open for a store whose workers look for jobs only when they are told of some.
func OpenWithoutPolls(ctx context.Context, o Options) (*Store, error) {
	o.poll = 24 * time.Hour
	return Open(ctx, o)
}

// OpenAtNight is Open for a store whose queue does at once what it does each night. The channel is
// closed when that is done.
func OpenAtNight(ctx context.Context, o Options) (*Store, <-chan struct{}, error) {
	over := make(chan struct{})
	o.night = &night{over: sync.OnceFunc(func() { close(over) })}
	s, err := Open(ctx, o)
	return s, over, err
}

// night is asked when the first night is, and the second one when the first is over.
type night struct {
	asked bool
	over  func()
}

func (n *night) Next(now time.Time) time.Time {
	if n.asked {
		n.over()
		return now.AddDate(1, 0, 0)
	}
	n.asked = true
	return now
}

// OpenImpatient is Open for a store that waits for what it reads as long as a test does.
func OpenImpatient(ctx context.Context, o Options) (*Store, error) {
	o.patience = 500 * time.Millisecond
	return Open(ctx, o)
}

// Admit lets jobs be begun as Start does, without a queue that is worked.
func (s *Store) Admit() { s.turns.admit() }

// Refuse lets no more jobs be begun, and waits for those at work, as Stop does.
func (s *Store) Refuse(ctx context.Context) error {
	s.turns.close()
	return s.turns.wait(ctx)
}

// Turns returns how many jobs may be begun at a time, and how many are at work.
func (s *Store) Turns() (most, taken int) {
	s.turns.mu.Lock()
	defer s.turns.mu.Unlock()
	return begunAtOnce, s.turns.busy
}

// QueueStatements are the statements that count the queue.
func QueueStatements() []string {
	return []string{
		countDue, oldestDue, countFailing, countCanceled, countDiscarded, lastCanceled, lastDiscarded,
	}
}

// BegunWithin is how long a begun job may take, its transaction included.
const BegunWithin = begunWithin

// MoveAside is what Restore does with the database that it replaces.
func MoveAside(path string, rename func(from, to string) error) (string, error) {
	return moveAside(path, rename)
}

// Waiting is how many calls wait for a lane.
func (s *Store) Waiting() int { return len(s.calls) }

// Lanes is how many lanes take them.
func (s *Store) Lanes() int { return s.engine.lanes() }

// PoolTimeouts are how long each pool waits for a connection to be made, and to answer.
func PoolTimeouts(url string) (waits [4]time.Duration, err error) {
	config, own, err := pools(url)
	if err != nil {
		return waits, err
	}
	return [4]time.Duration{config.ConnConfig.ConnectTimeout, config.PingTimeout,
		own.ConnConfig.ConnectTimeout, own.PingTimeout}, nil
}

// Listener is how River is told of what PostgreSQL says.
func (s *Store) Listener() riverdriver.Listener {
	e := s.engine.(*postgresEngine)
	driver := &postgresDriver{riverpgxv5.New(e.queue), e.bell, &e.clocks}
	return driver.GetListener(&riverdriver.GetListenenerParams{})
}
