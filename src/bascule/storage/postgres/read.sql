-- Statements that read rows, proofs and decisions. `:where` becomes a fixed text, see read.py.

-- name: attempts
SELECT
    intents.body, settlements.body, coalesce(settlements.chain, intents.chain),
    (SELECT sum(delta_nanousd)::bigint FROM adjustments WHERE adjustments.attempt_id = attempts.attempt_id)
FROM attempts
JOIN lines AS intents ON intents.line_no = attempts.intent_line
LEFT JOIN lines AS settlements ON settlements.line_no = attempts.settle_line
WHERE :where
ORDER BY :order

-- name: joined
SELECT
    attempts.attempt_id, attempts.request_id, attempts.ts_start_ms, attempts.session_id, attempts."key",
    attempts.org, attempts.team, attempts.project, attempts."user", attempts.model, attempts.hold_nanousd,
    attempts.tags::text, attempts.held::text, attempts.settle_line, attempts.cost_nanousd, attempts.charged_nanousd,
    intents.body, settlements.body
FROM attempts
LEFT JOIN lines AS intents ON intents.attempt_id = attempts.attempt_id AND intents.kind = 'intent'
LEFT JOIN lines AS settlements ON settlements.attempt_id = attempts.attempt_id AND settlements.kind = 'settle'
ORDER BY attempts.intent_line

-- name: lines_without_attempt
SELECT lines.attempt_id, lines.kind FROM lines
WHERE lines.kind IN ('intent', 'settle')
AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.attempt_id = lines.attempt_id)

-- name: lines_without_chain
SELECT lines.line_no >> 40, count(*) FROM lines
WHERE NOT EXISTS (SELECT 1 FROM chains WHERE chains.chain_no = lines.line_no >> 40) GROUP BY lines.line_no >> 40

-- name: misdirected_attempts
SELECT attempts.attempt_id
FROM attempts
LEFT JOIN lines AS intents ON intents.attempt_id = attempts.attempt_id AND intents.kind = 'intent'
LEFT JOIN lines AS settlements ON settlements.attempt_id = attempts.attempt_id AND settlements.kind = 'settle'
WHERE attempts.intent_line IS DISTINCT FROM intents.line_no
OR attempts.settle_line IS DISTINCT FROM settlements.line_no

-- name: chain_lines
SELECT line_no & 1099511627775, chain, body, kind, attempt_id FROM lines
WHERE line_no > %(chain_no)s::bigint << 40 AND line_no < (%(chain_no)s::bigint + 1) << 40
ORDER BY line_no

-- name: decisions
SELECT lines.body FROM lines
WHERE lines.line_no IN (
    SELECT decisions.line_no FROM decisions WHERE decisions.request_id = %(request_id)s
    UNION SELECT attempts.intent_line FROM attempts WHERE attempts.request_id = %(request_id)s
)
ORDER BY lines.line_no

-- name: known_attempts
SELECT attempt_id FROM attempts WHERE attempt_id = ANY(%(ids)s)

-- name: known_adjustments
SELECT adjustment_id FROM adjustments WHERE adjustment_id = ANY(%(ids)s)

-- name: adjusted
SELECT attempt_id, sum(delta_nanousd)::bigint FROM adjustments WHERE attempt_id = ANY(%(ids)s) GROUP BY attempt_id
