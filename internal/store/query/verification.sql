-- name: AddVerification :execrows
INSERT INTO verification (id, tenant, door, external_id, account, sender, phone, locale, state,
    code, renew, attempts, max_attempts, max_wrong, sends, max_sends, gap, notify,
    opened_at, sent_at, expires_at, ended_at, asker, subject, test)
VALUES (@id, @tenant, @door, @external_id, @account, @sender, @phone, @locale, 'pending',
    @code, @renew, 0, @max_attempts, @max_wrong, 1, @max_sends, @gap, @notify,
    @opened_at, @opened_at, @expires_at, 0, @asker, @subject, @test)
ON CONFLICT DO NOTHING;

-- name: GetVerification :one
SELECT * FROM verification WHERE id = @id;

-- name: GetVerificationOf :one
SELECT * FROM verification WHERE tenant = @tenant AND id = @id;

-- name: GetExternalVerification :one
SELECT * FROM verification
WHERE tenant = @tenant AND door = @door AND external_id = @external_id
ORDER BY opened_at DESC, id DESC LIMIT 1;

-- name: CountExternalVerifications :one
SELECT COUNT(*) FROM verification
WHERE tenant = @tenant AND door = @door AND external_id = @external_id;

-- name: ListVerifications :many
-- With the last text of each, which says what became of the code. Those whose codes are compared
-- elsewhere are left out.
SELECT sqlc.embed(v), COALESCE(t.state, '') AS text_state, COALESCE(t.created_at, 0) AS made_at,
    COALESCE(t.sending_at, 0) AS sending_at, COALESCE(t.ended_at, 0) AS text_ended_at
FROM verification v LEFT JOIN text t ON t.id = (
    SELECT x.id FROM text x WHERE x.verification_id = v.id AND x.verification_id <> ''
    ORDER BY x.created_at DESC, x.id DESC LIMIT 1
)
WHERE v.tenant = @tenant AND v.id < @before AND v.max_wrong <> @elsewhere
ORDER BY v.id DESC LIMIT @most;

-- name: ShowVerification :one
-- As ListVerifications.
SELECT sqlc.embed(v), COALESCE(t.state, '') AS text_state, COALESCE(t.created_at, 0) AS made_at,
    COALESCE(t.sending_at, 0) AS sending_at, COALESCE(t.ended_at, 0) AS text_ended_at
FROM verification v LEFT JOIN text t ON t.id = (
    SELECT x.id FROM text x WHERE x.verification_id = v.id AND x.verification_id <> ''
    ORDER BY x.created_at DESC, x.id DESC LIMIT 1
)
WHERE v.tenant = @tenant AND v.id = @id AND v.max_wrong <> @elsewhere;

-- name: OverdueVerifications :many
SELECT id FROM verification
WHERE state = 'pending' AND expires_at <= @now ORDER BY expires_at LIMIT @most;

-- name: LockVerification :execrows
-- Until its transaction ends, no other transaction passes this statement, or counts an attempt, for
-- the same verification.
UPDATE verification SET gap = gap WHERE id = @id;

-- name: OpenVerificationsOfPhone :many
SELECT * FROM verification
WHERE account = @account AND sender = @sender AND phone = @phone
  AND state = 'pending' AND expires_at > @now
ORDER BY opened_at DESC, id DESC LIMIT 100;

-- name: UnreportedVerificationsOfPhone :many
-- What Twilio Verify may still take for the verification that is to be started.
SELECT * FROM verification
WHERE account = @account AND sender = @sender AND phone = @phone AND tenant = @tenant
  AND id <> @id AND verify_sid <> '' AND reported = '' AND opened_at > @since
ORDER BY opened_at LIMIT 10;

-- name: CountAttempt :one
-- It counts an attempt whose code was compared with the row as it was read. It ends the
-- verification if that was the right code or the last attempt. It changes nothing if the row has
-- changed since: so guesses made at once cannot be more than are allowed.
UPDATE verification SET attempts = attempts + 1, state = @state, code = @code, ended_at = @ended_at
WHERE id = @id AND state = 'pending' AND expires_at > @now
  AND attempts = @attempts AND attempts < max_attempts AND sends = @sends AND checker = @checker
RETURNING *;

-- name: CountSend :execrows
UPDATE verification SET sends = sends + 1, sent_at = @now, code = @code
WHERE id = @id AND state = 'pending' AND expires_at > @now AND sends = @sends;

-- name: EndVerification :one
UPDATE verification SET state = @state, code = '', ended_at = @ended_at
WHERE id = @id AND state = 'pending'
RETURNING *;

-- name: FailVerification :one
-- It changes nothing if the code was texted once more since the row was read.
UPDATE verification SET state = 'failed', reason = @reason, code = '', ended_at = @ended_at
WHERE id = @id AND state = 'pending' AND sends = @sends AND expires_at > @ended_at
RETURNING *;

-- name: SetChecker :execrows
UPDATE verification SET checker = @checker WHERE id = @id AND state = 'pending';

-- name: SetVerifySID :execrows
UPDATE verification SET verify_sid = @verify_sid, reported = ''
WHERE id = @id AND verify_sid <> @verify_sid;

-- name: SetReported :execrows
UPDATE verification SET reported = @reported
WHERE id = @id AND verify_sid = @verify_sid AND reported = '';

-- name: TellExpired :execrows
UPDATE verification SET told_at = @now
WHERE tenant = @tenant AND door = @door AND external_id = @external_id
  AND state = 'expired' AND told_at = 0;

-- name: DropVerifications :execrows
-- As DropMails. One that an instance points to stays: the instance would forget how it ended.
DELETE FROM verification WHERE id IN (
    SELECT v.id FROM verification v
    WHERE v.id < @first_kept AND v.state <> 'pending' AND v.ended_at < @at
      AND NOT EXISTS (SELECT 1 FROM durable_instance i
                      WHERE i.verification_id = v.id AND i.verification_id <> '')
    ORDER BY v.id LIMIT 1000
);

-- name: VerificationsOfPhone :many
-- For an operator. It reads the whole table: no flow pays for an index by phone.
SELECT * FROM verification WHERE phone IN (@phone, @gone);

-- name: PhonesOfVerification :many
-- For an operator, as VerificationsOfPhone.
SELECT DISTINCT phone FROM verification
WHERE id = @key OR external_id = @key OR verify_sid = @key LIMIT 2;

-- name: NewestVerifications :many
-- As NewestMails, each with its texts.
SELECT v.id, v.tenant, v.door, v.phone, v.state, v.reason, v.opened_at, v.expires_at,
    COALESCE(t.state, '') AS texted, COALESCE(t.error, '') AS text_error
FROM verification v
LEFT JOIN text t ON t.verification_id = v.id AND t.verification_id <> ''
WHERE v.id < @before
ORDER BY v.id DESC LIMIT @most;
