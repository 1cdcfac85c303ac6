-- name: AddCodeCheck :exec
INSERT INTO code_check (id, verification_id, tenant, code, verdict, asked_at, door, source)
VALUES (@id, @verification_id, @tenant, @code, '', @asked_at, @door, @source);

-- name: GetCodeCheck :one
SELECT * FROM code_check WHERE id = @id;

-- name: CountOpenCodeChecks :one
SELECT COUNT(*) FROM code_check WHERE verification_id = @verification_id AND verdict = '';

-- name: EndCodeCheck :execrows
UPDATE code_check SET verdict = @verdict, code = '' WHERE id = @id AND verdict = '';

-- name: DropCodeChecksBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM code_check WHERE id IN (
    SELECT c.id FROM code_check c WHERE c.asked_at < @at ORDER BY c.asked_at LIMIT 1000
);
