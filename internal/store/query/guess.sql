-- name: LockGuesses :one
-- The transaction that holds this row's lock is the only one to judge a code of this phone that
-- this asker presents.
INSERT INTO guess (tenant, phone, asker, wrong_at, last_at)
VALUES (@tenant, @phone, @asker, '', @now)
ON CONFLICT (tenant, phone, asker) DO UPDATE SET last_at = @now
RETURNING wrong_at;

-- name: GetGuesses :one
SELECT wrong_at FROM guess WHERE tenant = @tenant AND phone = @phone AND asker = @asker;

-- name: SetGuesses :exec
UPDATE guess SET wrong_at = @wrong_at
WHERE tenant = @tenant AND phone = @phone AND asker = @asker;

-- name: DropGuessesBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM guess WHERE (tenant, phone, asker) IN (
    SELECT g.tenant, g.phone, g.asker FROM guess g WHERE g.last_at < @at
    ORDER BY g.last_at LIMIT 1000
);
