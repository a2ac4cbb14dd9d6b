COPY (SELECT * FROM {table} ORDER BY ts_start_ms, attempt_id) TO {path} (FORMAT parquet, COMPRESSION zstd)
