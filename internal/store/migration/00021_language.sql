-- The language in which a phone was asked, and that of a short link's page, as a BCP 47 tag: '' in
-- rows of older versions, which spoke the tenant's.

-- +goose Up
ALTER TABLE challenge ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE short_link ADD COLUMN language TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE short_link DROP COLUMN language;
ALTER TABLE challenge DROP COLUMN language;
