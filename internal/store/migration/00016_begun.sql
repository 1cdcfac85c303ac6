-- Since when a worker has what a transaction made due and began at once: 0 when the queue has it. A
-- sweep looks for those whose worker died.

-- +goose Up
ALTER TABLE mail ADD COLUMN begun_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE challenge ADD COLUMN begun_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX mail_begun ON mail (begun_at) WHERE state = 'received' AND begun_at <> 0;
CREATE INDEX challenge_begun ON challenge (begun_at)
    WHERE state IN ('accepted', 'clicking') AND begun_at <> 0;

-- +goose Down
-- A worker of an older version finds no job for what was begun. Stop the bridge first: then nothing
-- is.
DROP INDEX challenge_begun;
DROP INDEX mail_begun;
ALTER TABLE challenge DROP COLUMN begun_at;
ALTER TABLE mail DROP COLUMN begun_at;
