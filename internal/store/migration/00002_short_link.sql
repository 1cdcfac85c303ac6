-- Answering by a tap, relaying links, and questions that only a reply with their code answers.

-- +goose Up
CREATE TABLE short_link (
    id           TEXT PRIMARY KEY, -- SHA-256 of the token, in hex
    tenant       TEXT NOT NULL,
    challenge_id TEXT NOT NULL,    -- the question it answers, '' when it leads on
    link         TEXT NOT NULL,    -- sealed: where it leads on to
    expires_at   BIGINT NOT NULL
);
CREATE INDEX short_link_end ON short_link (expires_at);
-- 1: a yes must carry the reply code
ALTER TABLE challenge ADD COLUMN coded BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE challenge DROP COLUMN coded;
DROP TABLE short_link;
