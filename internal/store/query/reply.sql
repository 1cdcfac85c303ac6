-- name: AddReply :execrows
INSERT INTO reply (id, account, provider_id, sender, phone, word, challenge_id, received_at)
VALUES (@id, @account, @provider_id, @sender, @phone, @word, '', @received_at)
ON CONFLICT (account, provider_id) DO NOTHING;

-- name: GetReply :one
SELECT * FROM reply WHERE id = @id;

-- name: ReplyOf :one
SELECT * FROM reply WHERE account = @account AND provider_id = @provider_id;

-- name: SetReplyChallenge :exec
UPDATE reply SET challenge_id = @challenge_id WHERE id = @id;

-- name: RepliesOfPhone :many
-- For an operator. It reads the whole table: no flow pays for an index by phone.
SELECT * FROM reply WHERE phone IN (@phone, @gone) AND word <> '';

-- name: PhonesOfReply :many
-- For an operator, as RepliesOfPhone.
SELECT DISTINCT phone FROM reply WHERE id = @key OR provider_id = @key LIMIT 2;
