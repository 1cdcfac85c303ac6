-- name: SetOptOut :execrows
INSERT INTO opt_out (account, sender, phone, since) VALUES (@account, @sender, @phone, @since)
ON CONFLICT (account, sender, phone) DO NOTHING;

-- name: ClearOptOut :execrows
DELETE FROM opt_out WHERE account = @account AND sender = @sender AND phone = @phone;

-- name: CountOptOut :one
SELECT COUNT(*) FROM opt_out WHERE account = @account AND sender = @sender AND phone = @phone;
