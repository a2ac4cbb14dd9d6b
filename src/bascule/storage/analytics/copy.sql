-- name: rows
COPY (SELECT * FROM {table} ORDER BY state >= 512, session_id, ts_start_ms, attempt_id)
TO {path} (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)

-- name: sums
COPY (SELECT * FROM ({sums}) ORDER BY session_id) TO {path} (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)

-- name: count
SELECT count(*) FROM {table}

-- name: empty_columns
-- By the file's own statistics.
SELECT path_in_schema FROM parquet_metadata({path})
GROUP BY path_in_schema HAVING bool_and(coalesce(stats_null_count = num_values, false))
ORDER BY path_in_schema
