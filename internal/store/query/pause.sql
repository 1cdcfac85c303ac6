-- name: LockPause :one
-- The transaction that holds this row's lock is the only one to judge a code that this log-in
-- subject, or this source, presents.
INSERT INTO pause (tenant, who, wrong_at, last_at) VALUES (@tenant, @who, '', @now)
ON CONFLICT (tenant, who) DO UPDATE SET last_at = @now
RETURNING wrong_at;

-- name: GetPause :one
SELECT wrong_at FROM pause WHERE tenant = @tenant AND who = @who;

-- name: SetPause :exec
UPDATE pause SET wrong_at = @wrong_at WHERE tenant = @tenant AND who = @who;

-- name: DropPausesBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM pause WHERE (tenant, who) IN (
    SELECT p.tenant, p.who FROM pause p WHERE p.last_at < @at ORDER BY p.last_at LIMIT 1000
);
