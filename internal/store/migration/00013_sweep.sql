-- What a sweep looks for: what is overdue, and texts that a dead worker left in the midst of
-- sending.

-- +goose Up
CREATE INDEX challenge_overdue ON challenge (expires_at) WHERE state = 'open';
CREATE INDEX verification_overdue ON verification (expires_at) WHERE state = 'pending';
CREATE INDEX text_sending ON text (sending_at) WHERE state = 'sending';

-- +goose Down
DROP INDEX text_sending;
DROP INDEX verification_overdue;
DROP INDEX challenge_overdue;
