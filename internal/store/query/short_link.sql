-- name: AddShortLink :exec
INSERT INTO short_link (id, tenant, challenge_id, link, expires_at, language)
VALUES (@id, @tenant, @challenge_id, @link, @expires_at, @language);

-- name: GetShortLink :one
SELECT * FROM short_link WHERE id = @id;

-- name: DropShortLinksBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM short_link WHERE id IN (
    SELECT s.id FROM short_link s WHERE s.expires_at < @at ORDER BY s.expires_at LIMIT 1000
);
