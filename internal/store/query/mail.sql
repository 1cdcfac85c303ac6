-- name: AddMail :execrows
INSERT INTO mail (id, tenant, phone, message_id, message_url, body, state, kind, reason, posted_at, received_at, ended_at)
VALUES (@id, @tenant, @phone, @message_id, @message_url, @body, 'received', '', '', @posted_at, @received_at, 0)
ON CONFLICT (tenant, message_id, phone) DO NOTHING;

-- name: GetMail :one
SELECT * FROM mail WHERE id = @id;

-- name: EndMail :execrows
UPDATE mail SET state = @state, kind = @kind, reason = @reason, body = '', ended_at = @ended_at
WHERE id = @id AND state = 'received';

-- name: AddSeen :execrows
INSERT INTO seen (source, tenant, id, digest, at) VALUES (@source, @tenant, @id, @digest, @at)
ON CONFLICT (source, tenant, id) DO NOTHING;

-- name: GetSeen :one
SELECT * FROM seen WHERE source = @source AND tenant = @tenant AND id = @id;

-- name: DropSeenBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM seen WHERE (source, tenant, id) IN (
    SELECT s.source, s.tenant, s.id FROM seen s WHERE s.at < @at ORDER BY s.at LIMIT 1000
);
