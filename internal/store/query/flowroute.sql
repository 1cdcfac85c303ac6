-- name: TellExpired :execrows
UPDATE verification SET told_at = @now
WHERE tenant = @tenant AND door = @door AND external_id = @external_id AND state = 'expired' AND told_at = 0;
