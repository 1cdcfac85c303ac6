-- Several providers of texts, and codes that Twilio Verify says, compares or wants to hear the
-- outcome of.

-- +goose Up
-- the provider that was asked last to send it: twilio, verify, flowroute, webhook
ALTER TABLE text ADD COLUMN provider TEXT NOT NULL DEFAULT '';

-- Twilio Verify's id of it, '' when Verify never texted its code
ALTER TABLE verification ADD COLUMN verify_sid TEXT NOT NULL DEFAULT '';
-- verify: the code that counts was drawn by Verify, which compares it
ALTER TABLE verification ADD COLUMN checker TEXT NOT NULL DEFAULT '';
-- what Verify made of the outcome: matched, unmatched, refused, given up
ALTER TABLE verification ADD COLUMN reported TEXT NOT NULL DEFAULT '';

CREATE TABLE code_check (
    id              TEXT PRIMARY KEY,
    verification_id TEXT NOT NULL,
    tenant          TEXT NOT NULL,
    code            TEXT NOT NULL,   -- sealed; '' after the verdict
    verdict         TEXT NOT NULL,   -- '' until Verify has answered; right, wrong, over
    asked_at        BIGINT NOT NULL
);
CREATE INDEX code_check_of_verification ON code_check (verification_id);
CREATE INDEX code_check_asked ON code_check (asked_at);

-- +goose Down
DROP TABLE code_check;
ALTER TABLE verification DROP COLUMN reported;
ALTER TABLE verification DROP COLUMN checker;
ALTER TABLE verification DROP COLUMN verify_sid;
ALTER TABLE text DROP COLUMN provider;
