-- Staged rows (the columns of STAGED) as rows of `attempts` (STAGED, then DERIVED).
WITH told AS (
  SELECT
    * EXCLUDE (origin, tags),
    coalesce(origin, 'gateway') AS origin,
    coalesce(tags, '{{}}') AS tags,
    md5_number_lower(request_id) AS request_key,
    md5_number_lower(session_id) AS session_key,
    kind = 'intent' AS open,
    -- An error of the provider, the network or the request; a client that left says nothing about the provider.
    CASE
      WHEN error_class IS NOT NULL THEN error_class NOT IN ('client_gone', 'cancelled')
      ELSE coalesce(status >= 400, false)
    END AS failed,
    coalesce(error_class IN ('client_gone', 'cancelled'), false) AS aborted,
    usage_source = 'estimated' OR recovered AS estimated,
    role IN ('primary', 'retry', 'escalation', 'hedge', 'worker', 'cache') AS may_answer,
    -- Pico-USD per token of three parts input and one part output: `offline.dimensions.blended_rate`.
    (3 * CAST(json_extract(rates, '$.input') AS BIGINT) + CAST(json_extract(rates, '$.output') AS BIGINT)) // 4 AS blended_rate,
    coalesce(tokens_in, 0) + coalesce(tokens_cache_read, 0) + coalesce(tokens_cache_write_5m, 0)
      + coalesce(tokens_cache_write_1h, 0) + coalesce(tokens_out, 0) + coalesce(tokens_reasoning, 0)
      + coalesce(tokens_audio_in, 0) + coalesce(tokens_audio_out, 0) + coalesce(tokens_image_in, 0)
      + coalesce(tokens_image_out, 0) AS tokens
  FROM {staged}
)
SELECT
  {columns},
  request_key,
  session_key,
  open,
  failed,
  aborted,
  estimated,
  -- Bits, so that sums are made once per combination and not once per condition.
  open::SMALLINT + 2 * failed::SMALLINT + 4 * aborted::SMALLINT + 8 * estimated::SMALLINT
    + 16 * (cost_nanousd IS NOT NULL)::SMALLINT
    + 32 * (cost_nanousd IS NOT NULL AND saved_nanousd IS NOT NULL)::SMALLINT
    + 64 * (role = 'retry')::SMALLINT
    + 128 * (role IN ('judge', 'verify', 'shadow'))::SMALLINT
    + 256 * (role = 'cache')::SMALLINT
    + CASE
      WHEN NOT bool_or(attempt_no <= 1 AND role IN ('primary', 'cache')) OVER request THEN 1024
      WHEN count(*) OVER request > 1 THEN 512
      ELSE 0
    END::SMALLINT AS state,
  -- Who may answer before who may not, what succeeded before what did not, then the latest.
  ((may_answer::BIGINT * 2 + (NOT open AND error_class IS NULL AND NOT failed)::BIGINT) << 32)
    + attempt_no::BIGINT * 2 + failed::BIGINT AS standing,
  blended_rate,
  CASE WHEN open THEN 0 ELSE tokens END AS tokens,
  CASE
    WHEN role <> 'cache' AND error_class IS NULL AND NOT failed THEN ts_end_ms - ts_start_ms
  END AS latency_ms,
  CASE
    WHEN role <> 'cache' AND ts_end_ms IS NOT NULL AND error_class IS NULL AND NOT failed THEN ts_first_ms - ts_start_ms
  END AS first_ms
FROM told
WINDOW request AS (PARTITION BY request_key)
