-- Indexes that hold only the rows that are asked for: most texts answer no question, and most say
-- no code. SQLite uses a partial index only for a query that repeats its condition.

-- +goose Up
DROP INDEX challenge_of_mail; -- no query asks for the challenges of a mail
DROP INDEX text_of_challenge;
CREATE INDEX text_of_challenge ON text (challenge_id) WHERE challenge_id <> '';
DROP INDEX text_of_verification;
CREATE INDEX text_of_verification ON text (verification_id) WHERE verification_id <> '';

-- +goose Down
DROP INDEX text_of_verification;
CREATE INDEX text_of_verification ON text (verification_id);
DROP INDEX text_of_challenge;
CREATE INDEX text_of_challenge ON text (challenge_id);
CREATE INDEX challenge_of_mail ON challenge (mail_id);
