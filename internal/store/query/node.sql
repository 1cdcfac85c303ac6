-- name: BeatNode :exec
INSERT INTO node (id, host, version, settings, key_id, since, seen_at)
VALUES (@id, @host, @version, @settings, @key_id, @since, @seen_at)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, settings = excluded.settings;

-- name: NodesSeenSince :many
SELECT * FROM node WHERE seen_at >= @since ORDER BY seen_at DESC LIMIT 100;

-- name: DropNodesBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM node WHERE id IN (
    SELECT n.id FROM node n WHERE n.seen_at < @seen_at ORDER BY n.seen_at LIMIT 1000
);

-- name: DropNode :exec
DELETE FROM node WHERE id = @id;
