"""The embedded store: SQLite in WAL mode, one file in the data directory."""
