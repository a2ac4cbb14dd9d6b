-- Statements of what became of sessions.

-- name: add
INSERT INTO outcomes (session_id, request_id, part, work, at_ms, outcome, score, source, note)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: all
SELECT session_id, request_id, part, work, at_ms, outcome, score, source, note FROM outcomes
WHERE %(session_id)s::text IS NULL OR session_id = %(session_id)s
ORDER BY outcome_no

-- name: current
SELECT session_id, request_id, part, work, at_ms, outcome, score, source, note FROM outcomes
WHERE outcome_no IN (SELECT max(outcome_no) FROM outcomes GROUP BY session_id, request_id, part, source)
AND (outcome IS NOT NULL OR score IS NOT NULL)
ORDER BY outcome_no
