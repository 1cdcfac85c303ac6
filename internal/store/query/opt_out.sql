-- name: SetOptOut :execrows
INSERT INTO opt_out (account, sender, phone, since, id, tenant, number, via, recorder, recorded_at)
VALUES (@account, @sender, @phone, @since, @id, @tenant, @number, @via, @recorder, @recorded_at)
ON CONFLICT (account, sender, phone) DO NOTHING;

-- name: ClearOptOut :execrows
DELETE FROM opt_out WHERE account = @account AND sender = @sender AND phone = @phone;

-- name: OptOutsOf :many
-- What a phone said, by its digest, and by its number in rows of older versions.
SELECT * FROM opt_out WHERE phone IN (@digest, @phone);

-- name: OptOutsAfter :many
SELECT * FROM opt_out WHERE id > @after ORDER BY id LIMIT @most;

-- name: GetOptOut :many
SELECT * FROM opt_out WHERE id = @id AND id <> '' LIMIT 1;

-- name: OlderOptOuts :many
-- Those of older versions, which have the number itself and no id.
SELECT * FROM opt_out WHERE id = '' LIMIT @most;
