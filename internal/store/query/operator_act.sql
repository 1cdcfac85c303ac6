-- name: AddOperatorAct :exec
INSERT INTO operator_act (id, operator, act, subject, detail, at)
VALUES (@id, @operator, @act, @subject, @detail, @at);

-- name: OperatorActsBefore :many
SELECT * FROM operator_act WHERE id < @before ORDER BY id DESC LIMIT @most;

-- name: DropOperatorActs :execrows
-- As DropMails.
DELETE FROM operator_act WHERE id IN (
    SELECT a.id FROM operator_act a WHERE a.id < @first_kept AND a.at < @at ORDER BY a.id LIMIT 1000
);
