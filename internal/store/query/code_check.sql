-- name: AddCodeCheck :exec
INSERT INTO code_check (id, verification_id, tenant, code, verdict, asked_at)
VALUES (@id, @verification_id, @tenant, @code, '', @asked_at);

-- name: GetCodeCheck :one
SELECT * FROM code_check WHERE id = @id;

-- name: CountOpenCodeChecks :one
SELECT COUNT(*) FROM code_check WHERE verification_id = @verification_id AND verdict = '';

-- name: EndCodeCheck :execrows
UPDATE code_check SET verdict = @verdict, code = '' WHERE id = @id AND verdict = '';

-- name: DropCodeChecksBefore :execrows
DELETE FROM code_check WHERE asked_at < @at;
