-- name: CountExternalVerifications :one
SELECT COUNT(*) FROM verification WHERE tenant = @tenant AND door = @door AND external_id = @external_id;

-- name: LastTextOfVerification :one
SELECT * FROM text WHERE verification_id = @verification_id ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: AddAuth0Notification :exec
INSERT INTO auth0_notification (id, tenant, digest, user_id, verification_id, text_id, at)
VALUES (@id, @tenant, @digest, @user_id, @verification_id, @text_id, @at);

-- name: SameAuth0Notification :one
SELECT * FROM auth0_notification WHERE tenant = @tenant AND digest = @digest AND at > @since ORDER BY at DESC, id DESC LIMIT 1;

-- name: LastAuth0Code :one
-- The last code that was texted for a user of Auth0.
SELECT * FROM auth0_notification
WHERE tenant = @tenant AND user_id = @user_id AND verification_id <> '' AND at > @since ORDER BY at DESC, id DESC LIMIT 1;

-- name: DropAuth0NotificationsBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM auth0_notification WHERE id IN (
    SELECT n.id FROM auth0_notification n WHERE n.at < @at ORDER BY n.at LIMIT 1000
);

-- name: AddVerifyFeedback :execrows
-- A verification that Twilio Verify made for somebody else: it has ended, and Verify, which knows it by its phone, is to be told.
INSERT INTO verification (id, tenant, door, external_id, account, sender, phone, locale, state, code, renew,
    attempts, max_attempts, max_wrong, sends, max_sends, gap, notify, opened_at, sent_at, expires_at, ended_at, verify_sid)
VALUES (@id, @tenant, @door, '', @account, @sender, @phone, '', 'approved', '', 0,
    0, 0, 0, 0, 0, 0, 0, @at, @at, @at, @at, @phone)
ON CONFLICT DO NOTHING;
