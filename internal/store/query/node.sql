-- name: BeatNode :exec
INSERT INTO node (id, host, version, settings, key_id, since, seen_at)
VALUES (@id, @host, @version, @settings, @key_id, @since, @seen_at)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at;

-- name: NodesSeenSince :many
SELECT * FROM node WHERE seen_at >= @since ORDER BY seen_at DESC LIMIT 100;

-- name: DropNodes :execrows
DELETE FROM node WHERE seen_at < @before;

-- name: DropNode :exec
DELETE FROM node WHERE id = @id;
