-- name: AddDurableInstance :execrows
INSERT INTO durable_instance (id, tenant, instance_id, input, state, output,
    verification_id, digits, created_at, updated_at)
VALUES (@id, @tenant, @instance_id, @input, 'running', '', '', @digits, @now, @now)
ON CONFLICT DO NOTHING;

-- name: GetDurableInstance :one
SELECT sqlc.embed(i), COALESCE(v.state, '') AS verification_state,
    COALESCE(v.reason, '') AS reason, COALESCE(v.expires_at, 0) AS expires_at,
    COALESCE(v.ended_at, 0) AS ended_at
FROM durable_instance i LEFT JOIN verification v ON v.id = i.verification_id
WHERE i.tenant = @tenant AND i.instance_id = @instance_id;

-- name: GetDurableVerification :one
-- An instance with its verification, if it has one.
SELECT sqlc.embed(i), sqlc.embed(v)
FROM durable_instance i JOIN verification v ON v.id = i.verification_id
WHERE i.tenant = @tenant AND i.instance_id = @instance_id;

-- name: ListDurableInstances :many
SELECT sqlc.embed(i), COALESCE(v.state, '') AS verification_state,
    COALESCE(v.reason, '') AS reason, COALESCE(v.expires_at, 0) AS expires_at,
    COALESCE(v.ended_at, 0) AS ended_at
FROM durable_instance i LEFT JOIN verification v ON v.id = i.verification_id
WHERE i.tenant = @tenant AND i.id > @after
    AND i.created_at >= @created_from AND i.created_at <= @created_to
    AND substr(i.instance_id, 1, length(CAST(@prefix AS TEXT))) = CAST(@prefix AS TEXT)
ORDER BY i.id LIMIT @most;

-- name: SetDurableState :execrows
-- It changes nothing when another request gave the instance a new verification.
UPDATE durable_instance SET state = @state, output = @output, updated_at = @now
WHERE id = @id AND (state = @from_state OR state = @or_from_state)
  AND verification_id = @verification_id;

-- name: SetDurableVerification :execrows
UPDATE durable_instance SET verification_id = @verification_id, digits = @digits
WHERE id = @id AND state = 'running';

-- name: TouchDurableInstance :execrows
UPDATE durable_instance SET updated_at = @now WHERE id = @id;

-- name: DropDurableInstance :execrows
-- It drops nothing when another request has steered the instance meanwhile.
DELETE FROM durable_instance
WHERE id = @id AND state = @state AND verification_id = @verification_id;

-- name: DropDurableInstances :execrows
-- As DropMails. The verification of a running one says whether it has ended. A suspended one has
-- not ended.
DELETE FROM durable_instance WHERE id IN (
    SELECT i.id FROM durable_instance i
    WHERE i.id < @first_kept AND i.state <> 'suspended' AND i.updated_at < @at
      AND NOT EXISTS (SELECT 1 FROM verification v
                      WHERE v.id = i.verification_id AND (v.state = 'pending' OR v.ended_at >= @at))
    ORDER BY i.id LIMIT 1000
);
