-- name: AddSeen :execrows
INSERT INTO seen (source, tenant, id, digest, at) VALUES (@source, @tenant, @id, @digest, @at)
ON CONFLICT (source, tenant, id) DO NOTHING;

-- name: GetSeen :one
SELECT * FROM seen WHERE source = @source AND tenant = @tenant AND id = @id;

-- name: DropSeenBefore :execrows
DELETE FROM seen WHERE at < @at;
