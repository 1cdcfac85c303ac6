-- A question is about one link. Its digest is fixed when the prompt leaves, and a later mail can
-- only wait beside it. Wrong reply codes are counted per phone.

-- +goose Up
-- the address that the mail was for, exactly as delivered but for the domain's case
ALTER TABLE mail ADD COLUMN recipient TEXT NOT NULL DEFAULT '';

ALTER TABLE challenge ADD COLUMN recipient TEXT NOT NULL DEFAULT '';
-- SHA-256 of the one link that a yes opens; '' opens none
ALTER TABLE challenge ADD COLUMN digest TEXT NOT NULL DEFAULT '';
-- the sender of the mail with that link, when a signature proved it
ALTER TABLE challenge ADD COLUMN author TEXT NOT NULL DEFAULT '';
-- when the prompt began to leave: from then on the link is fixed
ALTER TABLE challenge ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0;
-- a later mail's link, for the case that this one is used or expired
ALTER TABLE challenge ADD COLUMN held_mail_id TEXT NOT NULL DEFAULT '';
ALTER TABLE challenge ADD COLUMN held_link TEXT NOT NULL DEFAULT '';
ALTER TABLE challenge ADD COLUMN held_digest TEXT NOT NULL DEFAULT '';
-- how many of the clicks were another link's
ALTER TABLE challenge ADD COLUMN clicks_before BIGINT NOT NULL DEFAULT 0;

DROP INDEX challenge_one_open;
CREATE UNIQUE INDEX challenge_one_open ON challenge (tenant, phone, recipient, purpose)
    WHERE state = 'open';

CREATE TABLE reply_guess (
    phone    TEXT PRIMARY KEY,
    wrong_at TEXT NOT NULL,       -- times of the last 24 hours' wrong codes, separated by spaces
    last_at  BIGINT NOT NULL      -- when a code was last texted
);
CREATE INDEX reply_guess_last ON reply_guess (last_at);

-- +goose Down
DROP TABLE reply_guess;

DROP INDEX challenge_one_open;
-- The older index has room for one open question of a phone, tenant and purpose.
UPDATE challenge SET state = 'superseded', link = '', ended_at = opened_at
WHERE state = 'open' AND EXISTS (
    SELECT 1 FROM challenge other
    WHERE other.tenant = challenge.tenant AND other.phone = challenge.phone
      AND other.purpose = challenge.purpose AND other.state = 'open' AND other.id > challenge.id
);
CREATE UNIQUE INDEX challenge_one_open ON challenge (tenant, phone, purpose) WHERE state = 'open';

ALTER TABLE challenge DROP COLUMN clicks_before;
ALTER TABLE challenge DROP COLUMN held_digest;
ALTER TABLE challenge DROP COLUMN held_link;
ALTER TABLE challenge DROP COLUMN held_mail_id;
ALTER TABLE challenge DROP COLUMN asked_at;
ALTER TABLE challenge DROP COLUMN author;
ALTER TABLE challenge DROP COLUMN digest;
ALTER TABLE challenge DROP COLUMN recipient;
ALTER TABLE mail DROP COLUMN recipient;
