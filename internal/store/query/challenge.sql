-- name: AddChallenge :execrows
INSERT INTO challenge (id, mail_id, tenant, account, sender, phone, recipient, purpose, state,
    outcome, link, digest, author, reply_code, clicks, submitted_at, hinted_at, late_at,
    wrong_codes, opened_at, expires_at, accepted_at, ended_at, coded, language, test, reference)
VALUES (@id, @mail_id, @tenant, @account, @sender, @phone, @recipient, @purpose, @state,
    '', @link, @digest, @author, @reply_code, 0, 0, 0, 0, 0,
    @opened_at, @expires_at, 0, 0, @coded, @language, @test, @reference)
ON CONFLICT DO NOTHING;

-- name: GetChallenge :one
SELECT * FROM challenge WHERE id = @id;

-- name: GetOpenChallenge :one
-- The CAST: see TestPreparedOnce.
SELECT * FROM challenge
WHERE tenant = @tenant AND phone = @phone AND recipient = @recipient
  AND purpose = CAST(@purpose AS TEXT) AND state = 'open';

-- name: AskedOpenChallenges :many
-- The open questions whose prompt was handed to a provider, and those to test numbers, whose prompt
-- never is. Their deadline may have passed.
SELECT * FROM challenge
WHERE challenge.account = @account AND challenge.sender = @sender AND challenge.phone = @phone
  AND challenge.state = 'open'
  AND (challenge.test <> 0 OR EXISTS (SELECT 1 FROM text
              WHERE text.challenge_id = challenge.id AND text.challenge_id <> ''
                AND text.purpose = 'prompt'
                AND text.state IN ('sending', 'sent', 'delivered', 'undelivered', 'unclear')))
ORDER BY challenge.opened_at;

-- name: OpenChallengesOfPhone :many
SELECT * FROM challenge
WHERE account = @account AND sender = @sender AND phone = @phone AND state = 'open'
ORDER BY opened_at;

-- name: LastChallengesOfPhone :many
SELECT * FROM challenge
WHERE account = @account AND sender = @sender AND phone = @phone
ORDER BY opened_at DESC LIMIT 20;

-- name: MistakableChallenges :many
-- The questions to a phone that a reply might be meant for: those without an end, and those whose
-- end no text told the phone, since a time. One whose deadline has passed may still say open.
SELECT * FROM challenge
WHERE account = @account AND sender = @sender AND phone = @phone
  AND (state IN ('open', 'accepted', 'clicking')
       OR ended_at > @since AND (state IN ('expired', 'superseded')
              OR state = 'canceled' AND outcome IN ('app', 'wrong codes')
              OR state = 'confirmed' AND purpose = 'app'))
ORDER BY opened_at, id;

-- name: OverdueChallenges :many
SELECT * FROM challenge WHERE state = 'open' AND expires_at <= @now ORDER BY expires_at LIMIT @most;

-- name: MarkAsked :execrows
-- From here on the question is about this one link.
UPDATE challenge SET asked_at = CASE WHEN asked_at = 0 THEN @now ELSE asked_at END
WHERE id = @id AND state = 'open';

-- name: ReplaceLink :execrows
-- Only while the prompt has not begun to leave, and never that of another or better proved sender.
UPDATE challenge SET link = @link, digest = @digest, author = @author, mail_id = @mail_id
WHERE id = @id AND state = 'open' AND asked_at = 0 AND (author = '' OR author = @author);

-- name: HoldLink :execrows
UPDATE challenge
SET held_link = @held_link, held_digest = @held_digest, held_mail_id = @held_mail_id
WHERE id = @id AND state IN ('open', 'accepted', 'clicking');

-- name: TakeHeldLink :execrows
-- The held link takes the place of one that was clicked in vain. Its click is still to come.
UPDATE challenge
SET link = @link, digest = held_digest, mail_id = held_mail_id,
    held_link = '', held_digest = '', held_mail_id = '',
    state = 'accepted', submitted_at = 0, clicks_before = clicks, begun_at = @begun_at,
    click = @click
WHERE id = @id AND state = 'clicking' AND mail_id = @mail_id AND held_mail_id = @held_mail_id;

-- name: AcceptChallenge :execrows
UPDATE challenge SET state = 'accepted', accepted_at = @now, begun_at = @begun_at
WHERE id = @id AND state = 'open' AND expires_at > @now;

-- name: ConfirmChallenge :execrows
-- An app's question has no link.
UPDATE challenge SET state = 'confirmed', accepted_at = @now, ended_at = @now
WHERE id = @id AND state = 'open' AND expires_at > @now;

-- name: ClicksBegunBefore :many
SELECT id FROM challenge
WHERE state IN ('accepted', 'clicking') AND begun_at <> 0 AND begun_at < @before
ORDER BY begun_at LIMIT @most;

-- name: LeaveClick :exec
UPDATE challenge SET begun_at = 0 WHERE id = @id;

-- name: BeginClick :execrows
UPDATE challenge SET state = 'clicking', clicks = clicks + 1
WHERE id = @id AND state = @state AND clicks = @clicks;

-- name: UndoClick :execrows
UPDATE challenge SET state = 'accepted', clicks = clicks - 1, click = @click
WHERE id = @id AND state = 'clicking' AND clicks = @clicks AND submitted_at = 0;

-- name: MarkSubmitted :execrows
UPDATE challenge SET submitted_at = @submitted_at
WHERE id = @id AND mail_id = @mail_id AND state = 'clicking' AND submitted_at = 0;

-- name: EndChallenge :execrows
UPDATE challenge
SET state = @state, outcome = @outcome, link = '', digest = '', held_link = '', held_digest = '',
    held_mail_id = '', ended_at = @ended_at
WHERE id = @id AND state = @from_state;

-- name: EndClick :execrows
-- A click that was overtaken must not end that of the link which took its link's place.
UPDATE challenge
SET state = @state, outcome = @outcome, click = @click, link = '', digest = '', held_link = '',
    held_digest = '', held_mail_id = '', ended_at = @ended_at
WHERE id = @id AND state = 'clicking' AND mail_id = @mail_id;

-- name: MarkHinted :execrows
UPDATE challenge SET hinted_at = @hinted_at WHERE id = @id AND hinted_at = 0;

-- name: MarkLate :execrows
UPDATE challenge SET late_at = @late_at WHERE id = @id AND late_at = 0;

-- name: CountWrongCode :one
UPDATE challenge SET wrong_codes = wrong_codes + 1
WHERE id = @id AND state = 'open'
RETURNING wrong_codes;

-- name: DropChallenges :execrows
-- As DropMails.
DELETE FROM challenge WHERE id IN (
    SELECT c.id FROM challenge c
    WHERE c.id < @first_kept AND c.state NOT IN ('open', 'accepted', 'clicking')
      AND c.ended_at < @at
    ORDER BY c.id LIMIT 1000
);

-- name: ChallengesOfPhone :many
-- For an operator. It reads the whole table: no flow pays for an index by phone.
SELECT * FROM challenge WHERE phone IN (@phone, @gone);

-- name: PhonesOfChallenge :many
-- For an operator, as ChallengesOfPhone. An app may have a reference for several questions.
SELECT DISTINCT phone FROM challenge
WHERE id = @key OR reference = @key AND reference <> '' LIMIT 2;

-- name: NewestAppQuestions :many
-- The newest questions of apps before an id, each with its prompts.
SELECT c.id, c.tenant, c.phone, c.purpose, c.state, c.outcome, c.opened_at, c.expires_at,
    COALESCE(t.state, '') AS texted, COALESCE(t.error, '') AS text_error
FROM challenge c
LEFT JOIN text t ON t.challenge_id = c.id AND t.challenge_id <> '' AND t.purpose = 'prompt'
WHERE c.purpose = 'app' AND c.id < @before
ORDER BY c.id DESC LIMIT @most;
