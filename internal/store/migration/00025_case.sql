-- What an operator is told of a case. Its id is that of the mail, verification, reply or text with
-- which it began. A question has the id of its mail; those of older versions have one of their own.

-- +goose Up
-- what was found in the mail: its sender, its links as host and path, and why; JSON, '' before
ALTER TABLE mail ADD COLUMN found TEXT NOT NULL DEFAULT '';
-- how its clicks went, step by step; JSON, '' before the first has ended
ALTER TABLE challenge ADD COLUMN click TEXT NOT NULL DEFAULT '';
-- the case, where neither a question nor a verification names it
ALTER TABLE text ADD COLUMN case_id TEXT NOT NULL DEFAULT '';
-- the key of its words, '' for those of a caller, and their language as a BCP 47 tag
ALTER TABLE text ADD COLUMN wording TEXT NOT NULL DEFAULT '';
ALTER TABLE text ADD COLUMN language TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE text DROP COLUMN language;
ALTER TABLE text DROP COLUMN wording;
ALTER TABLE text DROP COLUMN case_id;
ALTER TABLE challenge DROP COLUMN click;
ALTER TABLE mail DROP COLUMN found;
