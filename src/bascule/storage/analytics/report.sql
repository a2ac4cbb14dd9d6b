-- name: total
-- Sums of groups add up; requests do not, they are counted again.
SELECT
  count(*) AS groups,
  {sums},
  min(first_ms) AS first_ms,
  max(last_ms) AS last_ms,
  sum(lone) + (SELECT count(*) FROM several) AS requests,
  sum(lone_failed) + (SELECT count(*) FILTER (standing % 2 = 1) FROM several) AS failed_requests
FROM {table}

-- name: ranks
-- What order many groups are in, before anything else is known of them.
CREATE TEMP TABLE ranks AS
SELECT {g}, sum(cost_nanousd) AS cost_nanousd, sum(tokens) AS tokens FROM framed GROUP BY {g}

-- name: size
SELECT count(*) FROM {table}

-- name: in_one
-- All rows as one group.
CREATE TEMP VIEW all_{table} AS SELECT 0 AS g0, * EXCLUDE (g0) FROM {table}

-- name: chosen
CREATE TEMP TABLE chosen AS SELECT * FROM {table} ORDER BY {order} LIMIT {top}

-- name: only_chosen
CREATE OR REPLACE TEMP VIEW {name} AS
SELECT * FROM {source} AS s WHERE EXISTS (SELECT 1 FROM chosen WHERE {same_group})

-- name: fetch
SELECT {g}, {fields} FROM {table} ORDER BY {order}

-- name: counted
-- How often each value occurs, by group.
CREATE TEMP TABLE {table} AS
SELECT {g}, {value} AS value, count(*) AS n FROM {rows} WHERE {value} IS NOT NULL GROUP BY {g}, value

-- name: coarse
-- Of many groups, first how many values lie in each bucket …
CREATE OR REPLACE TEMP TABLE coarse AS
SELECT {g}, {value} // {width} AS bucket, count(*) AS n FROM {rows} WHERE {value} IS NOT NULL GROUP BY {g}, bucket

-- name: hits
-- … then in which bucket each percentile lies and how many values lie before it …
CREATE OR REPLACE TEMP TABLE hits AS
WITH ranked AS (
  SELECT {g}, bucket, n, sum(n) OVER (PARTITION BY {g} ORDER BY bucket RANGE UNBOUNDED PRECEDING) AS upto,
    sum(n) OVER (PARTITION BY {g}) AS total
  FROM coarse
)
SELECT {g}, percent, min(bucket) AS bucket, min(upto - n) AS before, any_value(total) AS total
FROM ranked, (VALUES (50), (95)) AS asked(percent)
WHERE upto * 100 >= total * percent
GROUP BY {g}, percent

-- name: fine
-- … and only of those buckets which value it is.
WITH met AS (
  SELECT {g}, value, count(*) AS n
  FROM (SELECT {g}, {value} AS value FROM {rows} WHERE {value} IS NOT NULL) AS r
  WHERE EXISTS (SELECT 1 FROM hits WHERE {same_group} AND hits.bucket = r.value // {width})
  GROUP BY {g}, value
), ranked AS (
  SELECT {r_g}, percent, value, total,
    before + sum(n) OVER (PARTITION BY {r_g}, percent ORDER BY value RANGE UNBOUNDED PRECEDING) AS upto
  FROM met AS r JOIN hits ON {same_group} AND hits.bucket = r.value // {width}
)
SELECT {g},
  min(value) FILTER (percent = 50 AND upto * 100 >= total * 50),
  min(value) FILTER (percent = 95 AND upto * 100 >= total * 95)
FROM ranked
GROUP BY {g}

-- name: percentiles
-- By nearest rank, in integers: the smallest value that so many per cent do not exceed.
WITH ranked AS (
  SELECT {g}, value, sum(n) OVER (PARTITION BY {g} ORDER BY value RANGE UNBOUNDED PRECEDING) AS upto,
    sum(n) OVER (PARTITION BY {g}) AS total
  FROM (SELECT {g}, value, sum(n) AS n FROM {table} GROUP BY {g}, value)
)
SELECT {g}, min(value) FILTER (upto * 100 >= total * 50), min(value) FILTER (upto * 100 >= total * 95)
FROM ranked
GROUP BY {g}

-- name: requests_of_groups
CREATE TEMP VIEW {name} AS
SELECT {g}, cost_nanousd AS cost, tokens FROM {rows} WHERE lone UNION ALL SELECT {g}, cost, tokens FROM {units}

-- name: requests_of_all
CREATE TEMP VIEW all_requests AS
SELECT 0 AS g0, cost_nanousd AS cost, tokens FROM placed WHERE lone UNION ALL SELECT 0, cost, tokens FROM several

-- name: of_all
-- What was counted by group, of all groups together.
CREATE TEMP VIEW all_{table} AS SELECT 0 AS g0, value, n FROM {table}

-- name: requests
-- An unknown cost is NULL, which percentiles leave out.
SELECT {g}, quantile_disc(cost, 0.5), quantile_disc(tokens, 0.5) FROM {requests} GROUP BY {g}

-- name: median_bucket
-- The median of all costs, in two steps that hold little: the bucket that it lies in, and how many lie before that.
WITH counted AS (
  SELECT cost // {width} AS bucket, count(*) AS n FROM all_requests WHERE cost IS NOT NULL GROUP BY bucket
), ranked AS (
  SELECT bucket, n, sum(n) OVER (ORDER BY bucket) AS upto, sum(n) OVER () AS total FROM counted
)
SELECT bucket, upto - n, total FROM ranked WHERE upto * 100 >= total * 50 ORDER BY bucket LIMIT 1

-- name: median_in_bucket
SELECT cost FROM all_requests WHERE cost // {width} = {bucket} ORDER BY cost LIMIT 1 OFFSET {place}

-- name: tokens_of_all
CREATE TEMP TABLE all_tokens AS SELECT 0 AS g0, tokens AS value, count(*) AS n FROM all_requests GROUP BY value

-- name: runs
-- What each session cost in each group, by work.
CREATE TEMP TABLE runs AS
SELECT {g}, session_key, work, sum(cost_nanousd)::BIGINT AS cost
FROM {rows}
WHERE session_key IS NOT NULL AND cost_nanousd IS NOT NULL
GROUP BY {g}, session_key, work

-- name: all_runs
CREATE TEMP TABLE all_runs AS
SELECT 0 AS g0, session_key, work, sum(cost)::BIGINT AS cost FROM {runs} GROUP BY session_key, work

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