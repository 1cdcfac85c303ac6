-- name: AddEvent :exec
INSERT INTO event (id, tenant, subject, name, detail, at)
VALUES (@id, @tenant, @subject, @name, @detail, @at);

-- name: EventsAfter :many
SELECT * FROM event WHERE id > @id ORDER BY id LIMIT @most;

-- name: EventsOf :many
SELECT * FROM event WHERE subject = @subject ORDER BY id LIMIT 1000;

-- name: DropEvents :execrows
-- As DropMails.
DELETE FROM event WHERE id IN (
    SELECT e.id FROM event e WHERE e.id < @first_kept AND e.at < @at ORDER BY e.id LIMIT 1000
);
