-- Attempts of one day, as staged columns. {day}: days since the epoch; {requests}: how many; {sessions}: of that day.
-- Dice are hashes of what they are thrown for, so that the same day is the same in every run of one DuckDB version.
WITH request AS (
  SELECT
    i,
    {day}::BIGINT * 10000000 + i AS id,
    {day}::BIGINT * 100000 + floor({sessions} * pow(hash(i, {day}, 1) % 1000000 / 1e6, 1.6))::BIGINT AS session,
    {day}::BIGINT * 86400000
      + ((i * 86400000.0 / {requests})::BIGINT + (hash(i, {day}, 2) % 60000)::BIGINT) % 86400000 AS ts_ms,
    1 + (hash(i, {day}, 3) % 1000 < 40)::INT + (hash(i, {day}, 3) % 1000 < 6)::INT AS attempts
  FROM range({requests}) AS t(i)
), who AS (
  SELECT
    *,
    hash(session, 11) % 200 AS user_no,
    hash(session, 11) % 200 % 20 AS team_no,
    (hash(session, 12) % 8)::INT AS task_no,
    (hash(session, 13) % 5)::INT AS client_no,
    -- A session keeps to one model, now and then it takes another; few models take most of the traffic.
    floor(40 * pow(hash(CASE WHEN hash(id, 14) % 10 < 8 THEN session ELSE id END, 15) % 1000000 / 1e6, 2))::INT
      AS model_no
  FROM request
), attempt AS (
  SELECT
    *,
    attempts > 1 AND no < attempts AS broken,
    -- Log-normal lengths, by Box and Muller.
    exp(7.5 + 1.3 * sqrt(-2 * ln((hash(id, no, 21) % 999999 + 1) / 1e6)) * cos(6.283 * (hash(id, no, 22) % 1000000 / 1e6)))
      ::BIGINT AS prompt,
    exp(5.5 + 1.1 * sqrt(-2 * ln((hash(id, no, 23) % 999999 + 1) / 1e6)) * cos(6.283 * (hash(id, no, 24) % 1000000 / 1e6)))
      ::BIGINT AS answer,
    hash(id, no, 25) % 100 / 100.0 AS cached,
    (100 * pow(1.13, model_no))::BIGINT * 1000 AS rate
  FROM who, range(1, 4) AS a(no)
  WHERE no <= attempts
), counted AS (
  SELECT
    *,
    CASE WHEN broken THEN NULL ELSE (prompt * (1 - cached))::BIGINT END AS tokens_in,
    CASE WHEN broken THEN NULL ELSE prompt - (prompt * (1 - cached))::BIGINT END AS tokens_cache_read,
    CASE WHEN broken THEN NULL ELSE answer END AS tokens_out,
    hash(id, no, 31) % 1000 < 4 AND NOT broken AS unpriced
  FROM attempt
)
SELECT
  'settle' AS kind,
  'gateway' AS origin,
  'att_' || lpad(to_base(ts_ms, 36), 10, '0') || lpad(to_base(id * 4 + no, 36), 16, '0') AS attempt_id,
  'req_' || lpad(to_base(ts_ms, 36), 10, '0') || lpad(to_base(id, 36), 16, '0') AS request_id,
  CASE WHEN hash(session, 41) % 20 > 0 THEN 'session-' || lpad(session::VARCHAR, 28, '0') END AS session_id,
  CASE WHEN hash(id, 42) % 4 = 0 THEN 'agent-' || (hash(id, 43) % 6) END AS agent_id,
  NULL::VARCHAR AS parent_id,
  no::INTEGER AS attempt_no,
  CASE WHEN no > 1 THEN 'retry' ELSE 'primary' END AS role,
  'key-' || user_no AS key,
  'acme' AS org,
  CASE WHEN team_no < 18 THEN 'team-' || team_no END AS team,
  'project-' || (hash(session, 16) % 60) AS project,
  'user-' || user_no AS user,
  '{{"feature":"feature-' || (hash(session, 44) % 12) || '","env":"'
    || CASE WHEN hash(session, 45) % 5 = 0 THEN 'ci' ELSE 'dev' END || '"}}' AS tags,
  CASE WHEN task_no < 3 THEN '#' || (hash(session, 46) % 4000) END AS pr,
  CASE WHEN task_no < 5 THEN 'branch-' || (hash(session, 47) % 900) END AS branch,
  (['code_generation', 'code_review', 'summarization', 'classification', 'extraction', 'chat', 'translation', NULL])
    [task_no + 1] AS task,
  'auto' AS route,
  'model-' || lpad(model_no::VARCHAR, 2, '0') AS model,
  'auto' AS model_requested,
  'model-' || lpad(model_no::VARCHAR, 2, '0') || '-2026' AS model_reported,
  'provider-' || (model_no % 7) AS provider,
  'upstream-' || model_no AS upstream_model,
  'openai_chat' AS dialect_in,
  'openai_chat' AS dialect_out,
  NULL::VARCHAR AS service_tier,
  hash(id, 48) % 3 > 0 AS stream,
  CASE WHEN broken THEN 529 ELSE 200 END AS status,
  CASE WHEN broken THEN 'overloaded' WHEN hash(id, no, 49) % 200 = 0 THEN 'client_gone' END AS error_class,
  ts_ms + no * 700 AS ts_start_ms,
  CASE WHEN NOT broken THEN ts_ms + no * 700 + 150 + (hash(id, no, 50) % 900)::BIGINT END AS ts_first_ms,
  ts_ms + no * 700 + 1200 + answer * 8 AS ts_end_ms,
  tokens_in,
  tokens_cache_read,
  NULL::BIGINT AS tokens_cache_write_5m,
  NULL::BIGINT AS tokens_cache_write_1h,
  tokens_out,
  CASE WHEN model_no % 3 = 0 AND NOT broken THEN answer // 2 END AS tokens_reasoning,
  NULL::BIGINT AS tokens_audio_in,
  NULL::BIGINT AS tokens_audio_out,
  NULL::BIGINT AS tokens_image_in,
  NULL::BIGINT AS tokens_image_out,
  NULL::BIGINT AS web_searches,
  NULL::BIGINT AS tool_fees_nanousd,
  CASE WHEN broken THEN 'none' WHEN hash(id, no, 51) % 100 = 0 THEN 'estimated' ELSE 'reported' END AS usage_source,
  CASE
    WHEN broken THEN 0
    WHEN unpriced THEN NULL
    ELSE (tokens_in * rate + tokens_cache_read * rate // 10
      + (answer + CASE WHEN model_no % 3 = 0 THEN answer // 2 ELSE 0 END) * rate * 5) // 1000
  END AS cost_nanousd,
  NULL::BIGINT AS adjusted_nanousd,
  NULL::BIGINT AS provider_cost_nanousd,
  'book-2026' AS price_version,
  CASE
    WHEN NOT unpriced THEN '{{"input":' || rate || ',"output":' || rate * 5 || ',"cache_read":' || rate // 10 || '}}'
  END AS rates,
  200000000 AS hold_nanousd,
  CASE WHEN NOT broken AND NOT unpriced THEN prompt * 3000 + answer * 15000 END AS baseline_nanousd,
  CASE
    WHEN broken THEN 0
    WHEN NOT unpriced THEN prompt * 3000 + answer * 15000
      - (tokens_in * rate + tokens_cache_read * rate // 10
        + (answer + CASE WHEN model_no % 3 = 0 THEN answer // 2 ELSE 0 END) * rate * 5) // 1000
  END AS saved_nanousd,
  'none' AS cache,
  'cheapest_adequate' AS reason,
  CASE WHEN NOT broken THEN 'stop' END AS finish_reason,
  false AS recovered,
  (['claude-code', 'codex', 'openai-python', 'aider', 'curl'])[client_no + 1] AS client
FROM counted
