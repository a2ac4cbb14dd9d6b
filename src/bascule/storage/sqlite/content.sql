-- Statements of recorded content.

-- name: record
INSERT OR REPLACE INTO recordings (attempt_id, request_id, ts_ms, "user", session_id, sealed)
SELECT :attempt_id, :request_id, :ts_ms, :user, :session_id, :sealed
WHERE NOT EXISTS (
    SELECT 1 FROM erasures WHERE subject IN ('user:' || :user, 'session:' || :session_id) AND at_ms >= :ts_ms
)

-- name: of_request
SELECT attempt_id, sealed FROM recordings WHERE request_id = ? ORDER BY attempt_id

-- name: keep_reply
INSERT OR REPLACE INTO replies (name, until_ms, "user", session_id, sealed)
VALUES (:name, :until_ms, :user, :session_id, :sealed)

-- name: is_erased
SELECT 1 FROM erasures WHERE subject IN ('user:' || :user, 'session:' || :session_id) AND at_ms >= :ts_ms

-- name: note_erasure
INSERT INTO erasures (subject, at_ms) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)

-- name: end_erasures
DELETE FROM erasures WHERE at_ms < ?

-- name: reply
SELECT sealed FROM replies WHERE name = ? AND until_ms > ?

-- name: erase_recordings
DELETE FROM recordings WHERE "user" = :user OR session_id = :session_id

-- name: erase_replies
DELETE FROM replies WHERE "user" = :user OR session_id = :session_id

-- name: end_recordings
DELETE FROM recordings WHERE ts_ms < ?

-- name: end_replies
DELETE FROM replies WHERE until_ms <= ?
