-- name: AddAuth0Notification :exec
INSERT INTO auth0_notification (id, tenant, digest, user_id, verification_id, text_id, at)
VALUES (@id, @tenant, @digest, @user_id, @verification_id, @text_id, @at);

-- name: SameAuth0Notification :one
SELECT * FROM auth0_notification
WHERE tenant = @tenant AND digest = @digest AND at > @since
ORDER BY at DESC, id DESC LIMIT 1;

-- name: LastAuth0Code :one
-- The last code that was texted for a user of Auth0.
SELECT * FROM auth0_notification
WHERE tenant = @tenant AND user_id = @user_id AND verification_id <> '' AND at > @since
ORDER BY at DESC, id DESC LIMIT 1;

-- name: DropAuth0NotificationsBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM auth0_notification WHERE id IN (
    SELECT n.id FROM auth0_notification n WHERE n.at < @at ORDER BY n.at LIMIT 1000
);
