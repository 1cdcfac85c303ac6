-- name: AddVerification :execrows
INSERT INTO verification (id, tenant, door, external_id, account, sender, phone, locale, state, code, renew,
    attempts, max_attempts, max_wrong, sends, max_sends, gap, notify, opened_at, sent_at, expires_at, ended_at)
VALUES (@id, @tenant, @door, @external_id, @account, @sender, @phone, @locale, 'pending', @code, @renew,
    0, @max_attempts, @max_wrong, 1, @max_sends, @gap, @notify, @opened_at, @opened_at, @expires_at, 0)
ON CONFLICT DO NOTHING;

-- name: GetVerification :one
SELECT * FROM verification WHERE id = @id;

-- name: GetVerificationOf :one
SELECT * FROM verification WHERE tenant = @tenant AND id = @id;

-- name: GetExternalVerification :one
SELECT * FROM verification WHERE tenant = @tenant AND door = @door AND external_id = @external_id ORDER BY opened_at DESC, id DESC LIMIT 1;

-- name: ListVerifications :many
SELECT * FROM verification WHERE tenant = @tenant AND id < @before ORDER BY id DESC LIMIT @most;

-- name: OpenVerificationsOfPhone :many
SELECT * FROM verification
WHERE account = @account AND sender = @sender AND phone = @phone AND state = 'pending' AND expires_at > @now
ORDER BY opened_at DESC, id DESC LIMIT 100;

-- name: CountAttempt :one
-- Counted in the statement that reads the code, so that guesses that come at once cannot be more than are allowed.
UPDATE verification SET attempts = attempts + 1
WHERE id = @id AND tenant = @tenant AND state = 'pending' AND expires_at > @now AND attempts < max_attempts
RETURNING *;

-- name: CountSend :execrows
UPDATE verification SET sends = sends + 1, sent_at = @now, code = @code
WHERE id = @id AND state = 'pending' AND expires_at > @now AND sends = @sends;

-- name: EndVerification :execrows
UPDATE verification SET state = @state, code = '', ended_at = @ended_at WHERE id = @id AND state = 'pending';

-- name: SuppressTextsOfVerification :execrows
UPDATE text SET state = 'suppressed', error = @error, body = '', ended_at = @ended_at WHERE verification_id = @verification_id AND state = 'due';

-- name: LockGuesses :one
-- Whoever has this row's lock is the only one to judge a code of this phone.
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

-- name: AddIdempotencyKey :execrows
INSERT INTO idempotency_key (tenant, key, digest, verification_id, at) VALUES (@tenant, @key, @digest, @verification_id, @at)
ON CONFLICT (tenant, key) DO NOTHING;

-- name: GetIdempotencyKey :one
SELECT * FROM idempotency_key WHERE tenant = @tenant AND key = @key;

-- name: DropIdempotencyKeysBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM idempotency_key WHERE (tenant, key) IN (
    SELECT k.tenant, k.key FROM idempotency_key k WHERE k.at < @at ORDER BY k.at LIMIT 1000
);
