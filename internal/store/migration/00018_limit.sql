-- What was texted, counted per window: in all, per country, tenant, asker, range of numbers and
-- phone. A key holds no number: a keyed digest stands for it. The row of a country also says
-- whether an operator holds its texts, and how many of its questions went unanswered. Money is in
-- millionths of a US dollar.

-- +goose Up
CREATE TABLE tally (
    key         TEXT PRIMARY KEY,
    window_at   BIGINT NOT NULL, -- when the hour or day began that is counted
    texts       BIGINT NOT NULL,
    segments    BIGINT NOT NULL,
    money       BIGINT NOT NULL,
    alerted     BIGINT NOT NULL, -- the share of the budget, in percent, that was alerted of
    recent      TEXT   NOT NULL, -- of a phone: when it was texted last, 13 digits each
    yes_at      BIGINT NOT NULL, -- of a phone: when it answered last
    answered    BIGINT NOT NULL,
    unanswered  BIGINT NOT NULL,
    open_at     BIGINT NOT NULL, -- since when the breaker is open, 0 when it is not
    probes      BIGINT NOT NULL, -- texts since it opened
    held_at     BIGINT NOT NULL  -- since when an operator holds it, 0 when none does
);
CREATE INDEX tally_window ON tally (window_at);
CREATE INDEX tally_held ON tally (key) WHERE held_at <> 0;

-- +goose Down
DROP TABLE tally;
