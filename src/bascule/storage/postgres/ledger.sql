-- Statements of the ledger store. Many rows come as arrays, one for each column.

-- name: chain
SELECT chain_no FROM chains WHERE chain_id = %(chain_id)s

-- name: new_chain
INSERT INTO chains (chain_id, head_seq, head_chain) VALUES (%(chain_id)s, 0, '')
ON CONFLICT (chain_id) DO UPDATE SET chain_id = excluded.chain_id
RETURNING chain_no

-- name: move_head
UPDATE chains SET head_seq = %(seq)s, head_chain = %(chain)s WHERE chain_no = %(chain_no)s AND head_seq < %(seq)s

-- name: heads
SELECT chain_id, head_seq, head_chain FROM chains WHERE head_seq > 0 ORDER BY chain_id

-- name: insert_lines
INSERT INTO lines (line_no, kind, attempt_id, body, chain)
SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::bytea[], %b::text[])
ON CONFLICT DO NOTHING

-- name: insert_repeats
INSERT INTO lines (line_no, kind, attempt_id, body, chain)
SELECT given.line_no, 'repeat-' || given.kind, given.attempt_id, given.body, given.chain
FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::bytea[], %b::text[])
    AS given (line_no, kind, attempt_id, body, chain)
WHERE NOT EXISTS (SELECT 1 FROM lines WHERE lines.line_no = given.line_no)

-- name: insert_attempts
INSERT INTO attempts (
    intent_line, attempt_id, request_id, ts_start_ms, session_id, "key", org, team, project, "user", model,
    hold_nanousd, tags, held, settle_line, cost_nanousd, charged_nanousd
)
SELECT
    intent_line, attempt_id, request_id, ts_start_ms, session_id, "key", org, team, project, "user", model,
    hold_nanousd, tags::jsonb, held::jsonb, settle_line, cost_nanousd, charged_nanousd
FROM unnest(
    %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[]
) AS given (
    intent_line, attempt_id, request_id, ts_start_ms, session_id, "key", org, team, project, "user", model,
    hold_nanousd, tags, held, settle_line, cost_nanousd, charged_nanousd
)
ON CONFLICT DO NOTHING

-- name: settle_attempts
UPDATE attempts
SET settle_line = given.settle_line, cost_nanousd = given.cost_nanousd, charged_nanousd = given.charged_nanousd
FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bigint[])
    AS given (attempt_id, settle_line, cost_nanousd, charged_nanousd)
WHERE attempts.attempt_id = given.attempt_id AND attempts.settle_line IS NULL

-- name: insert_adjustments
INSERT INTO adjustments (adjustment_id, attempt_id, ts_ms, delta_nanousd, reason, "by")
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[])
ON CONFLICT DO NOTHING

-- name: insert_decisions
INSERT INTO decisions (request_id, line_no)
SELECT * FROM unnest(%b::text[], %b::bigint[])
ON CONFLICT DO NOTHING

-- name: open_attempts
SELECT chains.chain_id, lines.body
FROM attempts
JOIN lines ON lines.line_no = attempts.intent_line
JOIN chains ON chains.chain_no = attempts.intent_line >> 40
WHERE attempts.settle_line IS NULL AND attempts.intent_line >= %(low)s AND attempts.intent_line <= %(high)s
ORDER BY attempts.intent_line

-- name: spent
SELECT
    name,
    sum(CASE
        WHEN settle_line IS NULL THEN 0
        WHEN charged_nanousd IS NOT NULL THEN charged_nanousd + coalesce(delta, 0)
        WHEN cost_nanousd IS NULL AND delta IS NULL THEN coalesce(hold_nanousd, 0)
        ELSE coalesce(cost_nanousd, 0) + coalesce(delta, 0)
    END)::bigint,
    sum(CASE WHEN settle_line IS NULL THEN coalesce(hold_nanousd, 0) ELSE 0 END)::bigint
FROM (
    SELECT
        :column AS name, settle_line, cost_nanousd, charged_nanousd, hold_nanousd, held, ts_start_ms,
        (SELECT sum(delta_nanousd)::bigint FROM adjustments
         WHERE adjustments.attempt_id = attempts.attempt_id) AS delta
    FROM attempts
    WHERE ts_start_ms >= %(start_ms)s::bigint - %(margin_ms)s AND ts_start_ms < %(end_ms)s::bigint + %(margin_ms)s :only_those
) AS near
WHERE name IS NOT NULL AND CASE
    WHEN ts_start_ms >= %(start_ms)s::bigint + %(margin_ms)s
        AND ts_start_ms < %(end_ms)s::bigint - %(margin_ms)s THEN TRUE
    WHEN held IS NULL THEN ts_start_ms >= %(start_ms)s AND ts_start_ms < %(end_ms)s
    WHEN held @> jsonb_build_array(jsonb_build_array(%(prefix)s::text || name, %(window_id)s::text)) THEN TRUE
    WHEN held @> jsonb_build_array(jsonb_build_array(%(prefix)s::text || name, %(previous_id)s::text)) THEN FALSE
    WHEN held @> jsonb_build_array(jsonb_build_array(%(prefix)s::text || name, %(next_id)s::text)) THEN FALSE
    ELSE ts_start_ms >= %(start_ms)s AND ts_start_ms < %(end_ms)s
END
GROUP BY name

-- A part of `spent`: attempts that one chain began, or all but those of some chains.

-- name: only_chain
AND intent_line >> 40 IN (SELECT chain_no FROM chains WHERE chain_id = %(only)s)

-- name: without_chains
AND intent_line >> 40 IN (SELECT chain_no FROM chains WHERE chain_id <> ALL(%(without)s))
