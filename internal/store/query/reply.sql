-- name: AddReply :execrows
INSERT INTO reply (id, account, provider_id, sender, phone, word, challenge_id, received_at)
VALUES (@id, @account, @provider_id, @sender, @phone, @word, '', @received_at)
ON CONFLICT (account, provider_id) DO NOTHING;

-- name: GetReply :one
SELECT * FROM reply WHERE id = @id;

-- name: SetReplyChallenge :exec
UPDATE reply SET challenge_id = @challenge_id WHERE id = @id;

-- name: DropReplies :execrows
-- As DropMails.
DELETE FROM reply WHERE id IN (
    SELECT r.id FROM reply r WHERE r.id < @first_kept AND r.received_at < @at
    ORDER BY r.id LIMIT 1000
);
