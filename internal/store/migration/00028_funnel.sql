-- What operators count and look for: mails by country and identity provider, callbacks by state
-- with their tries, and the questions of apps.

-- +goose Up
-- where the phone is, ISO 3166-1; '' when its number does not say, and of mails of older versions
ALTER TABLE mail ADD COLUMN country TEXT NOT NULL DEFAULT '';
-- the identity provider whose mail it is; '' before the examination, and when none is known
ALTER TABLE mail ADD COLUMN provider TEXT NOT NULL DEFAULT '';
-- how its last tries went; JSON, '' before the first has ended
ALTER TABLE callback ADD COLUMN tries TEXT NOT NULL DEFAULT '';
CREATE INDEX callback_state ON callback (state, id);
DROP INDEX callback_failed;
CREATE INDEX challenge_app ON challenge (id) WHERE purpose = 'app';

-- +goose Down
DROP INDEX challenge_app;
CREATE INDEX callback_failed ON callback (id) WHERE state IN ('dead', 'gone');
DROP INDEX callback_state;
ALTER TABLE callback DROP COLUMN tries;
ALTER TABLE mail DROP COLUMN provider;
ALTER TABLE mail DROP COLUMN country;
