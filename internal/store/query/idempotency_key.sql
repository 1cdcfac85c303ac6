-- name: AddIdempotencyKey :execrows
INSERT INTO idempotency_key (tenant, key, digest, verification_id, at)
VALUES (@tenant, @key, @digest, @verification_id, @at)
ON CONFLICT (tenant, key) DO NOTHING;

-- name: GetIdempotencyKey :one
SELECT * FROM idempotency_key WHERE tenant = @tenant AND key = @key;

-- name: DropIdempotencyKeysBefore :execrows
DELETE FROM idempotency_key WHERE at < @at;
