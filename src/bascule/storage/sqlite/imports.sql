-- Statements of imported rows. `:rows` becomes tuples of placeholders, `:where` fixed texts of import_rows.py.

-- name: found
SELECT row_no, source, source_id, quality, ts_start_ms, imported.profile_no, imported.body, request_crc
FROM imported JOIN import_profiles ON import_profiles.profile_no = imported.profile_no
WHERE id_crc IN (SELECT value FROM json_each(?))

-- name: insert
INSERT INTO imported (source_id, id_crc, quality, ts_start_ms, profile_no, body, request_crc) VALUES :rows

-- name: replace
UPDATE imported SET quality = ?, ts_start_ms = ?, profile_no = ?, body = ?, request_crc = ? WHERE row_no = ?

-- name: insert_profile
INSERT INTO import_profiles (digest, body, source, session_id, "key", model) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING

-- name: profile_no
SELECT profile_no FROM import_profiles WHERE digest = ?

-- name: profile
SELECT body FROM import_profiles WHERE profile_no = ?

-- name: counts
SELECT source, sum(rows) FROM (SELECT profile_no, count(*) AS rows FROM imported GROUP BY profile_no) AS counted
JOIN import_profiles ON import_profiles.profile_no = counted.profile_no
GROUP BY source ORDER BY source

-- name: rows
SELECT source_id, ts_start_ms, profile_no, body FROM imported WHERE :where ORDER BY ts_start_ms

-- name: rows_by_request
SELECT imported.source_id, imported.ts_start_ms, imported.profile_no, imported.body, imported.request_crc
FROM (SELECT row_no FROM imported WHERE :where ORDER BY request_crc LIMIT -1) AS chosen
CROSS JOIN imported ON imported.row_no = chosen.row_no

-- name: raise_hours
INSERT INTO changed_hours (origin, hour, version) VALUES :rows
ON CONFLICT (origin, hour) DO UPDATE SET version = version + 1

-- name: hours_of
SELECT DISTINCT ts_start_ms / 3600000 FROM attempts WHERE attempt_id IN (SELECT value FROM json_each(?))

-- name: open_hours
SELECT DISTINCT ts_start_ms / 3600000 FROM attempts WHERE settle_line IS NULL

-- name: hour_versions
SELECT origin, hour, version FROM changed_hours WHERE hour >= :since_hour AND hour < :until_hour

-- name: store_id
SELECT value FROM meta WHERE name = 'store_id'
