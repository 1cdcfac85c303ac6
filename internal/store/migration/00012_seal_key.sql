-- The keys that may have sealed a value, by their ids, so that a bridge with another key does not
-- start. A sealed value is "v1.KEYID.…" with a key id of eight characters.

-- +goose Up
CREATE TABLE seal_key (id TEXT PRIMARY KEY);

INSERT INTO seal_key (id)
SELECT DISTINCT substr(value, 4, 8) FROM (
    SELECT body AS value FROM mail WHERE body <> ''
    UNION ALL SELECT link FROM challenge WHERE link <> ''
    UNION ALL SELECT held_link FROM challenge WHERE held_link <> ''
    UNION ALL SELECT body FROM text WHERE body <> ''
    UNION ALL SELECT code FROM verification WHERE code <> ''
    UNION ALL SELECT code FROM code_check WHERE code <> ''
    UNION ALL SELECT link FROM short_link WHERE link <> ''
) AS sealed;

-- +goose Down
DROP TABLE seal_key;
