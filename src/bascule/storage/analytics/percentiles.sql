-- name: counted
CREATE OR REPLACE TEMP TABLE counted AS {parts}

-- name: counted_part
SELECT {g}, {scope} AS scope, {bucket} AS bucket, count(*) AS n FROM {rows} WHERE {value} IS NOT NULL GROUP BY {group_by} bucket

-- name: hits
-- In which bucket each percentile lies and how many values lie before it, by group and of all.
CREATE OR REPLACE TEMP TABLE hits AS
WITH divided AS (
  SELECT {g}, false AS of_all, bucket, sum(n) AS n FROM counted WHERE scope < 2 GROUP BY {g}, bucket
  UNION ALL
  SELECT {no_g}, true, bucket, sum(n) FROM counted WHERE scope <> 1 GROUP BY bucket
), ranked AS (
  SELECT {g}, of_all, bucket, n,
    sum(n) OVER (PARTITION BY {g}, of_all ORDER BY bucket RANGE UNBOUNDED PRECEDING) AS upto,
    sum(n) OVER (PARTITION BY {g}, of_all) AS total
  FROM divided
)
SELECT {g}, of_all, percent, min(bucket) AS bucket, min(upto - n) AS before, any_value(total) AS total
FROM ranked, (VALUES {percents}) AS asked(percent)
WHERE upto * 100 >= total * percent
GROUP BY {g}, of_all, percent

-- name: sought
-- The parts of groups to look into: their own, and those of all.
CREATE OR REPLACE TEMP TABLE sought AS
SELECT {g}, bucket FROM hits WHERE NOT of_all
UNION
SELECT {g}, bucket FROM counted WHERE bucket IN (SELECT bucket FROM hits WHERE of_all)

-- name: met
-- The values in them.
CREATE OR REPLACE TEMP TABLE met AS {parts}

-- name: met_part
SELECT {g}, {scope} AS scope, bucket, value, count(*) AS n
FROM (SELECT {g}, {bucket} AS bucket, {value} AS value FROM {rows} WHERE {value} IS NOT NULL) AS v
SEMI JOIN sought ON sought.bucket = v.bucket AND {same_group}
GROUP BY {group_by} bucket, value

-- name: fine
-- Which of them it is.
WITH divided AS (
  SELECT {h_g}, of_all, percent, value, n, before, total
  FROM met AS v JOIN hits ON NOT of_all AND hits.bucket = v.bucket AND {same_group}
  WHERE scope < 2
  UNION ALL
  SELECT {h_g}, of_all, percent, value, n, before, total
  FROM met AS v JOIN hits ON of_all AND hits.bucket = v.bucket
  WHERE scope <> 1
), ranked AS (
  SELECT {g}, of_all, percent, value, any_value(total) AS total,
    any_value(before) + sum(sum(n)) OVER (PARTITION BY {g}, of_all, percent ORDER BY value RANGE UNBOUNDED PRECEDING) AS upto
  FROM divided
  GROUP BY {g}, of_all, percent, value
)
SELECT of_all, {g},
  min(value) FILTER (percent = 50 AND upto * 100 >= total * 50),
  min(value) FILTER (percent = 95 AND upto * 100 >= total * 95)
FROM ranked
GROUP BY of_all, {g}

-- name: found
-- Where each value is a bucket.
SELECT of_all, {g}, min(bucket) FILTER (percent = 50), min(bucket) FILTER (percent = 95) FROM hits GROUP BY of_all, {g}
