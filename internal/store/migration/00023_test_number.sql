-- What was asked of a test number is marked: no count and no reader takes it for a person's.

-- +goose Up
ALTER TABLE challenge ADD COLUMN test BIGINT NOT NULL DEFAULT 0;
ALTER TABLE verification ADD COLUMN test BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE verification DROP COLUMN test;
ALTER TABLE challenge DROP COLUMN test;
