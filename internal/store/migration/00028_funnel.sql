-- What operators count and look for: mails by country and identity provider, and the questions of
-- apps.

-- +goose Up
-- where the phone is, ISO 3166-1; '' when its number does not say, and of mails of older versions
ALTER TABLE mail ADD COLUMN country TEXT NOT NULL DEFAULT '';
-- the identity provider whose mail it is; '' before the examination, and when none is known
ALTER TABLE mail ADD COLUMN provider TEXT NOT NULL DEFAULT '';
CREATE INDEX challenge_app ON challenge (id) WHERE purpose = 'app';

-- +goose Down
DROP INDEX challenge_app;
ALTER TABLE mail DROP COLUMN provider;
ALTER TABLE mail DROP COLUMN country;
