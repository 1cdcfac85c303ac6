-- name: LockReplyGuesses :one
-- The transaction that holds this row's lock is the only one to judge a reply code of this phone.
INSERT INTO reply_guess (phone, wrong_at, last_at) VALUES (@phone, '', @now)
ON CONFLICT (phone) DO UPDATE SET last_at = @now
RETURNING wrong_at;

-- name: GetReplyGuesses :one
SELECT wrong_at FROM reply_guess WHERE phone = @phone;

-- name: SetReplyGuesses :exec
UPDATE reply_guess SET wrong_at = @wrong_at WHERE phone = @phone;

-- name: DropReplyGuessesBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM reply_guess WHERE phone IN (
    SELECT g.phone FROM reply_guess g WHERE g.last_at < @at ORDER BY g.last_at LIMIT 1000
);
