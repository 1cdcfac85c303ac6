-- The pages for operators: who is logged in, who guesses at passwords, and who did what.

-- +goose Up
CREATE TABLE operator_session (
    id        TEXT PRIMARY KEY,  -- a digest of what the browser's cookie has
    name      TEXT NOT NULL,
    proof     TEXT NOT NULL,     -- a digest of the password's hash and of the role
    opened_at BIGINT NOT NULL,
    used_at   BIGINT NOT NULL    -- at most a minute old
);
CREATE INDEX operator_session_used ON operator_session (used_at);

CREATE TABLE operator_guess (
    who      TEXT PRIMARY KEY,   -- a digest of a name, or of where a request comes from
    wrong    BIGINT NOT NULL,    -- passwords that were presented in the window and not right
    began_at BIGINT NOT NULL     -- when the window began
);
CREATE INDEX operator_guess_began ON operator_guess (began_at);

CREATE TABLE operator_act (
    id       TEXT PRIMARY KEY,   -- UUIDv7: sorts by time
    operator TEXT NOT NULL,
    act      TEXT NOT NULL,      -- login, hold, optout.add, …
    subject  TEXT NOT NULL,      -- on what: an id, a tenant, a masked number
    detail   TEXT NOT NULL,      -- short and without secrets
    at       BIGINT NOT NULL
);

-- +goose Down
DROP TABLE operator_act;
DROP TABLE operator_guess;
DROP TABLE operator_session;
