-- name: AddText :exec
INSERT INTO text (id, challenge_id, verification_id, tenant, account, sender, phone, purpose,
    body, segments, state, provider_id, error, deadline, created_at, sending_at, ended_at, charged,
    case_id, wording, language)
VALUES (@id, @challenge_id, @verification_id, @tenant, @account, @sender, @phone, @purpose,
    @body, @segments, @state, '', @error, @deadline, @created_at, 0, @ended_at, @charged,
    @case_id, @wording, @language);

-- name: GetText :one
SELECT * FROM text WHERE id = @id;

-- name: TextsSendingSince :many
SELECT id FROM text
WHERE state = 'sending' AND sending_at < @before ORDER BY sending_at LIMIT @most;

-- name: PromptOfChallenge :one
SELECT state FROM text
WHERE challenge_id = @challenge_id AND challenge_id <> '' AND purpose = 'prompt'
ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: LastTextOfVerification :one
SELECT * FROM text
WHERE verification_id = @verification_id AND verification_id <> ''
ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: CountTextsOfVerification :one
-- The texts that may still reach the phone or have, of those made at a time or later.
SELECT COUNT(*) FROM text
WHERE verification_id = @verification_id AND verification_id <> '' AND created_at >= @since
  AND state IN ('due', 'sending', 'unclear', 'sent', 'delivered');

-- name: CountTextsWithProviderID :one
-- SQLite uses the partial index text_of_provider only for a query that repeats its condition
-- (https://sqlite.org/partialindex.html section 3); the same goes for the other partial indexes.
SELECT COUNT(*) FROM text
WHERE account = @account AND provider_id = @provider_id AND provider_id <> '';

-- name: BeginSending :execrows
UPDATE text SET state = 'sending', sending_at = @now
WHERE id = @id AND state = 'due' AND deadline > @now;

-- name: SetTextProvider :execrows
UPDATE text SET provider = @provider
WHERE id = @id AND state = 'sending' AND sending_at = @sending_at;

-- name: SetTextProviderID :execrows
UPDATE text SET provider_id = @provider_id WHERE id = @id AND provider_id = '';

-- name: SetTextSent :one
-- Its words are needed no more: many providers post no receipt that would end the text.
UPDATE text SET state = 'sent', body = '', provider_id = @provider_id, error = ''
WHERE id = @id AND state IN ('sending', 'unclear')
RETURNING tenant, verification_id, purpose, phone, provider;

-- name: SetTextUnclear :execrows
UPDATE text SET state = 'unclear' WHERE id = @id AND state = 'sending' AND sending_at = @sending_at;

-- name: SetTextDue :execrows
UPDATE text SET state = 'due'
WHERE id = @id AND state = @from_state AND sending_at = @sending_at AND provider_id = '';

-- name: EndText :execrows
UPDATE text SET state = @state, error = @error, body = '', ended_at = @ended_at
WHERE id = @id AND state = @from_state AND sending_at = @sending_at;

-- name: SuppressTextsOfChallenge :execrows
-- A text that asks goes with its question; a text that says how it ended stays.
UPDATE text SET state = 'suppressed', error = @error, body = '', ended_at = @ended_at
WHERE challenge_id = @challenge_id AND challenge_id <> '' AND state = 'due'
  AND purpose IN ('prompt', 'hint');

-- name: SuppressTextsOfVerification :execrows
UPDATE text SET state = 'suppressed', error = @error, body = '', ended_at = @ended_at
WHERE verification_id = @verification_id AND verification_id <> '' AND state = 'due';

-- name: DropTexts :execrows
-- As DropMails. A text whose receipt never came stays sent, without an end.
DELETE FROM text WHERE id IN (
    SELECT t.id FROM text t
    WHERE t.id < @first_kept AND t.state NOT IN ('due', 'sending', 'unclear') AND t.ended_at < @at
    ORDER BY t.id LIMIT 1000
);

-- name: TextsOfPhone :many
-- For an operator. It reads the whole table: no flow pays for an index by phone.
SELECT * FROM text WHERE phone IN (@phone, @gone);

-- name: PhonesOfText :many
-- For an operator, as TextsOfPhone.
SELECT DISTINCT phone FROM text WHERE id = @key OR provider_id = @key LIMIT 2;

-- name: TextsWithoutPrice :many
-- Those that a provider has, and whose charge is known, by their ids from one to before another.
SELECT id, tenant, account, phone, segments, provider, provider_id, created_at, charged FROM text
WHERE id >= @first_id AND id < @before_id AND currency = '' AND charged >= 0 AND provider_id <> ''
ORDER BY id LIMIT @most;

-- name: SetTextPrice :execrows
UPDATE text SET price = @price, currency = @currency, segments = @segments
WHERE id = @id AND currency = '';

-- name: TextsUsed :many
-- What texts used, after one id and before another, in the order in which they were made.
SELECT id, tenant, phone, state, segments, created_at, charged, price, currency FROM text
WHERE id > @after_id AND id < @before_id
ORDER BY id LIMIT @most;
