-- What a tenant's app asks, and what it is told.

-- +goose Up
-- what the app calls its own question; '' for that of a mail
ALTER TABLE challenge ADD COLUMN reference TEXT NOT NULL DEFAULT '';

-- What a tenant's app is told: one row for each event and each address that subscribed to it. A row
-- has no phone and no text of the message, which is made of the other rows when it is sent.
CREATE TABLE callback (
    id       TEXT PRIMARY KEY,
    event_id TEXT NOT NULL,   -- the event's, which is the webhook-id of every try
    tenant   TEXT NOT NULL,
    endpoint TEXT NOT NULL,   -- the name of the address in the settings
    type     TEXT NOT NULL,   -- question.confirmed, text.undelivered, …
    subject  TEXT NOT NULL,   -- the row that it is about
    detail   TEXT NOT NULL,   -- as in event
    state    TEXT NOT NULL,   -- due, delivered, gone, dead, withdrawn
    host     TEXT NOT NULL,   -- of the address at the last try, '' before
    attempts BIGINT NOT NULL, -- since it became due
    status   BIGINT NOT NULL, -- of the last response, 0 for none
    reason   TEXT NOT NULL,   -- why the last try failed, '' if it did not
    at       BIGINT NOT NULL, -- when it happened
    due_at   BIGINT NOT NULL, -- when it became due, or was replayed
    next_at  BIGINT NOT NULL, -- when a due one is tried next; a worker that has it moves that
    ended_at BIGINT NOT NULL
);
CREATE INDEX callback_due ON callback (tenant, endpoint, next_at) WHERE state = 'due';
CREATE INDEX callback_failed ON callback (id) WHERE state IN ('dead', 'gone');

-- +goose Down
DROP TABLE callback;
ALTER TABLE challenge DROP COLUMN reference;
