-- Statements of the ledger store. `:rows` becomes as many tuples of placeholders as there are rows.

-- name: chain
SELECT chain_no, head_seq FROM chains WHERE chain_id = ?

-- name: new_chain
INSERT INTO chains (chain_id, head_seq, head_chain) VALUES (?, 0, '')

-- name: move_head
UPDATE chains SET head_seq = :seq, head_chain = :chain WHERE chain_no = :chain_no AND head_seq < :seq

-- name: heads
SELECT chain_id, head_seq, head_chain FROM chains WHERE head_seq > 0 ORDER BY chain_id

-- name: insert_lines
INSERT INTO lines (line_no, kind, attempt_id, body, chain) VALUES :rows ON CONFLICT DO NOTHING

-- name: has_line
SELECT 1 FROM lines WHERE line_no = ?

-- name: insert_repeat
INSERT INTO lines (line_no, kind, attempt_id, body, chain) VALUES (?, 'repeat-' || ?, ?, ?, ?)

-- name: insert_attempts
INSERT INTO attempts (
    intent_line, attempt_id, request_id, ts_start_ms, session_id, "key", org, team, project, "user", model,
    hold_nanousd, tags, held, settle_line, cost_nanousd, charged_nanousd
) VALUES :rows
ON CONFLICT DO NOTHING

-- name: settle_attempts
WITH given (attempt_id, settle_line, cost_nanousd, charged_nanousd) AS (VALUES :rows)
UPDATE attempts
SET settle_line = given.settle_line, cost_nanousd = given.cost_nanousd, charged_nanousd = given.charged_nanousd
FROM given
WHERE attempts.attempt_id = given.attempt_id AND attempts.settle_line IS NULL

-- name: insert_adjustment
INSERT INTO adjustments (adjustment_id, attempt_id, ts_ms, delta_nanousd, reason, "by") VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING

-- name: insert_decisions
INSERT INTO decisions (request_id, line_no) VALUES :rows ON CONFLICT DO NOTHING

-- name: open_attempts
SELECT chains.chain_id, lines.body
FROM attempts JOIN lines ON lines.line_no = attempts.intent_line JOIN chains ON chains.chain_no = lines.chain_no
WHERE attempts.settle_line IS NULL AND attempts.intent_line >= ? AND attempts.intent_line <= ?
ORDER BY attempts.intent_line

-- name: spent
SELECT
    name,
    sum(CASE
        WHEN settle_line IS NULL THEN 0
        WHEN charged_nanousd IS NOT NULL THEN charged_nanousd + coalesce(delta, 0)
        WHEN cost_nanousd IS NULL AND delta IS NULL THEN coalesce(hold_nanousd, 0)
        ELSE coalesce(cost_nanousd, 0) + coalesce(delta, 0)
    END),
    sum(CASE WHEN settle_line IS NULL THEN coalesce(hold_nanousd, 0) ELSE 0 END)
FROM (
    SELECT
        :column AS name, settle_line, cost_nanousd, charged_nanousd, hold_nanousd, held, ts_start_ms,
        (SELECT sum(delta_nanousd) FROM adjustments WHERE adjustments.attempt_id = attempts.attempt_id) AS delta
    FROM attempts
    WHERE ts_start_ms >= :start_ms - :margin_ms AND ts_start_ms < :end_ms + :margin_ms :only_those
)
WHERE name IS NOT NULL AND CASE
    WHEN ts_start_ms >= :start_ms + :margin_ms AND ts_start_ms < :end_ms - :margin_ms THEN 1
    WHEN held IS NULL THEN ts_start_ms >= :start_ms AND ts_start_ms < :end_ms
    WHEN instr(held, json_array(:prefix || name, :window_id)) THEN 1
    WHEN instr(held, json_array(:prefix || name, :previous_id)) THEN 0
    WHEN instr(held, json_array(:prefix || name, :next_id)) THEN 0
    ELSE ts_start_ms >= :start_ms AND ts_start_ms < :end_ms
END
GROUP BY name

-- A part of `spent`: attempts that one chain began, or all but those of some chains.

-- name: only_chain
AND intent_line >> 40 IN (SELECT chain_no FROM chains WHERE chain_id = :only)

-- name: without_chains
AND intent_line >> 40 IN (SELECT chain_no FROM chains WHERE chain_id NOT IN (SELECT value FROM json_each(:without)))
