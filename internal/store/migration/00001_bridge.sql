-- The bridge's own tables, for SQLite and PostgreSQL alike: TEXT and BIGINT only, times in
-- milliseconds since 1970 (0 = not yet), ids made before the insert. River brings its own tables.

-- +goose Up
CREATE TABLE mail (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    phone       TEXT NOT NULL,
    message_id  TEXT NOT NULL,   -- Message-Id header: with tenant and phone it identifies a mail
    message_url TEXT NOT NULL,   -- where Mailgun keeps it, '' when it does not
    body        TEXT NOT NULL,   -- sealed until examined, then ''
    state       TEXT NOT NULL,   -- received, examined, refused
    kind        TEXT NOT NULL,   -- what the examination found: verify, reset, …
    reason      TEXT NOT NULL,   -- why it was refused, or the finding's reason
    posted_at   BIGINT NOT NULL, -- Mailgun's signed time stamp
    received_at BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX mail_same ON mail (tenant, message_id, phone);

CREATE TABLE challenge (
    id           TEXT PRIMARY KEY,
    mail_id      TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    account      TEXT NOT NULL,  -- Twilio account the question is asked from
    sender       TEXT NOT NULL,  -- number or messaging service, as configured
    phone        TEXT NOT NULL,
    purpose      TEXT NOT NULL,  -- registration, password
    state        TEXT NOT NULL,  -- open, accepted, clicking, confirmed, failed, denied, expired,
                                 -- superseded, canceled
    outcome      TEXT NOT NULL,  -- what the click came to
    link         TEXT NOT NULL,  -- sealed; '' when Mailgun keeps it and after the end
    reply_code   TEXT NOT NULL,  -- four digits that tell questions apart
    clicks       BIGINT NOT NULL, -- how often a click was begun
    submitted_at BIGINT NOT NULL, -- when a form was about to be sent
    hinted_at    BIGINT NOT NULL, -- when the one hint was given
    late_at      BIGINT NOT NULL, -- when the one answer after the end was given
    wrong_codes  BIGINT NOT NULL,
    opened_at    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    accepted_at  BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX challenge_one_open ON challenge (tenant, phone, purpose) WHERE state = 'open';
CREATE INDEX challenge_of_phone ON challenge (account, sender, phone, opened_at);
CREATE INDEX challenge_of_mail ON challenge (mail_id);

CREATE TABLE text (
    id           TEXT PRIMARY KEY,
    challenge_id TEXT NOT NULL,  -- '' when it answers no question
    tenant       TEXT NOT NULL,
    account      TEXT NOT NULL,
    sender       TEXT NOT NULL,
    phone        TEXT NOT NULL,
    purpose      TEXT NOT NULL,  -- prompt, hint, outcome
    body         TEXT NOT NULL,  -- sealed until the text is final
    segments     BIGINT NOT NULL,
    state        TEXT NOT NULL,  -- due, sending, sent, delivered, undelivered, failed, unclear,
                                 -- suppressed
    provider_id  TEXT NOT NULL,
    error        TEXT NOT NULL,  -- the provider's code or our reason
    deadline     BIGINT NOT NULL, -- not worth sending later than this
    created_at   BIGINT NOT NULL,
    sending_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL
);
CREATE INDEX text_of_challenge ON text (challenge_id);
CREATE UNIQUE INDEX text_of_provider ON text (account, provider_id) WHERE provider_id <> '';

CREATE TABLE reply (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL,
    provider_id  TEXT NOT NULL,  -- Twilio's MessageSid
    sender       TEXT NOT NULL,  -- our number or messaging service it was sent to
    phone        TEXT NOT NULL,
    word         TEXT NOT NULL,  -- yes, no, stop, start, help, code, other
    challenge_id TEXT NOT NULL,  -- the question it answered, '' for none
    received_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX reply_same ON reply (account, provider_id);

CREATE TABLE opt_out (
    account TEXT NOT NULL,
    sender  TEXT NOT NULL,
    phone   TEXT NOT NULL,
    since   BIGINT NOT NULL,
    PRIMARY KEY (account, sender, phone)
);

CREATE TABLE seen (
    source TEXT NOT NULL,        -- whose event: mailgun
    tenant TEXT NOT NULL,
    id     TEXT NOT NULL,        -- the provider's single-use token
    digest TEXT NOT NULL,        -- SHA-256 of the content that came with it
    at     BIGINT NOT NULL,
    PRIMARY KEY (source, tenant, id)
);
CREATE INDEX seen_at ON seen (at);

CREATE TABLE event (
    id      TEXT PRIMARY KEY,    -- UUIDv7: sorts by time
    tenant  TEXT NOT NULL,
    subject TEXT NOT NULL,       -- id of the row it is about
    name    TEXT NOT NULL,       -- mail.received, challenge.opened, text.sent, …
    detail  TEXT NOT NULL,       -- short and without secrets
    at      BIGINT NOT NULL
);
CREATE INDEX event_of_subject ON event (subject);

-- +goose Down
DROP TABLE event;
DROP TABLE seen;
DROP TABLE opt_out;
DROP TABLE reply;
DROP TABLE text;
DROP TABLE challenge;
DROP TABLE mail;
