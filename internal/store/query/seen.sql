-- name: AddSeen :execrows
INSERT INTO seen (source, tenant, id, digest, at) VALUES (@source, @tenant, @id, @digest, @at)
ON CONFLICT (source, tenant, id) DO NOTHING;

-- name: AddToken :execrows
-- A row of the older id, which names a tenant, is of a version that counted tokens by tenant. It
-- goes on protecting.
INSERT INTO seen (source, tenant, id, digest, at)
SELECT @source, '', @id, @digest, @at
WHERE NOT EXISTS (
    SELECT 1 FROM seen s
    WHERE s.source = @source AND s.tenant = @older_tenant AND s.id = @older_id
)
ON CONFLICT (source, tenant, id) DO NOTHING;

-- name: GetSeen :one
SELECT * FROM seen WHERE source = @source AND tenant = @tenant AND id = @id;

-- name: DropSeenBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM seen WHERE (source, tenant, id) IN (
    SELECT s.source, s.tenant, s.id FROM seen s WHERE s.at < @at ORDER BY s.at LIMIT 1000
);
