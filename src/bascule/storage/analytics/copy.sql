COPY (SELECT * FROM {table} ORDER BY state >= 512, session_id, ts_start_ms, attempt_id) TO {path} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)
