-- How many segments a text had when its event happened: a provider may count them otherwise later,
-- and each try of a callback says the same.

-- +goose Up
-- of an event about a text; 0 for any other, and for those of older versions
ALTER TABLE callback ADD COLUMN segments BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE callback DROP COLUMN segments;
