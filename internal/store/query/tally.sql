-- name: Tally :one
-- Adds to a row what one text counts, and returns what the row then says. A row of an earlier
-- window begins anew. [Queries.Tallies] does it for several rows in one statement.
INSERT INTO tally (key, window_at, texts, segments, money, recent, yes_at, answered, unanswered,
    probes, alerted, open_at, held_at)
VALUES (@key, @window_at, @texts, @segments, @money, @recent, @yes_at, @answered, @unanswered,
    @probes, 0, 0, 0)
ON CONFLICT (key) DO UPDATE SET
    texts = excluded.texts
        + CASE WHEN tally.window_at >= excluded.window_at THEN tally.texts ELSE 0 END,
    segments = excluded.segments
        + CASE WHEN tally.window_at >= excluded.window_at THEN tally.segments ELSE 0 END,
    money = excluded.money
        + CASE WHEN tally.window_at >= excluded.window_at THEN tally.money ELSE 0 END,
    alerted = CASE WHEN tally.window_at >= excluded.window_at THEN tally.alerted ELSE 0 END,
    answered = excluded.answered
        + CASE WHEN tally.window_at >= excluded.window_at OR tally.open_at <> 0
            THEN tally.answered ELSE 0 END,
    unanswered = excluded.unanswered
        + CASE WHEN tally.window_at >= excluded.window_at OR tally.open_at <> 0
            THEN tally.unanswered ELSE 0 END,
    window_at = CASE WHEN tally.window_at >= excluded.window_at THEN tally.window_at
        ELSE excluded.window_at END,
    recent = CASE WHEN length(tally.recent) + length(excluded.recent) > 416
        THEN substr(tally.recent || excluded.recent,
            length(tally.recent) + length(excluded.recent) - 415)
        ELSE tally.recent || excluded.recent END,
    yes_at = CASE WHEN excluded.yes_at > tally.yes_at THEN excluded.yes_at ELSE tally.yes_at END,
    probes = excluded.probes + tally.probes
RETURNING *;

-- name: GetTally :one
SELECT * FROM tally WHERE key = @key;

-- name: TalliesOf :many
SELECT * FROM tally WHERE key IN (@key1, @key2, @key3, @key4, @key5, @key6, @key7, @key8);

-- name: TalliesSince :many
SELECT * FROM tally WHERE window_at >= @since ORDER BY window_at DESC LIMIT @most;

-- name: TalliesHeld :many
SELECT * FROM tally WHERE held_at <> 0 AND key >= '' ORDER BY key LIMIT 10000;

-- name: TalliesOpen :many
SELECT * FROM tally WHERE open_at <> 0 AND key >= '' ORDER BY key LIMIT 10000;

-- name: SetBreaker :exec
UPDATE tally SET open_at = @open_at, probes = @probes, answered = @answered,
    unanswered = @unanswered
WHERE key = @key;

-- name: SetAlerted :exec
UPDATE tally SET alerted = @alerted WHERE key = @key;

-- name: SetHeld :one
INSERT INTO tally (key, window_at, texts, segments, money, recent, yes_at, answered, unanswered,
    probes, alerted, open_at, held_at)
VALUES (@key, 0, 0, 0, 0, '', 0, 0, 0, 0, 0, 0, @held_at)
ON CONFLICT (key) DO UPDATE SET held_at = excluded.held_at
RETURNING key;

-- name: CorrectTally :exec
-- A row that counts another window by now stays as it is.
UPDATE tally SET segments = segments + @segments, money = money + @money
WHERE key = @key AND window_at = @window_at;

-- name: DropTalliesBefore :execrows
-- At most 1,000, so that no webhook waits behind them. What an operator holds stays held.
DELETE FROM tally WHERE key IN (
    SELECT t.key FROM tally t WHERE t.window_at < @at AND t.held_at = 0
    ORDER BY t.window_at LIMIT 1000
);

-- name: DropTally :execrows
DELETE FROM tally WHERE key = @key AND held_at = 0;
