-- name: attempts
CREATE TEMP VIEW attempts AS {parts}

-- name: sums
-- The same, of segments that have sums by those; all others as sums of one attempt each.
CREATE TEMP VIEW sums AS {parts}

-- name: of_loaded
SELECT {columns} FROM loaded

-- name: of_segments
SELECT {columns} FROM read_parquet([{paths}])

-- name: of_part
-- An attempt's companions may lie in the hours that are left out: 1024 says so.
SELECT * REPLACE (CASE WHEN state BETWEEN 512 AND 1023 THEN state + 512 ELSE state END::SMALLINT AS state)
FROM (SELECT {columns} FROM read_parquet([{paths}]) WHERE {fresh})

-- name: framed
CREATE TEMP VIEW {name} AS
SELECT a.*, {groups}, {work} AS work
FROM {source} AS a {joins}
WHERE {where}

-- name: each_framed
CREATE TEMP VIEW framed_sums AS SELECT *, {each} FROM framed

-- name: tagged
CREATE TEMP TABLE {table} AS
SELECT tags, (CAST(tags AS JSON)::MAP(VARCHAR, VARCHAR))[getvariable('tag')] AS value
FROM (SELECT DISTINCT tags FROM attempts AS a WHERE {where})

-- name: fates
CREATE TEMP TABLE {table} AS
SELECT
  unnest($1::VARCHAR[]) AS of_session, unnest($2::VARCHAR[]) AS of_pr, unnest($3::VARCHAR[]) AS of_branch,
  unnest($4::VARCHAR[]) AS of_project, unnest($5::VARCHAR[]) AS outcome

-- name: bests
-- Who answered, of requests that have or may have several attempts.
CREATE TEMP TABLE bests AS
SELECT request_key, max(standing) AS best
FROM {source} AS a
WHERE {where}
  AND (state >= 512 OR request_key IN (SELECT request_key FROM {source} AS a WHERE {where} AND state >= 1024))
GROUP BY request_key

-- name: strays
-- Requests with attempts in several places: those that were alone where they were loaded are not, here.
CREATE TEMP TABLE strays AS SELECT DISTINCT request_key FROM framed WHERE state >= 1024

-- name: placed
CREATE TEMP VIEW placed AS
SELECT framed.*, state < 512 AND strays.request_key IS NULL AS lone
FROM framed LEFT JOIN strays USING (request_key)

-- name: placed_without_strays
CREATE TEMP VIEW placed AS SELECT *, state < 512 AS lone FROM framed

-- name: shared
-- The attempts of requests that have several.
CREATE OR REPLACE TEMP TABLE shared AS
SELECT
  {g}, request_key, standing, cost_nanousd, tokens, state & 256 > 0 AS cached,
  state < 512 AS stray, state < 512 AND failed AS stray_failed,
  CASE WHEN state & 128 = 0 THEN cost_nanousd + saved_nanousd END AS saving,
  CASE WHEN state & 128 = 0 THEN baseline_nanousd END AS baseline
FROM {rows}
WHERE NOT lone

-- name: several
-- Their requests, in all: who answered, what they cost (unknown if an attempt's cost is), how many tokens.
CREATE OR REPLACE TEMP TABLE several AS
SELECT
  request_key,
  max(standing) AS standing,
  CASE WHEN count(*) = count(cost_nanousd) THEN sum(cost_nanousd)::BIGINT END AS cost,
  sum(tokens)::BIGINT AS tokens
FROM shared
GROUP BY request_key

-- name: units
-- The same by group. A baseline counts for the attempt that answered: what the rows of others say is taken back.
CREATE TEMP TABLE {units} AS
WITH placed_beside AS (
  SELECT shared.*, several.standing AS best, shared.standing <> several.standing AS beside
  FROM shared JOIN several USING (request_key)
)
SELECT
  {g},
  request_key,
  max(best) % 2 = 1 AS request_failed,
  CASE WHEN count(*) = count(cost_nanousd) THEN sum(cost_nanousd)::BIGINT END AS cost,
  sum(tokens)::BIGINT AS tokens,
  coalesce(sum(saving) FILTER (beside), 0) AS saved_back,
  coalesce(sum(saving) FILTER (beside AND cached), 0) AS cache_saved_back,
  coalesce(sum(baseline) FILTER (beside), 0) AS baseline_back,
  count(baseline) FILTER (beside) AS baselines_back,
  count(*) FILTER (stray) AS strays,
  count(*) FILTER (stray_failed) AS strays_failed
FROM placed_beside
GROUP BY {g}, request_key

-- name: groups
CREATE TEMP TABLE {groups} AS
WITH parts AS (
  SELECT
    {g},
    state,
    sum(n) AS n,
    sum(cost_nanousd) AS cost_nanousd,
    sum(hold_nanousd) AS hold_nanousd,
    sum(tool_fees_nanousd) AS tool_fees_nanousd,
    sum(adjusted_nanousd) AS adjusted_nanousd,
    sum(baseline_nanousd) AS baseline_nanousd,
    sum(baselines) AS baselines,
    sum(saved_nanousd) AS saved_nanousd,
    sum(tokens_in) AS tokens_in,
    sum(tokens_cache_read) AS tokens_cache_read,
    sum(tokens_cache_write_5m) AS tokens_cache_write_5m,
    sum(tokens_cache_write_1h) AS tokens_cache_write_1h,
    sum(tokens_out) AS tokens_out,
    sum(tokens_reasoning) AS tokens_reasoning,
    sum(tokens_audio_in) AS tokens_audio_in,
    sum(tokens_audio_out) AS tokens_audio_out,
    sum(tokens_image_in) AS tokens_image_in,
    sum(tokens_image_out) AS tokens_image_out,
    sum(web_searches) AS web_searches,
    {times},
    state & 1 > 0 AS open,
    state & 2 > 0 AS failed,
    state & 4 > 0 AS aborted,
    state & 8 > 0 AS estimated,
    state & 16 > 0 AS priced,
    state & 32 > 0 AS saving,
    state & 64 > 0 AS retry,
    state & 128 > 0 AS helper,
    state & 256 > 0 AS cached,
    state < 512 AS lone
  FROM {sums}
  GROUP BY {g}, state
), summed AS (
  SELECT
    {g},
    sum(n) FILTER (NOT cached) AS attempts,
    sum(n) FILTER (failed) AS failed_attempts,
    sum(n) FILTER (aborted) AS aborted_attempts,
    sum(n) FILTER (open) AS open_attempts,
    sum(n) FILTER (retry) AS retries,
    sum(n) FILTER (cached) AS cache_hits,
    sum(cost_nanousd) AS cost_nanousd,
    sum(n) FILTER (NOT priced AND NOT open) AS unpriced_attempts,
    sum(hold_nanousd) FILTER (open) AS held_nanousd,
    sum(cost_nanousd) FILTER (estimated) AS estimated_nanousd,
    sum(n) FILTER (estimated AND priced) AS estimated_attempts,
    sum(cost_nanousd) FILTER (failed) AS failed_cost_nanousd,
    sum(cost_nanousd) FILTER (retry AND NOT failed) AS retry_cost_nanousd,
    sum(cost_nanousd) FILTER (helper AND NOT failed) AS helper_cost_nanousd,
    sum(tool_fees_nanousd) AS tool_fees_nanousd,
    sum(adjusted_nanousd) AS adjusted_nanousd,
    sum(baseline_nanousd) FILTER (NOT helper) AS baseline_nanousd,
    sum(baselines) FILTER (NOT helper) AS baselines,
    sum(CASE WHEN helper THEN -cost_nanousd ELSE saved_nanousd END) FILTER (saving) AS saved_nanousd,
    sum(saved_nanousd) FILTER (saving AND cached) AS cache_saved_nanousd,
    sum(cost_nanousd) FILTER (saving) AS saved_cost_nanousd,
    sum(tokens_in) AS tokens_in,
    sum(tokens_cache_read) AS tokens_cache_read,
    sum(tokens_cache_write_5m) AS tokens_cache_write_5m,
    sum(tokens_cache_write_1h) AS tokens_cache_write_1h,
    sum(tokens_out) AS tokens_out,
    sum(tokens_reasoning) AS tokens_reasoning,
    sum(tokens_audio_in) AS tokens_audio_in,
    sum(tokens_audio_out) AS tokens_audio_out,
    sum(tokens_image_in) AS tokens_image_in,
    sum(tokens_image_out) AS tokens_image_out,
    sum(web_searches) AS web_searches,
    min(first_ms) AS first_ms,
    max(last_ms) AS last_ms,
    coalesce(sum(n) FILTER (lone), 0) AS lone,
    coalesce(sum(n) FILTER (lone AND failed), 0) AS lone_failed
  FROM parts
  GROUP BY {g}
), corrected AS (
  SELECT
    {g},
    count(*) AS several,
    count(*) FILTER (request_failed) AS several_failed,
    sum(saved_back) AS saved_back,
    sum(cache_saved_back) AS cache_saved_back,
    sum(baseline_back) AS baseline_back,
    sum(baselines_back) AS baselines_back,
    sum(strays) AS strays,
    sum(strays_failed) AS strays_failed
  FROM {units}
  GROUP BY {g}
)
SELECT
  summed.* EXCLUDE (baseline_nanousd, baselines, saved_nanousd, cache_saved_nanousd, lone, lone_failed),
  CASE WHEN baselines > coalesce(baselines_back, 0) THEN baseline_nanousd - coalesce(baseline_back, 0) END
    AS baseline_nanousd,
  saved_nanousd - coalesce(saved_back, 0) AS saved_nanousd,
  cache_saved_nanousd - coalesce(cache_saved_back, 0) AS cache_saved_nanousd,
  summed.lone - coalesce(strays, 0) AS lone,
  summed.lone_failed - coalesce(strays_failed, 0) AS lone_failed,
  summed.lone - coalesce(strays, 0) + coalesce(several, 0) AS requests,
  summed.lone_failed - coalesce(strays_failed, 0) + coalesce(several_failed, 0) AS failed_requests,
  {tokens} AS tokens
FROM summed LEFT JOIN corrected ON {same_group}
