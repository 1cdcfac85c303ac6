-- What operators look for: the questions of apps.

-- +goose Up
CREATE INDEX challenge_app ON challenge (id) WHERE purpose = 'app';

-- +goose Down
DROP INDEX challenge_app;
