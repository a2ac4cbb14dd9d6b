-- Statements of trials and compared pairs.

-- name: open
INSERT INTO trials (trial_id, route, task, challenger, version, body) VALUES (%s, %s, %s, %s, 1, %s)
ON CONFLICT (trial_id) DO NOTHING

-- name: trial
SELECT trial_id, body, version FROM trials WHERE trial_id = %s

-- name: trials
SELECT trial_id, body, version FROM trials ORDER BY route, task, challenger, trial_id

-- name: save
UPDATE trials SET body = %(body)s, version = version + 1
WHERE trial_id = %(trial_id)s AND version = %(version)s

-- name: count_session
INSERT INTO counted_sessions (trial_id, session_id) VALUES (%s, %s) ON CONFLICT DO NOTHING

-- name: enrol
INSERT INTO compared_pairs (
    pair_id, trial_id, request_id, session_id, enrolled_ms, graded_ms, difference, grader, label,
    shadow_nanousd, judge_nanousd
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: grade
UPDATE compared_pairs SET graded_ms = %(graded_ms)s, difference = %(difference)s, grader = %(grader)s,
    shadow_nanousd = %(shadow_nanousd)s, judge_nanousd = %(judge_nanousd)s
WHERE pair_id = %(pair_id)s

-- name: withdraw
DELETE FROM compared_pairs WHERE pair_id = %s

-- name: label
UPDATE compared_pairs SET label = %s WHERE pair_id = %s

-- name: forget_pairs
DELETE FROM compared_pairs WHERE enrolled_ms < %s

-- name: forget_sessions
DELETE FROM counted_sessions WHERE NOT EXISTS (
    SELECT 1 FROM compared_pairs AS p
    WHERE p.trial_id = counted_sessions.trial_id AND p.session_id = counted_sessions.session_id
)

-- name: waiting
SELECT pair_id, trial_id, request_id, session_id, enrolled_ms, graded_ms, difference, grader, label,
    shadow_nanousd, judge_nanousd
FROM compared_pairs AS p
WHERE trial_id = %(trial_id)s AND label IS NULL AND NOT EXISTS (
    SELECT 1 FROM counted_sessions AS c WHERE c.trial_id = p.trial_id AND c.session_id = p.session_id
)
ORDER BY enrolled_ms, pair_id

-- name: labelled
SELECT pair_id, trial_id, request_id, session_id, enrolled_ms, graded_ms, difference, grader, label,
    shadow_nanousd, judge_nanousd
FROM compared_pairs WHERE trial_id = %(trial_id)s AND label IS NOT NULL ORDER BY enrolled_ms, pair_id

-- name: pairs_of
SELECT pair_id, trial_id, request_id, session_id, enrolled_ms, graded_ms, difference, grader, label,
    shadow_nanousd, judge_nanousd
FROM compared_pairs WHERE request_id = %(request_id)s ORDER BY enrolled_ms, pair_id
