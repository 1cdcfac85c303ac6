-- Whether an instance of Azure Durable Functions still needs a verification, which else goes after
-- its retention.

-- +goose Up
CREATE INDEX durable_instance_of_verification ON durable_instance (verification_id)
    WHERE verification_id <> '';

-- +goose Down
DROP INDEX durable_instance_of_verification;
