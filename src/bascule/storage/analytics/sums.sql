-- name: of_attempts
-- Attempts that differ in nothing that sums are asked by.
SELECT
  {keys}, {added}, min(ts_start_ms) AS ts_start_ms, count(*) AS n, count(baseline_nanousd) AS baselines,
  max(ts_start_ms) AS last_start_ms,
  max(coalesce(ts_end_ms, ts_start_ms)) AS last_end_ms
FROM {attempts}
GROUP BY {keys}, ts_start_ms // {day_ms}
