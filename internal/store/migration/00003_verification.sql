-- One-time codes: a code for a phone, who guessed at it, and what an app's retries must not repeat.

-- +goose Up
CREATE TABLE verification (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    door         TEXT NOT NULL,   -- who started it: api, flowroute, durable, …
    external_id  TEXT NOT NULL,   -- what the door calls it, '' when by our id
    account      TEXT NOT NULL,   -- Twilio account the code is texted from
    sender       TEXT NOT NULL,   -- number or messaging service, as configured
    phone        TEXT NOT NULL,
    locale       TEXT NOT NULL,   -- language of the text, '' for the tenant's own
    state        TEXT NOT NULL,   -- pending, approved, canceled, expired, max_attempts_reached
    code         TEXT NOT NULL,   -- sealed; '' after the end
    renew        BIGINT NOT NULL, -- digits of a new code for each text, 0 when the code stays
    attempts     BIGINT NOT NULL, -- codes that were presented
    max_attempts BIGINT NOT NULL,
    max_wrong    BIGINT NOT NULL, -- wrong codes a phone may have in 24 hours, for all verifications
    sends        BIGINT NOT NULL, -- texts that were made due
    max_sends    BIGINT NOT NULL,
    gap          BIGINT NOT NULL, -- milliseconds between two of them
    notify       BIGINT NOT NULL, -- 1 when the tenant's app is told of the end
    opened_at    BIGINT NOT NULL,
    sent_at      BIGINT NOT NULL, -- when the last text was made due
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX verification_external ON verification (tenant, door, external_id)
    WHERE external_id <> '' AND state = 'pending';
CREATE INDEX verification_of_door ON verification (tenant, door, external_id, opened_at);
CREATE INDEX verification_of_tenant ON verification (tenant, id);
CREATE INDEX verification_of_phone ON verification (account, sender, phone, opened_at);

-- the verification whose code it says, '' for none
ALTER TABLE text ADD COLUMN verification_id TEXT NOT NULL DEFAULT '';
CREATE INDEX text_of_verification ON text (verification_id);

CREATE TABLE guess (
    tenant   TEXT NOT NULL,
    phone    TEXT NOT NULL,
    wrong_at TEXT NOT NULL,       -- times of the last 24 hours' wrong codes, separated by spaces
    last_at  BIGINT NOT NULL,     -- when a code was last presented
    PRIMARY KEY (tenant, phone)
);
CREATE INDEX guess_last ON guess (last_at);

CREATE TABLE idempotency_key (
    tenant          TEXT NOT NULL,
    key             TEXT NOT NULL, -- SHA-256 of what the app sent as Idempotency-Key
    digest          TEXT NOT NULL, -- SHA-256 of the request that came with it
    verification_id TEXT NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_key_at ON idempotency_key (at);

-- +goose Down
DROP TABLE idempotency_key;
DROP TABLE guess;
DROP INDEX text_of_verification;
ALTER TABLE text DROP COLUMN verification_id;
DROP TABLE verification;
