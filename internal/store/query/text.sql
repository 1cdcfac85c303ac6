-- name: AddText :exec
INSERT INTO text (id, challenge_id, verification_id, tenant, account, sender, phone, purpose, body, segments, state, provider_id, error, deadline, created_at, sending_at, ended_at)
VALUES (@id, @challenge_id, @verification_id, @tenant, @account, @sender, @phone, @purpose, @body, @segments, @state, '', @error, @deadline, @created_at, 0, @ended_at);

-- name: GetText :one
SELECT * FROM text WHERE id = @id;

-- name: BeginSending :execrows
UPDATE text SET state = 'sending', sending_at = @now WHERE id = @id AND state = 'due' AND deadline > @now;

-- name: SetTextSent :execrows
UPDATE text SET state = 'sent', provider_id = @provider_id, error = '' WHERE id = @id AND state IN ('sending', 'unclear');

-- name: SetTextUnclear :execrows
UPDATE text SET state = 'unclear' WHERE id = @id AND state = 'sending';

-- name: SetTextDue :execrows
UPDATE text SET state = 'due' WHERE id = @id AND state = @from_state AND provider_id = '';

-- name: EndText :execrows
UPDATE text SET state = @state, error = @error, body = '', ended_at = @ended_at WHERE id = @id AND state = @from_state;

-- name: SetTextProvider :execrows
UPDATE text SET provider_id = @provider_id WHERE id = @id AND provider_id = '';

-- name: SuppressTextsOfChallenge :execrows
-- What asks goes with its question; what says how it ended stays.
UPDATE text SET state = 'suppressed', error = @error, body = '', ended_at = @ended_at
WHERE challenge_id = @challenge_id AND state = 'due' AND purpose IN ('prompt', 'hint');

-- name: CountTextsWithProviderID :one
SELECT COUNT(*) FROM text WHERE account = @account AND provider_id = @provider_id;

-- name: SetOptOut :execrows
INSERT INTO opt_out (account, sender, phone, since) VALUES (@account, @sender, @phone, @since)
ON CONFLICT (account, sender, phone) DO NOTHING;

-- name: ClearOptOut :execrows
DELETE FROM opt_out WHERE account = @account AND sender = @sender AND phone = @phone;

-- name: CountOptOut :one
SELECT COUNT(*) FROM opt_out WHERE account = @account AND sender = @sender AND phone = @phone;
