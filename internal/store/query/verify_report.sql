-- name: AddVerifyReport :exec
INSERT INTO verify_report (id, tenant, phone, result, at) VALUES (@id, @tenant, @phone, '', @at);

-- name: GetVerifyReport :one
SELECT * FROM verify_report WHERE id = @id;

-- name: OpenVerifyReportsOfPhone :many
-- What Twilio Verify must still be told about a phone.
SELECT * FROM verify_report
WHERE tenant = @tenant AND phone = @phone AND result = '' AND at > @since
ORDER BY at LIMIT 10;

-- name: SetVerifyReportResult :execrows
UPDATE verify_report SET result = @result WHERE id = @id AND result = '';

-- name: DropVerifyReportsBefore :execrows
-- At most 1,000, so that no webhook waits behind them.
DELETE FROM verify_report WHERE id IN (
    SELECT r.id FROM verify_report r WHERE r.at < @at ORDER BY r.at LIMIT 1000
);
