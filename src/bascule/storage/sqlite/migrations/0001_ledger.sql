-- The ledger: every journal line as it was written, and what reports read of it.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One row per journal. The head anchors the chain: lines cut off its end leave it pointing at nothing.
CREATE TABLE chains (
    chain_no INTEGER PRIMARY KEY,
    chain_id TEXT NOT NULL UNIQUE,
    head_seq INTEGER NOT NULL,
    head_chain TEXT NOT NULL
);

-- The lines themselves, append-only. line_no = chain_no * 2^40 + seq, so that (chain_no, seq) is unique and in
-- order without an index of its own. A second line for the same (attempt_id, kind) can only come from a defect; it
-- is kept for the chain's sake under another kind, `repeat-…`, which `ledger verify` reports.
CREATE TABLE lines (
    line_no INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    attempt_id TEXT,
    body BLOB NOT NULL,
    chain TEXT NOT NULL,
    chain_no INTEGER GENERATED ALWAYS AS (line_no >> 40) VIRTUAL,
    seq INTEGER GENERATED ALWAYS AS (line_no & 1099511627775) VIRTUAL
);

CREATE UNIQUE INDEX lines_once ON lines (attempt_id, kind) WHERE kind IN ('intent', 'settle');

-- Where to find an attempt: its two lines, and what rows are selected, grouped and summed by. Everything else of a row
-- is read from the lines (repeating it here would double the cost of every insert). `tags` and `held` are JSON text,
-- held as [[scope, window_id], ...].
CREATE TABLE attempts (
    intent_line INTEGER PRIMARY KEY,
    settle_line INTEGER,
    attempt_id TEXT NOT NULL UNIQUE,
    request_id TEXT NOT NULL,
    ts_start_ms INTEGER NOT NULL,
    session_id TEXT,
    "key" TEXT,
    org TEXT,
    team TEXT,
    project TEXT,
    "user" TEXT,
    model TEXT,
    tags TEXT,
    held TEXT,
    hold_nanousd INTEGER,
    cost_nanousd INTEGER
);

CREATE INDEX attempts_by_start ON attempts (ts_start_ms);
CREATE INDEX attempts_by_request ON attempts (request_id);
CREATE INDEX attempts_by_session ON attempts (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX attempts_by_key ON attempts ("key", ts_start_ms) WHERE "key" IS NOT NULL;
CREATE INDEX attempts_by_model ON attempts (model, ts_start_ms);
CREATE INDEX attempts_open ON attempts (intent_line) WHERE settle_line IS NULL;

-- Corrections, summed into a row when it is read.
CREATE TABLE adjustments (
    adjustment_id TEXT PRIMARY KEY,
    attempt_id TEXT NOT NULL,
    ts_ms INTEGER NOT NULL,
    delta_nanousd INTEGER NOT NULL,
    reason TEXT NOT NULL,
    "by" TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX adjustments_by_attempt ON adjustments (attempt_id);

-- Where to find the decision records of a request; their text is in `lines`.
CREATE TABLE decisions (
    request_id TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    PRIMARY KEY (request_id, line_no)
) WITHOUT ROWID;

-- For people with an SQL prompt: the columns of `bascule ledger export --rows attempts`, times in milliseconds, and
-- cost_nanousd as settled, with adjustments beside it.
CREATE VIEW ledger_rows AS
SELECT
    CASE WHEN attempts.settle_line IS NULL THEN 'intent' ELSE 'settle' END AS kind,
    attempts.attempt_id AS attempt_id,
    json_extract(intents.body, '$.request_id') AS request_id,
    json_extract(intents.body, '$.session_id') AS session_id,
    json_extract(intents.body, '$.agent_id') AS agent_id,
    json_extract(intents.body, '$.parent_id') AS parent_id,
    json_extract(intents.body, '$.idempotency_key') AS idempotency_key,
    json_extract(intents.body, '$.attempt_no') AS attempt_no,
    coalesce(json_extract(intents.body, '$.role'), 'primary') AS role,
    json_extract(intents.body, '$.key') AS "key",
    json_extract(intents.body, '$.org') AS org,
    json_extract(intents.body, '$.team') AS team,
    json_extract(intents.body, '$.project') AS project,
    json_extract(intents.body, '$.user') AS "user",
    json_extract(intents.body, '$.tags') AS tags,
    json_extract(intents.body, '$.pr') AS pr,
    json_extract(intents.body, '$.branch') AS branch,
    json_extract(intents.body, '$.task') AS task,
    json_extract(intents.body, '$.route') AS route,
    json_extract(intents.body, '$.model') AS model,
    json_extract(intents.body, '$.model_requested') AS model_requested,
    json_extract(intents.body, '$.provider') AS provider,
    json_extract(intents.body, '$.upstream_model') AS upstream_model,
    json_extract(intents.body, '$.dialect_in') AS dialect_in,
    json_extract(intents.body, '$.dialect_out') AS dialect_out,
    coalesce(json_extract(intents.body, '$.stream'), 0) AS stream,
    json_extract(intents.body, '$.ts_start_ms') AS ts_start_ms,
    json_extract(intents.body, '$.window_id') AS window_id,
    json_extract(intents.body, '$.hold_nanousd') AS hold_nanousd,
    json_extract(intents.body, '$.price_version') AS price_version,
    json_extract(intents.body, '$.reason') AS reason,
    json_extract(intents.body, '$.decision_id') AS decision_id,
    json_extract(intents.body, '$.policy_version') AS policy_version,
    json_extract(settlements.body, '$.ts_first_ms') AS ts_first_ms,
    json_extract(settlements.body, '$.ts_end_ms') AS ts_end_ms,
    json_extract(settlements.body, '$.status') AS status,
    json_extract(settlements.body, '$.error_class') AS error_class,
    json_extract(settlements.body, '$.upstream_request_id') AS upstream_request_id,
    json_extract(settlements.body, '$.model_reported') AS model_reported,
    json_extract(settlements.body, '$.service_tier') AS service_tier,
    json_extract(settlements.body, '$.tool_fees_nanousd') AS tool_fees_nanousd,
    json_extract(settlements.body, '$.rates') AS rates,
    json_extract(settlements.body, '$.baseline_nanousd') AS baseline_nanousd,
    json_extract(settlements.body, '$.saved_nanousd') AS saved_nanousd,
    coalesce(json_extract(settlements.body, '$.cache'), 'none') AS cache,
    json_extract(settlements.body, '$.finish_reason') AS finish_reason,
    coalesce(json_extract(settlements.body, '$.recovered'), 0) AS recovered,
    json_extract(settlements.body, '$.usage.tokens_in') AS tokens_in,
    json_extract(settlements.body, '$.usage.tokens_cache_read') AS tokens_cache_read,
    json_extract(settlements.body, '$.usage.tokens_cache_write_5m') AS tokens_cache_write_5m,
    json_extract(settlements.body, '$.usage.tokens_cache_write_1h') AS tokens_cache_write_1h,
    json_extract(settlements.body, '$.usage.tokens_out') AS tokens_out,
    json_extract(settlements.body, '$.usage.tokens_reasoning') AS tokens_reasoning,
    json_extract(settlements.body, '$.usage.tokens_audio_in') AS tokens_audio_in,
    json_extract(settlements.body, '$.usage.tokens_audio_out') AS tokens_audio_out,
    json_extract(settlements.body, '$.usage.tokens_image_in') AS tokens_image_in,
    json_extract(settlements.body, '$.usage.tokens_image_out') AS tokens_image_out,
    json_extract(settlements.body, '$.usage.web_searches') AS web_searches,
    coalesce(json_extract(settlements.body, '$.usage.source'), 'none') AS usage_source,
    json_extract(settlements.body, '$.usage.raw') AS usage_raw,
    attempts.cost_nanousd AS cost_nanousd,
    (SELECT sum(delta_nanousd) FROM adjustments WHERE adjustments.attempt_id = attempts.attempt_id) AS adjusted_nanousd,
    coalesce(settlements.chain, intents.chain) AS chain
FROM attempts
JOIN lines AS intents ON intents.line_no = attempts.intent_line
LEFT JOIN lines AS settlements ON settlements.line_no = attempts.settle_line;
