-- name: chosen
CREATE TEMP TABLE chosen AS
SELECT session_id AS g0, min(ts_start_ms) AS first_ms, sum(cost_nanousd) AS cost, count(*) OVER () AS total
FROM sums AS a WHERE {where}
GROUP BY session_id
ORDER BY {order}, session_id NULLS LAST
LIMIT {top}

-- name: attempts_of_chosen
CREATE TEMP TABLE session_attempts AS
SELECT {columns} FROM attempts AS a
WHERE {where} AND EXISTS (SELECT 1 FROM chosen WHERE chosen.g0 IS NOT DISTINCT FROM a.session_id)

-- name: order
SELECT g0, total FROM chosen ORDER BY {order}, g0 NULLS LAST

-- name: models
SELECT session_id, agent_id, model, count(*) FROM session_attempts WHERE model IS NOT NULL
GROUP BY session_id, agent_id, model

-- name: who
SELECT session_id, {last} FROM session_attempts GROUP BY session_id

-- name: parents
SELECT session_id, agent_id, arg_max(parent_id, (ts_start_ms, attempt_no)) FILTER (parent_id IS NOT NULL)
FROM session_attempts GROUP BY session_id, agent_id

-- name: tags
SELECT session_id, tags FROM session_attempts GROUP BY session_id, tags ORDER BY max((ts_start_ms, attempt_no))
