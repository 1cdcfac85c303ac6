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
DELETE FROM verify_report WHERE at < @at;
