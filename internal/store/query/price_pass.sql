-- name: GetPricePass :one
SELECT next_id FROM price_pass WHERE name = @name;

-- name: SetPricePass :exec
-- A replica that was slower does not put it back.
INSERT INTO price_pass (name, next_id) VALUES (@name, @next_id)
ON CONFLICT (name) DO UPDATE SET next_id = excluded.next_id
WHERE price_pass.next_id < excluded.next_id;
