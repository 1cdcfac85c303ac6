package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/text"
)

// storyClock is the variable with the file that says by how much the clock of a story's bridge
// is ahead. Only the program below reads it. It is part of the tests, so no released program
// knows it.
const storyClock = "STORY_CLOCK"

// storyMain is the program with a clock that the story moves: main, but for the clock.
func storyMain() {
	file := os.Getenv(storyClock)
	if file == "" {
		main()
		return
	}
	now := func() time.Time { return time.Now().Add(readAhead(file)) }
	w := world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), now: now,
	}
	os.Exit(run(untilSignal(), os.Args[1:], w))
}

// readAhead is the duration in the file. There is none before the story has moved its clock.
func readAhead(file string) time.Duration {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	ahead, mistake := time.ParseDuration(string(content))
	if err := errors.Join(err, mistake); err != nil {
		panic(err)
	}
	return ahead
}

// later DURATION [KIND]: the time passes. With a kind, at least one job of it has become due. The
// bridge's clock moves, and the jobs that are due by it need not wait for the queue's own clock.
func storyLater(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	ahead := pass(ts, d)
	queue, err := openQueue(ts.Getenv("SMSBRIDGE_DATABASE"))
	ts.Check(err)
	defer queue.db.Close()
	rows, err := queue.db.Query(queue.makeDue, ahead.Seconds())
	ts.Check(err)
	defer rows.Close()
	due := len(args) == 1
	for rows.Next() {
		var kind string
		ts.Check(rows.Scan(&kind))
		due = due || len(args) > 1 && kind == args[1]
	}
	ts.Check(rows.Err())
	if !due {
		ts.Fatalf("after %s no job %s is due", args[0], args[1])
	}
}

// early: the bridge's clock is at the beginning of an hour, perhaps of a day. What the bridge
// counts by the hour or by the day starts anew only after the story.
func storyEarly(ts *testscript.TestScript, _ bool, _ []string) {
	now := time.Now()
	pass(ts, now.Truncate(time.Hour).Add(time.Hour).Sub(now))
}

// pass moves the bridge's clock, and returns by how much it is ahead now.
func pass(ts *testscript.TestScript, d time.Duration) time.Duration {
	file := ts.Getenv(storyClock)
	if file == "" {
		ts.Fatalf("the clock of this story stands: set %s before the bridge starts", storyClock)
	}
	ahead, err := moveClock(file, d)
	ts.Check(err)
	return ahead
}

// moveClock moves the clock in the file, and returns by how much it is ahead now. The bridge reads
// the file at any time.
func moveClock(file string, d time.Duration) (ahead time.Duration, err error) {
	ahead = readAhead(file) + d
	if err := os.WriteFile(file+".new", []byte(ahead.String()), 0o600); err != nil {
		return 0, err
	}
	return ahead, os.Rename(file+".new", file)
}

// settle: all that was due is done, see [theater.settle].
func storySettle(ts *testscript.TestScript, _ bool, _ []string) {
	ctx, cancel := patience()
	defer cancel()
	ts.Check(in(ts).settle(ctx, ts.Getenv("SMSBRIDGE_DATABASE")))
}

// settle waits until all that was due is done. Mailgun has posted what it had to post. Each text
// that asked for receipts has had its last. The queue has no job that is due or being done, and no
// worker has begun any.
func (th *theater) settle(ctx context.Context, database string) error {
	queue, err := openQueue(database)
	if err != nil {
		return err
	}
	defer queue.db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := th.mailgun.WaitIdle(ctx); err != nil {
			return err
		}
		received, posts, hooks := th.receiptsCame(), len(th.mailgun.Posts()), len(th.twilio.Hooks())
		var busy int
		if err := queue.db.QueryRowContext(ctx, queue.busy).Scan(&busy); err != nil {
			return err
		}
		same := len(th.mailgun.Posts()) == posts && len(th.twilio.Hooks()) == hooks
		if received && busy == 0 && same {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d jobs are due or being done; receipts came: %t", busy, received)
		case <-tick.C:
		}
	}
}

// finish waits until all that was due is done, and until nothing is tried again later: back-offs
// and the quarantine of texts whose response was lost pass. The bridge has a clock that moves.
func (th *theater) finish(ctx context.Context, database string) error {
	queue, err := openQueue(database)
	if err != nil {
		return err
	}
	defer queue.db.Close()
	const count = `SELECT (SELECT count(*) FROM mail WHERE state = 'received')
		+ (SELECT count(*) FROM challenge WHERE state IN ('accepted', 'clicking'))
		+ (SELECT count(*) FROM text WHERE state IN ('due', 'sending', 'unclear'))`
	for {
		if err := th.settle(ctx, database); err != nil {
			return err
		}
		var left int
		if err := queue.db.QueryRowContext(ctx, count).Scan(&left); err != nil || left == 0 {
			return err
		}
		ahead, err := moveClock(th.env[storyClock], text.Quarantine)
		if err != nil {
			return err
		}
		if _, err := queue.db.ExecContext(ctx, queue.makeDue, ahead.Seconds()); err != nil {
			return err
		}
	}
}

// takeover: the minute passes after which another replica does the work of a killed one.
func storyTakeover(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(passAfterKill(ts.Getenv("SMSBRIDGE_DATABASE")))
}

// passAfterKill makes the killed replica's lead, and what it had begun, as old as they are after
// that minute. A SQLite file has one user, which takes back its jobs when it starts.
func passAfterKill(database string) error {
	if strings.HasPrefix(database, "sqlite:") {
		return nil
	}
	queue, err := openQueue(database)
	if err != nil {
		return err
	}
	defer queue.db.Close()
	for _, statement := range []string{
		"UPDATE river_leader SET expires_at = expires_at - interval '65 seconds'",
		`UPDATE river_job SET attempted_at = attempted_at - interval '65 seconds'
			WHERE state = 'running'`,
		"UPDATE mail SET begun_at = begun_at - 65000 WHERE begun_at <> 0",
		"UPDATE challenge SET begun_at = begun_at - 65000 WHERE begun_at <> 0",
		"UPDATE text SET sending_at = sending_at - 65000 WHERE state = 'sending'",
	} {
		if err := queue.change(statement); err != nil {
			return err
		}
	}
	return nil
}

// change runs a statement. A running bridge may lock the same rows in another order. Then
// PostgreSQL ends one of the two, which is no failure here.
func (q queue) change(statement string) (err error) {
	for range 10 {
		var refused *pgconn.PgError
		_, err = q.db.Exec(statement)
		if !errors.As(err, &refused) || refused.Code != "40P01" { // deadlock_detected
			return err
		}
	}
	return err
}

// receiptsCame reports whether the last receipt of every text has had its response.
func (th *theater) receiptsCame() bool {
	if th.noReceipts {
		return true
	}
	last := map[string]bool{}
	for _, hook := range th.twilio.Hooks() {
		status := hook.Form.Get("MessageStatus")
		last[hook.SID] = last[hook.SID] || status == "delivered" || status == "undelivered"
	}
	for _, text := range th.twilio.Texts() {
		if text.StatusCallback != "" && !last[text.SID] {
			return false
		}
	}
	return true
}

// queue is the job queue of a story's bridge, looked at from outside.
type queue struct {
	db      *sql.DB
	busy    string // counts what is due or being done
	makeDue string // makes due what is due so many seconds from now, and returns the kinds
}

func openQueue(database string) (queue, error) {
	q, driver, now, then := queue{}, "pgx", "now()", "now() + $1 * interval '1 second'"
	source, isSQLite := strings.CutPrefix(database, "sqlite:")
	if isSQLite {
		driver, source = "sqlite", "file:"+filepath.ToSlash(source)+"?_pragma=busy_timeout(20000)"
		now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
		then = "strftime('%Y-%m-%d %H:%M:%f', 'now', $1 || ' seconds')"
	}
	q.busy = `SELECT (SELECT count(*) FROM river_job WHERE state IN ('running', 'available')
			OR state IN ('retryable', 'scheduled') AND scheduled_at <= ` + now + `)
		+ (SELECT count(*) FROM mail WHERE state = 'received' AND begun_at <> 0)
		+ (SELECT count(*) FROM challenge
			WHERE state IN ('accepted', 'clicking') AND begun_at <> 0)
		+ (SELECT count(*) FROM text WHERE state = 'sending')`
	q.makeDue = `UPDATE river_job SET state = 'available', scheduled_at = ` + now + `
		WHERE state IN ('available', 'retryable', 'scheduled') AND scheduled_at <= ` + then + `
		RETURNING kind`
	var err error
	q.db, err = sql.Open(driver, source)
	return q, err
}

// Ensure that the page about the language of the stories lists every command and no other.
func TestStoryReadme(t *testing.T) {
	page, err := os.ReadFile("testdata/story/README")
	require.NoError(t, err)
	var listed []string
	command := regexp.MustCompile(`(?m)^    ([a-z]+)(?: .*)?$`)
	for _, match := range command.FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, match[1])
	}
	commands := slices.Collect(maps.Keys(storyCommands()))
	require.ElementsMatch(t, append(commands, "go"), listed)
}
