-- name: AddCallback :exec
-- An event that is about no text has no segments.
INSERT INTO callback (id, event_id, tenant, endpoint, type, subject, detail, state, host, attempts,
    status, reason, at, due_at, next_at, ended_at, segments)
VALUES (@id, @event_id, @tenant, @endpoint, @type, @subject, @detail, 'due', '', 0, 0, '', @at, @at,
    @at, 0, COALESCE((SELECT t.segments FROM text t WHERE t.id = @subject), 0));

-- name: GetCallback :one
SELECT * FROM callback WHERE id = @id;

-- name: NextCallback :one
SELECT * FROM callback
WHERE tenant = @tenant AND endpoint = @endpoint AND state = 'due' AND next_at <= @now
ORDER BY next_at LIMIT 1;

-- name: ClaimCallback :execrows
UPDATE callback SET next_at = @until_at, attempts = attempts + 1
WHERE id = @id AND state = 'due' AND next_at = @next_at;

-- name: DelayCallback :execrows
UPDATE callback SET next_at = @again_at, host = @host, status = @status, reason = @reason,
    tries = @tries
WHERE id = @id AND state = 'due' AND next_at = @next_at;

-- name: EndCallback :execrows
UPDATE callback SET state = @state, host = @host, status = @status, reason = @reason,
    tries = @tries, ended_at = @ended_at
WHERE id = @id AND state = 'due' AND next_at = @next_at;

-- name: EndOverdueCallbacks :execrows
UPDATE callback SET state = 'dead', reason = @reason, ended_at = @ended_at
WHERE callback.state = 'due' AND callback.next_at <= @now AND callback.id IN (
    SELECT c.id FROM callback c
    WHERE c.tenant = @tenant AND c.endpoint = @endpoint AND c.state = 'due' AND c.next_at <= @now
        AND c.due_at < @since
    ORDER BY c.next_at LIMIT @most
);

-- name: ReplayCallback :execrows
UPDATE callback SET state = 'due', attempts = 0, status = 0, reason = '', due_at = @now,
    next_at = @now, ended_at = 0
WHERE id = @id AND state <> 'due';

-- name: CallbacksAfter :many
SELECT * FROM callback WHERE id > @id ORDER BY id LIMIT @most;

-- name: CallbacksBefore :many
SELECT * FROM callback WHERE id < @id ORDER BY id DESC LIMIT @most;

-- name: CallbacksInStateBefore :many
SELECT * FROM callback WHERE state = @state AND id < @id ORDER BY id DESC LIMIT @most;

-- name: CallbacksInStateAfter :many
SELECT * FROM callback WHERE state = @state AND id > @id ORDER BY id LIMIT @most;

-- name: DropCallbacks :execrows
-- As DropMails. One that is due for an address that the settings lost goes, too.
DELETE FROM callback WHERE id IN (
    SELECT c.id FROM callback c WHERE c.id < @first_kept AND c.at < @at ORDER BY c.id LIMIT 1000
);
