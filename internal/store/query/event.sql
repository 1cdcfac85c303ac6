-- name: AddEvent :exec
INSERT INTO event (id, tenant, subject, name, detail, at)
VALUES (@id, @tenant, @subject, @name, @detail, @at);

-- name: EventsAfter :many
SELECT * FROM event WHERE id > @id ORDER BY id LIMIT @most;

-- name: EventsOf :many
SELECT * FROM event WHERE subject = @subject ORDER BY id LIMIT 1000;
