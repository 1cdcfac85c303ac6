-- The body of a mail, compressed and sealed, as bytes. Rows of older versions have it in the column
-- body, until they are examined.

-- +goose Up
ALTER TABLE mail ADD COLUMN packed BYTEA;

-- +goose Down
-- What is packed is of no use to an older version: it asks Mailgun for such a mail.
ALTER TABLE mail DROP COLUMN packed;
