-- name: cells
-- Tokens of attempts whose cost is not known are told apart: they are in no bill.
SELECT
  g0, g1, g2, g3,
  coalesce(sum(cost_nanousd), 0)::BIGINT, count(*) FILTER (cost_nanousd IS NULL),
  {tokens}, {unknown}
FROM framed
WHERE NOT open
GROUP BY g0, g1, g2, g3
ORDER BY ALL

-- name: people
-- A key stands for a user that nobody named, a request for a session.
SELECT
  count(DISTINCT coalesce("user", key, '')),
  count(DISTINCT session_key) + count(DISTINCT request_key) FILTER (session_id IS NULL),
  count(*),
  count(*) FILTER (coalesce("user", key) IS NULL),
  count(*) FILTER (session_id IS NULL)
FROM framed
WHERE NOT open
