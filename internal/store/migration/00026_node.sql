-- The processes that work on this database know each other: one with other settings or another key
-- than the rest is a mistake of the operator.

-- +goose Up
CREATE TABLE node (
    id       TEXT PRIMARY KEY, -- of one start of one process
    host     TEXT NOT NULL,
    version  TEXT NOT NULL,
    settings TEXT NOT NULL,    -- the fingerprint of its settings
    key_id   TEXT NOT NULL,    -- names the key that seals
    since    BIGINT NOT NULL,  -- when it began
    seen_at  BIGINT NOT NULL   -- when it said last that it lives
);
CREATE INDEX node_seen ON node (seen_at);

-- Which breakers are open is asked every few seconds.
CREATE INDEX tally_open ON tally (key) WHERE open_at <> 0;

-- +goose Down
DROP INDEX tally_open;
DROP TABLE node;
