-- What stays of a person when everything else is erased: a keyed digest of the phone, which has no
-- way back to the number. An opt-out is found by that digest from now on. Rows of older versions
-- have the number itself, until a worker replaces it.

-- +goose Up
-- what only this database may know, sealed: the key of the digests
CREATE TABLE secret (
    id     TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,   -- '': of all tenants
    value  TEXT NOT NULL    -- sealed
);

-- An opt-out holds for a line, with its account and sender. For a tenant the account is '/tenant'
-- and the sender its slug; for all the account is '/all' and there is no sender.
ALTER TABLE opt_out ADD COLUMN id TEXT NOT NULL DEFAULT '';
-- the slug of the tenant that it holds for, '' for a line and for all
ALTER TABLE opt_out ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
-- sealed: the number, '' once its person was erased
ALTER TABLE opt_out ADD COLUMN number TEXT NOT NULL DEFAULT '';
-- how the person said so: reply, provider, mail, phone, letter, other
ALTER TABLE opt_out ADD COLUMN via TEXT NOT NULL DEFAULT 'reply';
-- who recorded it: an operator or an API key, '' for the bridge itself
ALTER TABLE opt_out ADD COLUMN recorder TEXT NOT NULL DEFAULT '';
ALTER TABLE opt_out ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX opt_out_of_phone ON opt_out (phone);
CREATE INDEX opt_out_id ON opt_out (id);

-- +goose Down
-- An older version does not know digests, nor opt-outs of a tenant or of all. Export them before.
DROP INDEX opt_out_id;
DROP INDEX opt_out_of_phone;
DELETE FROM opt_out WHERE phone NOT LIKE '+%';
ALTER TABLE opt_out DROP COLUMN recorded_at;
ALTER TABLE opt_out DROP COLUMN recorder;
ALTER TABLE opt_out DROP COLUMN via;
ALTER TABLE opt_out DROP COLUMN number;
ALTER TABLE opt_out DROP COLUMN tenant;
ALTER TABLE opt_out DROP COLUMN id;
DROP TABLE secret;
