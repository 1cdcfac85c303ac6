-- name: SetTextRoute :execrows
UPDATE text SET provider = @provider WHERE id = @id AND state = 'sending' AND sending_at = @sending_at;

-- name: SetChecker :execrows
UPDATE verification SET checker = @checker WHERE id = @id AND state = 'pending';

-- name: SetVerifySID :execrows
UPDATE verification SET verify_sid = @verify_sid, reported = '' WHERE id = @id AND verify_sid <> @verify_sid;

-- name: SetReported :execrows
UPDATE verification SET reported = @reported WHERE id = @id AND verify_sid = @verify_sid AND reported = '';

-- name: UnreportedVerificationsOfPhone :many
-- What Twilio Verify may still take for the verification that is to be started.
SELECT * FROM verification
WHERE account = @account AND sender = @sender AND phone = @phone AND tenant = @tenant
  AND id <> @id AND verify_sid <> '' AND reported = '' AND opened_at > @since
ORDER BY opened_at LIMIT 10;

-- name: AddCodeCheck :exec
INSERT INTO code_check (id, verification_id, tenant, code, verdict, asked_at) VALUES (@id, @verification_id, @tenant, @code, '', @asked_at);

-- name: GetCodeCheck :one
SELECT * FROM code_check WHERE id = @id;

-- name: EndCodeCheck :execrows
UPDATE code_check SET verdict = @verdict, code = '' WHERE id = @id AND verdict = '';

-- name: CountOpenCodeChecks :one
SELECT COUNT(*) FROM code_check WHERE verification_id = @verification_id AND verdict = '';

-- name: DropCodeChecksBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM code_check WHERE id IN (
    SELECT c.id FROM code_check c WHERE c.asked_at < @at ORDER BY c.asked_at LIMIT 1000
);
