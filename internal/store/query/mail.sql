-- name: AddMail :execrows
INSERT INTO mail (id, tenant, phone, recipient, message_id, message_url, body, packed, state, kind,
    reason, posted_at, received_at, ended_at, begun_at, country)
VALUES (@id, @tenant, @phone, @recipient, @message_id, @message_url, '', @packed, 'received', '',
    '', @posted_at, @received_at, 0, @begun_at, @country)
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
SET state = @state, kind = @kind, reason = @reason, found = @found, provider = @provider,
    body = '', packed = NULL, ended_at = @ended_at
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
SELECT DISTINCT phone FROM mail WHERE id = @key OR message_id = @key LIMIT 2;

-- name: NewestMails :many
-- The newest mails before an id, each with its question and the prompts of that, or with the text
-- that passed on what it had.
SELECT m.id, m.tenant, m.phone, m.state, m.kind, m.reason, m.received_at,
    COALESCE(c.state, '') AS question, COALESCE(c.outcome, '') AS outcome,
    COALESCE(c.expires_at, 0) AS over, COALESCE(t.state, r.state, '') AS texted,
    COALESCE(t.error, r.error, '') AS text_error
FROM mail m
LEFT JOIN challenge c ON c.id = m.id
LEFT JOIN text t ON t.challenge_id = c.id AND t.challenge_id <> '' AND t.purpose = 'prompt'
LEFT JOIN text r ON r.case_id = m.id AND r.case_id <> '' AND r.purpose = 'relay'
WHERE m.id < @before
ORDER BY m.id DESC LIMIT @most;

-- name: MailFunnel :many
-- How far the mails came that were taken from one id to before another, in one row for each tenant,
-- country and identity provider. A question has one prompt, and is asked once a provider has that.
-- What a test number is asked, or would be texted, is no person's.
SELECT m.tenant, m.country, m.provider, COUNT(*) AS seen,
    COUNT(CASE WHEN m.state = 'refused' THEN 1 END) AS refused,
    COUNT(CASE WHEN m.state = 'received' THEN 1 END) AS unread,
    COUNT(CASE WHEN m.state = 'examined' AND c.id IS NULL THEN 1 END) AS unasked,
    COUNT(t.id) AS asked,
    COUNT(CASE WHEN t.state = 'delivered' THEN 1 END) AS delivered,
    COUNT(CASE WHEN t.id <> '' AND c.accepted_at > 0 THEN 1 END) AS yes,
    COUNT(CASE WHEN t.id <> '' AND c.state = 'denied' THEN 1 END) AS "no",
    COUNT(CASE WHEN t.id <> '' AND (c.state IN ('expired', 'superseded')
        OR c.state = 'open' AND c.expires_at <= @now) THEN 1 END) AS expired,
    COUNT(CASE WHEN t.id <> '' AND c.state = 'canceled' THEN 1 END) AS canceled,
    COUNT(CASE WHEN t.id <> '' AND c.state = 'confirmed' THEN 1 END) AS confirmed,
    COUNT(CASE WHEN t.id <> '' AND c.state = 'failed' AND c.outcome = 'needs_user' THEN 1 END)
        AS handed,
    COUNT(CASE WHEN t.id <> '' AND c.state = 'failed' AND c.outcome <> 'needs_user' THEN 1 END)
        AS failed
FROM mail m
LEFT JOIN challenge c ON c.id = m.id
LEFT JOIN text t ON t.challenge_id = c.id AND t.challenge_id <> '' AND t.purpose = 'prompt'
    AND t.state IN ('sent', 'delivered', 'undelivered', 'unclear')
WHERE m.id >= @first_id AND m.id < @before_id AND COALESCE(c.test, 0) = 0
    AND NOT EXISTS (SELECT 1 FROM text r WHERE r.case_id = m.id AND r.case_id <> ''
        AND r.purpose = 'relay' AND r.error = 'test number')
GROUP BY m.tenant, m.country, m.provider;
