-- name: LockGuesses :one
-- The transaction that holds this row's lock is the only one to judge a code of this phone.
INSERT INTO guess (tenant, phone, wrong_at, last_at) VALUES (@tenant, @phone, '', @now)
ON CONFLICT (tenant, phone) DO UPDATE SET last_at = @now
RETURNING wrong_at;

-- name: GetGuesses :one
SELECT wrong_at FROM guess WHERE tenant = @tenant AND phone = @phone;

-- name: SetGuesses :exec
UPDATE guess SET wrong_at = @wrong_at WHERE tenant = @tenant AND phone = @phone;

-- name: DropGuessesBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM guess WHERE (tenant, phone) IN (
    SELECT g.tenant, g.phone FROM guess g WHERE g.last_at < @at ORDER BY g.last_at LIMIT 1000
);
