-- An operator is told what became of the text that passed on what a mail had. Such a text names its
-- mail. Texts of questions and codes name no case here, so that they pay for no entry.

-- +goose Up
CREATE INDEX text_of_case ON text (case_id) WHERE case_id <> '';

-- +goose Down
DROP INDEX text_of_case;
