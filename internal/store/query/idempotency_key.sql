-- name: AddIdempotencyKey :execrows
INSERT INTO idempotency_key (tenant, key, digest, verification_id, at)
VALUES (@tenant, @key, @digest, @verification_id, @at)
ON CONFLICT (tenant, key) DO NOTHING;

-- name: GetIdempotencyKey :one
SELECT * FROM idempotency_key WHERE tenant = @tenant AND key = @key;

-- name: DropIdempotencyKeysBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM idempotency_key WHERE (tenant, key) IN (
    SELECT k.tenant, k.key FROM idempotency_key k WHERE k.at < @at ORDER BY k.at LIMIT 1000
);
