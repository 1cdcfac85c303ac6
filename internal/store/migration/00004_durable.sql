-- What the compatible doors need of their own.

-- +goose Up
CREATE TABLE durable_instance (
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    instance_id     TEXT NOT NULL,   -- what the app calls it
    input           TEXT NOT NULL,   -- JSON, as it was given: null, or a phone number
    state           TEXT NOT NULL,   -- running, suspended, failed, terminated; the verification
                                     -- says how a running one ended
    output          TEXT NOT NULL,   -- why it failed, or the reason given for terminating it
    verification_id TEXT NOT NULL,   -- '' when none could be started
    digits          BIGINT NOT NULL, -- of the code
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX durable_instance_same ON durable_instance (tenant, instance_id);
CREATE INDEX durable_instance_of_tenant ON durable_instance (tenant, id);

-- when the Flowroute door said that it had expired, which it says once
ALTER TABLE verification ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE verification DROP COLUMN told_at;
DROP TABLE durable_instance;
