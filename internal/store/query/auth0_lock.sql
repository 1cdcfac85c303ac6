-- name: LockAuth0Phone :exec
-- Until its transaction ends, no other transaction passes this statement for the same phone.
INSERT INTO auth0_lock (tenant, phone, at) VALUES (@tenant, @phone, @at)
ON CONFLICT (tenant, phone) DO UPDATE SET at = @at;

-- name: DropAuth0LocksBefore :execrows
DELETE FROM auth0_lock WHERE at < @at;
