package store

import (
	"context"
	"database/sql"
	"fmt"
)

// killed is the failure of a job that a killed process had at work.
const killed = "the bridge was killed while it did this job"

// handBack makes the jobs due again on SQLite that a killed process had at work. Each counts as a
// failure: one that kills every process is given up in the end. A job goes on at once when that
// befalls it first. After that it waits as a failing job does, each for a time of its own. So one
// that kills the process takes few others with it.
func handBack(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "DELETE FROM river_leader")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `UPDATE river_job SET
		state = CASE deaths WHEN 0 THEN 'available' ELSE 'retryable' END,
		scheduled_at = CASE deaths WHEN 0 THEN scheduled_at ELSE datetime('now', 'subsec',
			printf('+%.3f seconds', pow(deaths, 4) * (5e5 + abs(random() % 500000)) / 1e6)) END,
		errors = jsonb_insert(coalesce(errors, jsonb('[]')), '$[#]', jsonb_object(
			'at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'attempt', attempt, 'error', $1, 'trace', ''))
		FROM (SELECT id AS of, (SELECT COUNT(*) FROM json_each(coalesce(errors, '[]'))
			WHERE value ->> 'error' = $1) AS deaths FROM river_job WHERE state = 'running')
		WHERE id = of`, killed)
	return err
}

// wake makes those jobs due on SQLite that were due when the clock went back. Each would wait until
// the clock is again where it was. River sets such a job at most five seconds ahead.
func wake(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `UPDATE river_job SET scheduled_at = datetime('now', 'subsec')
		WHERE state = 'available' AND scheduled_at > datetime('now', 'subsec', '+10 seconds')`)
	if err != nil {
		return fmt.Errorf("store: looking for jobs of a clock that went back: %w", err)
	}
	return nil
}
