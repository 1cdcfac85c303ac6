-- What Twilio Verify must be told of codes that it texted for others than the bridge; rows of
-- verification that only stand for such a report move here. And the lock that lets Auth0's requests
-- about one phone pass one after the other.

-- +goose Up
CREATE TABLE verify_report (
    id     TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    phone  TEXT NOT NULL,   -- by which Verify knows its verification
    result TEXT NOT NULL,   -- '' until Verify has heard; matched, unmatched, refused, given up
    at     BIGINT NOT NULL  -- when Auth0 said that the code was right
);
CREATE INDEX verify_report_of_phone ON verify_report (tenant, phone, at);
CREATE INDEX verify_report_at ON verify_report (at);

INSERT INTO verify_report (id, tenant, phone, result, at)
SELECT id, tenant, phone, reported, ended_at FROM verification WHERE door = 'auth0_feedback';
DELETE FROM verification WHERE door = 'auth0_feedback';

CREATE TABLE auth0_lock (
    tenant TEXT NOT NULL,
    phone  TEXT NOT NULL,
    at     BIGINT NOT NULL, -- when a request about this phone came last
    PRIMARY KEY (tenant, phone)
);
CREATE INDEX auth0_lock_at ON auth0_lock (at);

-- +goose Down
DROP TABLE auth0_lock;
INSERT INTO verification (id, tenant, door, external_id, account, sender, phone, locale, state,
    code, renew, attempts, max_attempts, max_wrong, sends, max_sends, gap, notify, opened_at,
    sent_at, expires_at, ended_at, verify_sid, reported)
SELECT id, tenant, 'auth0_feedback', '', '', '', phone, '', 'approved', '', 0, 0, 0, 0, 0, 0, 0, 0,
    at, at, at, at, phone, result
FROM verify_report;
DROP TABLE verify_report;
