-- Statements that read rows, proofs and decisions. `:where` becomes a fixed text, see read.py.

-- name: attempts
SELECT
    intents.body, settlements.body, coalesce(settlements.chain, intents.chain),
    (SELECT sum(delta_nanousd) FROM adjustments WHERE adjustments.attempt_id = attempts.attempt_id)
FROM attempts
JOIN lines AS intents ON intents.line_no = attempts.intent_line
LEFT JOIN lines AS settlements ON settlements.line_no = attempts.settle_line
WHERE :where
ORDER BY attempts.ts_start_ms, attempts.attempt_id

-- name: attempts_by_request
-- Sorted by what is short: the bodies of a month do not fit into memory.
SELECT
    intents.body, settlements.body, coalesce(settlements.chain, intents.chain),
    (SELECT sum(delta_nanousd) FROM adjustments WHERE adjustments.attempt_id = chosen.attempt_id)
FROM (
    SELECT attempts.attempt_id, attempts.intent_line, attempts.settle_line FROM attempts
    WHERE :where ORDER BY attempts.request_id, attempts.attempt_id LIMIT -1
) AS chosen
CROSS JOIN lines AS intents ON intents.line_no = chosen.intent_line
LEFT JOIN lines AS settlements ON settlements.line_no = chosen.settle_line

-- name: joined
SELECT
    attempts.attempt_id, attempts.request_id, attempts.ts_start_ms, attempts.session_id, attempts."key",
    attempts.org, attempts.team, attempts.project, attempts."user", attempts.model, attempts.hold_nanousd,
    attempts.tags, attempts.held, attempts.settle_line, attempts.cost_nanousd, attempts.charged_nanousd,
    intents.body, settlements.body
FROM attempts
LEFT JOIN lines AS intents ON intents.attempt_id = attempts.attempt_id AND intents.kind = 'intent'
LEFT JOIN lines AS settlements ON settlements.attempt_id = attempts.attempt_id AND settlements.kind = 'settle'
ORDER BY attempts.intent_line

-- name: lines_without_attempt
SELECT lines.attempt_id, lines.kind FROM lines
WHERE lines.kind IN ('intent', 'settle') AND lines.attempt_id NOT IN (SELECT attempt_id FROM attempts)

-- name: lines_without_chain
SELECT lines.chain_no, count(*) FROM lines
WHERE lines.chain_no NOT IN (SELECT chain_no FROM chains) GROUP BY lines.chain_no

-- name: misdirected_attempts
SELECT attempts.attempt_id
FROM attempts
LEFT JOIN lines AS intents ON intents.attempt_id = attempts.attempt_id AND intents.kind = 'intent'
LEFT JOIN lines AS settlements ON settlements.attempt_id = attempts.attempt_id AND settlements.kind = 'settle'
WHERE attempts.intent_line IS NOT intents.line_no OR attempts.settle_line IS NOT settlements.line_no

-- name: chain_lines
SELECT lines.seq, lines.chain, lines.body, lines.kind, lines.attempt_id
FROM lines
WHERE lines.line_no > :chain_no << 40 AND lines.line_no < (:chain_no + 1) << 40
ORDER BY lines.line_no

-- name: decisions
SELECT lines.body FROM lines
WHERE lines.line_no IN (
    SELECT decisions.line_no FROM decisions WHERE decisions.request_id = :request_id
    UNION SELECT attempts.intent_line FROM attempts WHERE attempts.request_id = :request_id
)
ORDER BY lines.line_no

-- name: known_attempts
SELECT attempt_id FROM attempts WHERE attempt_id IN (SELECT value FROM json_each(?))

-- name: known_adjustments
SELECT adjustment_id FROM adjustments WHERE adjustment_id IN (SELECT value FROM json_each(?))

-- name: adjusted
SELECT attempt_id, sum(delta_nanousd) FROM adjustments
WHERE attempt_id IN (SELECT value FROM json_each(?)) GROUP BY attempt_id
