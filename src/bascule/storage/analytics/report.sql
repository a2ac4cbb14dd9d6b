-- name: ranks
-- What order many groups are in, before anything else is known of them.
CREATE TEMP TABLE ranks AS
SELECT {g}, sum(cost_nanousd) AS cost_nanousd, sum(tokens) AS tokens FROM framed_sums GROUP BY {g}

-- name: size
SELECT count(*) FROM {table}

-- name: chosen
CREATE TEMP TABLE chosen AS
SELECT {g}, row_number() OVER (ORDER BY {order}) AS place FROM {table} ORDER BY place LIMIT {top}

-- name: picked
-- The chosen groups by their places, and all others as one without a place.
CREATE TEMP VIEW {name} AS
SELECT chosen.place AS g0, p.* EXCLUDE ({g}) FROM {source} AS p LEFT JOIN chosen ON {same_group}

-- name: places
SELECT place, {g} FROM chosen ORDER BY place

-- name: fetch
SELECT {g}, {fields} FROM {table} ORDER BY {order}

-- name: total
-- Sums of groups add up; requests do not, they are counted again.
SELECT
  {sums},
  min(first_ms) AS first_ms,
  max(last_ms) AS last_ms,
  sum(lone) + (SELECT count(*) FROM several) AS requests,
  sum(lone_failed) + (SELECT count(*) FILTER (standing % 2 = 1) FROM several) AS failed_requests
FROM {table}

-- name: runs
-- What each session cost in each group, by work.
CREATE TEMP TABLE runs AS
SELECT {g}, session_key, work, sum(cost_nanousd)::BIGINT AS cost
FROM {sums}
WHERE session_key IS NOT NULL AND cost_nanousd IS NOT NULL
GROUP BY {g}, session_key, work

-- name: all_runs
CREATE TEMP TABLE all_runs AS
SELECT 0 AS g0, session_key, work, sum(cost)::BIGINT AS cost FROM runs GROUP BY session_key, work

-- name: session_cost
SELECT {g}, count(*), quantile_disc(cost, [0.1, 0.5, 0.9])
FROM (SELECT {g}, sum(cost)::BIGINT AS cost FROM {runs} GROUP BY {g}, session_key)
GROUP BY {g}

-- name: run_cost
-- Like with like: a run's cost over the median of its work.
WITH works AS (
  SELECT {g}, work, count(*) AS runs, quantile_disc(cost, 0.5) AS median
  FROM {runs} WHERE work IS NOT NULL GROUP BY {g}, work
), compared AS (
  SELECT {r_g}, r.cost, CASE WHEN works.runs > 1 AND median > 0 THEN r.cost::DOUBLE / median::DOUBLE END AS ratio
  FROM {runs} AS r JOIN works ON r.work = works.work AND {same_group}
), spread AS (
  SELECT {g}, count(*) AS runs, quantile_disc(cost, [0.1, 0.5, 0.9]) AS costs,
    count(ratio) AS compared, quantile_disc(ratio, [0.1, 0.9]) AS ratios
  FROM compared GROUP BY {g}
), numbered AS (
  SELECT {g}, count(*) AS works FROM works GROUP BY {g}
)
SELECT {s_g}, runs, numbered.works, compared, costs, ratios
FROM spread JOIN numbered ON {spread_same_group} 