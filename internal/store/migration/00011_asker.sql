-- Wrong codes count against a phone and the class of who asked for the code. A code that no
-- provider takes ends its verification, with a reason.

-- +goose Up
-- who asked: claim, app or typed. A form whose asker is not known any more counts as typed.
ALTER TABLE verification ADD COLUMN asker TEXT NOT NULL DEFAULT 'app';
-- a digest of whom the asker spoke for, '' when the asker did not say
ALTER TABLE verification ADD COLUMN subject TEXT NOT NULL DEFAULT '';
-- why a failed one failed, '' for any other
ALTER TABLE verification ADD COLUMN reason TEXT NOT NULL DEFAULT '';
UPDATE verification SET asker = 'typed' WHERE door = 'auth0';

-- through which door Twilio Verify was asked, and a digest of where the request came from
ALTER TABLE code_check ADD COLUMN door TEXT NOT NULL DEFAULT '';
ALTER TABLE code_check ADD COLUMN source TEXT NOT NULL DEFAULT '';

DROP INDEX guess_last;
ALTER TABLE guess RENAME TO guess_of_phone;
CREATE TABLE guess (
    tenant   TEXT NOT NULL,
    phone    TEXT NOT NULL,
    asker    TEXT NOT NULL,       -- claim, app, typed or reply; or app, a slash and a subject
    wrong_at TEXT NOT NULL,       -- times of the last 24 hours' wrong codes, separated by spaces
    last_at  BIGINT NOT NULL,     -- when a code was last presented
    PRIMARY KEY (tenant, phone, asker)
);
CREATE INDEX guess_last ON guess (last_at);
-- Who asked was not kept. The wrong codes count in every class, so that no asker gains a guess.
INSERT INTO guess (tenant, phone, asker, wrong_at, last_at)
SELECT g.tenant, g.phone, a.asker, g.wrong_at, g.last_at
FROM guess_of_phone g
CROSS JOIN (SELECT 'claim' AS asker UNION ALL SELECT 'app' UNION ALL SELECT 'typed'
    UNION ALL SELECT 'reply') a;
DROP TABLE guess_of_phone;

-- who must pause between codes of phones that were typed: a log-in subject, or where requests come
-- from
CREATE TABLE pause (
    tenant   TEXT NOT NULL,
    who      TEXT NOT NULL,       -- subject or source, a slash and a digest
    wrong_at TEXT NOT NULL,       -- as in guess
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, who)
);
CREATE INDEX pause_last ON pause (last_at);

-- +goose Down
DROP TABLE pause;
DROP INDEX guess_last;
ALTER TABLE guess RENAME TO guess_of_asker;
CREATE TABLE guess (
    tenant   TEXT NOT NULL,
    phone    TEXT NOT NULL,
    wrong_at TEXT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, phone)
);
CREATE INDEX guess_last ON guess (last_at);
INSERT INTO guess (tenant, phone, wrong_at, last_at)
SELECT tenant, phone, MAX(wrong_at), MAX(last_at) FROM guess_of_asker GROUP BY tenant, phone;
DROP TABLE guess_of_asker;
ALTER TABLE code_check DROP COLUMN source;
ALTER TABLE code_check DROP COLUMN door;
ALTER TABLE verification DROP COLUMN reason;
ALTER TABLE verification DROP COLUMN subject;
ALTER TABLE verification DROP COLUMN asker;
