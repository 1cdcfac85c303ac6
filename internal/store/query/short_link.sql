-- name: AddShortLink :exec
INSERT INTO short_link (id, tenant, challenge_id, link, expires_at)
VALUES (@id, @tenant, @challenge_id, @link, @expires_at);

-- name: GetShortLink :one
SELECT * FROM short_link WHERE id = @id;

-- name: DropShortLinksBefore :execrows
DELETE FROM short_link WHERE expires_at < @at;
