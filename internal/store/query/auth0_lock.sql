-- name: LockAuth0Phone :exec
-- Until its transaction ends, no other transaction passes this statement for the same phone.
INSERT INTO auth0_lock (tenant, phone, at) VALUES (@tenant, @phone, @at)
ON CONFLICT (tenant, phone) DO UPDATE SET at = @at;

-- name: DropAuth0LocksBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM auth0_lock WHERE (tenant, phone) IN (
    SELECT l.tenant, l.phone FROM auth0_lock l WHERE l.at < @at ORDER BY l.at LIMIT 1000
);
