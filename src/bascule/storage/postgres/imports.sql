-- Statements of imported rows. `:where` becomes fixed texts of import_rows.py.

-- name: found
SELECT row_no, source, source_id, quality, ts_start_ms, imported.profile_no, imported.body, request_crc
FROM imported JOIN import_profiles ON import_profiles.profile_no = imported.profile_no
WHERE id_crc = ANY(%(crcs)s)

-- name: insert
INSERT INTO imported (source_id, id_crc, quality, ts_start_ms, profile_no, body, request_crc)
SELECT * FROM unnest(
    %b::text[], %b::bigint[], %b::integer[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bigint[]
)

-- name: replace
UPDATE imported SET
    quality = given.quality, ts_start_ms = given.ts_start_ms, profile_no = given.profile_no, body = given.body,
    request_crc = given.request_crc
FROM unnest(%b::integer[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bigint[], %b::bigint[])
    AS given (quality, ts_start_ms, profile_no, body, request_crc, row_no)
WHERE imported.row_no = given.row_no

-- name: profile_number
WITH made AS (
    INSERT INTO import_profiles (digest, body, source, session_id, "key", model)
    VALUES (%(digest)b, %(body)b, %(source)s, %(session_id)s, %(key)s, %(model)s)
    ON CONFLICT DO NOTHING RETURNING profile_no
)
SELECT profile_no FROM made UNION ALL SELECT profile_no FROM import_profiles WHERE digest = %(digest)b

-- name: profile
SELECT body FROM import_profiles WHERE profile_no = %(profile_no)s

-- name: counts
SELECT source, sum(rows)::bigint
FROM (SELECT profile_no, count(*) AS rows FROM imported GROUP BY profile_no) AS counted
JOIN import_profiles ON import_profiles.profile_no = counted.profile_no
GROUP BY source ORDER BY source

-- name: rows
SELECT source_id, ts_start_ms, profile_no, body FROM imported WHERE :where ORDER BY ts_start_ms

-- name: rows_by_request
SELECT source_id, ts_start_ms, profile_no, body, request_crc FROM imported WHERE :where ORDER BY request_crc

-- name: raise_hours
INSERT INTO changed_hours (origin, hour, version)
SELECT origin, hour, 1 FROM unnest(%b::text[], %b::bigint[]) AS given (origin, hour) ORDER BY origin, hour
ON CONFLICT (origin, hour) DO UPDATE SET version = changed_hours.version + 1

-- name: hours_of
SELECT DISTINCT ts_start_ms / 3600000 FROM attempts WHERE attempt_id = ANY(%(ids)s)

-- name: open_hours
SELECT DISTINCT ts_start_ms / 3600000 FROM attempts WHERE settle_line IS NULL

-- name: hour_versions
SELECT origin, hour, version FROM changed_hours WHERE hour >= %(since_hour)s AND hour < %(until_hour)s

-- name: store_id
SELECT value FROM meta WHERE name = 'store_id'
