-- name: AddSecret :exec
INSERT INTO secret (id, tenant, value) VALUES (@id, @tenant, @value) ON CONFLICT DO NOTHING;

-- name: GetSecret :one
SELECT value FROM secret WHERE id = @id;
