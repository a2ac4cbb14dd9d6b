-- Statements of the watermarks.

-- name: now
SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: complete
INSERT INTO watermarks (chain_id, complete_ms) VALUES (%s, %s)
ON CONFLICT (chain_id) DO UPDATE SET complete_ms = greatest(watermarks.complete_ms, excluded.complete_ms)

-- name: ended
DELETE FROM watermarks WHERE chain_id = %s

-- name: behind
SELECT chain_id FROM watermarks WHERE complete_ms <= %s ORDER BY chain_id
