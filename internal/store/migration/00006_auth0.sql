-- What Auth0 asked to be texted, so that its retries are known and what comes of a code can be
-- told.

-- +goose Up
CREATE TABLE auth0_notification (
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    digest          TEXT NOT NULL,   -- of the request, keyed with what this database does not hold
    user_id         TEXT NOT NULL,   -- at Auth0, '' when it did not say
    verification_id TEXT NOT NULL,   -- '' for a text without a code
    text_id         TEXT NOT NULL,
    at              BIGINT NOT NULL
);
CREATE INDEX auth0_notification_same ON auth0_notification (tenant, digest, at);
CREATE INDEX auth0_notification_of_user ON auth0_notification (tenant, user_id, at);
CREATE INDEX auth0_notification_at ON auth0_notification (at);

-- +goose Down
DROP TABLE auth0_notification;
