-- What providers say that texts cost. Before a text is sent, the day's budget is charged what the
-- table of prices says. Money is in millionths.

-- +goose Up
-- dollars that the day was charged for it, -1 when that is not known: an older version made it
ALTER TABLE text ADD COLUMN charged BIGINT NOT NULL DEFAULT -1;
-- what it cost, once its provider has said so, and the currency of that; '' before
ALTER TABLE text ADD COLUMN price BIGINT NOT NULL DEFAULT 0;
ALTER TABLE text ADD COLUMN currency TEXT NOT NULL DEFAULT '';

-- How far the texts have been looked through for those whose price is not known. Each pass looks
-- at them at an age of its own.
CREATE TABLE price_pass (
    name    TEXT PRIMARY KEY,
    next_id TEXT NOT NULL -- the id at which it goes on
);

-- +goose Down
DROP TABLE price_pass;
ALTER TABLE text DROP COLUMN currency;
ALTER TABLE text DROP COLUMN price;
ALTER TABLE text DROP COLUMN charged;
