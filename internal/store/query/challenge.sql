-- name: AddChallenge :execrows
INSERT INTO challenge (id, mail_id, tenant, account, sender, phone, purpose, state, outcome, link,
    reply_code, clicks, submitted_at, hinted_at, late_at, wrong_codes,
    opened_at, expires_at, accepted_at, ended_at, coded)
VALUES (@id, @mail_id, @tenant, @account, @sender, @phone, @purpose, @state, '', @link,
    @reply_code, 0, 0, 0, 0, 0, @opened_at, @expires_at, @accepted_at, 0, @coded)
ON CONFLICT DO NOTHING;

-- name: GetChallenge :one
SELECT * FROM challenge WHERE id = @id;

-- name: GetOpenChallenge :one
SELECT * FROM challenge
WHERE tenant = @tenant AND phone = @phone AND purpose = @purpose AND state = 'open';

-- name: AskedOpenChallenges :many
-- The open questions whose prompt was handed to a provider. Their deadline may have passed.
SELECT * FROM challenge
WHERE challenge.account = @account AND challenge.sender = @sender AND challenge.phone = @phone
  AND challenge.state = 'open'
  AND EXISTS (SELECT 1 FROM text
              WHERE text.challenge_id = challenge.id AND text.challenge_id <> ''
                AND text.purpose = 'prompt'
                AND text.state IN ('sending', 'sent', 'delivered', 'undelivered', 'unclear'))
ORDER BY challenge.opened_at;

-- name: OpenChallengesOfPhone :many
SELECT * FROM challenge
WHERE account = @account AND sender = @sender AND phone = @phone AND state = 'open'
ORDER BY opened_at;

-- name: LastChallengesOfPhone :many
SELECT * FROM challenge
WHERE account = @account AND sender = @sender AND phone = @phone
ORDER BY opened_at DESC LIMIT 20;

-- name: AdoptLink :execrows
UPDATE challenge SET link = @link, mail_id = @mail_id WHERE id = @id AND state = 'open';

-- name: AcceptChallenge :execrows
UPDATE challenge SET state = 'accepted', accepted_at = @now
WHERE id = @id AND state = 'open' AND expires_at > @now;

-- name: BeginClick :execrows
UPDATE challenge SET state = 'clicking', clicks = clicks + 1
WHERE id = @id AND state = @state AND clicks = @clicks;

-- name: UndoClick :execrows
UPDATE challenge SET state = 'accepted', clicks = clicks - 1
WHERE id = @id AND state = 'clicking' AND clicks = @clicks AND submitted_at = 0;

-- name: MarkSubmitted :execrows
UPDATE challenge SET submitted_at = @submitted_at
WHERE id = @id AND state = 'clicking' AND submitted_at = 0;

-- name: EndChallenge :execrows
UPDATE challenge SET state = @state, outcome = @outcome, link = '', ended_at = @ended_at
WHERE id = @id AND state = @from_state;

-- name: MarkHinted :execrows
UPDATE challenge SET hinted_at = @hinted_at WHERE id = @id AND hinted_at = 0;

-- name: MarkLate :execrows
UPDATE challenge SET late_at = @late_at WHERE id = @id AND late_at = 0;

-- name: CountWrongCode :one
UPDATE challenge SET wrong_codes = wrong_codes + 1
WHERE id = @id AND state = 'open'
RETURNING wrong_codes;
