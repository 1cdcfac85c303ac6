-- name: CountOperatorGuess :one
-- Counts one more wrong password, before it is compared, so that guesses at one time all count.
INSERT INTO operator_guess (who, wrong, began_at) VALUES (@who, 1, @now_at)
ON CONFLICT (who) DO UPDATE SET
    wrong = CASE WHEN operator_guess.began_at > @since_at THEN operator_guess.wrong + 1 ELSE 1 END,
    began_at = CASE WHEN operator_guess.began_at > @since_at THEN operator_guess.began_at
        ELSE excluded.began_at END
RETURNING wrong;

-- name: TakeBackOperatorGuess :execrows
-- The password was right.
UPDATE operator_guess SET wrong = wrong - 1 WHERE who = @who AND wrong > 0;

-- name: DropOperatorGuessesBefore :execrows
DELETE FROM operator_guess WHERE who IN (
    SELECT g.who FROM operator_guess g WHERE g.began_at < @at ORDER BY g.began_at LIMIT 1000
);
