-- name: AddMail :execrows
INSERT INTO mail (id, tenant, phone, recipient, message_id, message_url, body, packed, state, kind,
    reason, posted_at, received_at, ended_at, begun_at)
VALUES (@id, @tenant, @phone, @recipient, @message_id, @message_url, '', @packed, 'received', '',
    '', @posted_at, @received_at, 0, @begun_at)
ON CONFLICT (tenant, message_id, phone) DO NOTHING;

-- name: GetMail :one
SELECT * FROM mail WHERE id = @id;

-- name: MailOf :one
SELECT id FROM mail WHERE tenant = @tenant AND message_id = @message_id AND phone = @phone;

-- name: MailsBegunBefore :many
SELECT id FROM mail
WHERE state = 'received' AND begun_at <> 0 AND begun_at < @before ORDER BY begun_at LIMIT @most;

-- name: LeaveMail :exec
UPDATE mail SET begun_at = 0 WHERE id = @id;

-- name: EndMail :execrows
UPDATE mail
SET state = @state, kind = @kind, reason = @reason, found = @found, body = '', packed = NULL,
    ended_at = @ended_at
WHERE id = @id AND state = 'received';

-- name: DropMails :execrows
-- Ids sort by the time they were made, so the primary key finds the oldest. At most 1,000, so that
-- no webhook waits behind them. The same goes for each table of a flow.
DELETE FROM mail WHERE id IN (
    SELECT m.id FROM mail m
    WHERE m.id < @first_kept AND m.state <> 'received' AND m.ended_at < @at
    ORDER BY m.id LIMIT 1000
);

-- name: MailsOfPhone :many
-- For an operator. It reads the whole table: no flow pays for an index by phone.
SELECT * FROM mail WHERE phone IN (@phone, @gone);

-- name: PhonesOfMail :many
-- For an operator, as MailsOfPhone.
SELECT phone FROM mail WHERE id = @key OR message_id = @key LIMIT 2;

-- name: NewestMails :many
-- The newest mails before an id, each with its question and the prompts of that, oldest prompt
-- first.
SELECT m.id, m.tenant, m.phone, m.state, m.kind, m.reason, m.received_at,
    COALESCE(c.state, '') AS question, COALESCE(c.outcome, '') AS outcome,
    COALESCE(c.expires_at, 0) AS over, COALESCE(t.state, '') AS texted,
    COALESCE(t.error, '') AS text_error
FROM mail m
LEFT JOIN challenge c ON c.id = m.id
LEFT JOIN text t ON t.challenge_id = c.id AND t.challenge_id <> '' AND t.purpose = 'prompt'
WHERE m.id < @before
ORDER BY m.id DESC LIMIT @most;
