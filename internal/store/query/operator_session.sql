-- name: AddOperatorSession :exec
INSERT INTO operator_session (id, name, proof, opened_at, used_at)
VALUES (@id, @name, @proof, @opened_at, @used_at);

-- name: GetOperatorSession :one
SELECT * FROM operator_session WHERE id = @id;

-- name: UseOperatorSession :execrows
UPDATE operator_session SET used_at = @used_at WHERE id = @id AND used_at < @used_at;

-- name: EndOperatorSession :execrows
DELETE FROM operator_session WHERE id = @id;

-- name: DropOperatorSessionsBefore :execrows
DELETE FROM operator_session WHERE id IN (
    SELECT s.id FROM operator_session s WHERE s.used_at < @at ORDER BY s.used_at LIMIT 1000
);
