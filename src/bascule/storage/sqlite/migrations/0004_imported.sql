-- Rows that others recorded, apart from `attempts`: no line stands behind them. What many rows share (source, session,
-- model, rates and so on) is one profile; the rest is packed (packed.py), so that a million rows take a quarter of
-- what a million documents would. Rows are found by a checksum of source and id, and then by these themselves.

CREATE TABLE import_profiles (
    profile_no INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    session_id TEXT,
    "key" TEXT,
    model TEXT
);

CREATE INDEX import_profiles_by_session ON import_profiles (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE imported (
    row_no INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    id_crc INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    ts_start_ms INTEGER NOT NULL,
    request_crc INTEGER NOT NULL,
    profile_no INTEGER NOT NULL REFERENCES import_profiles,
    body BLOB NOT NULL
);

CREATE INDEX imported_by_id ON imported (id_crc);
CREATE INDEX imported_by_start ON imported (ts_start_ms);
CREATE INDEX imported_by_profile ON imported (profile_no);

-- How often each hour of an origin was written to. A Parquet segment remembers the versions that it was made from.

CREATE TABLE changed_hours (
    origin TEXT NOT NULL,
    hour INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (origin, hour)
) WITHOUT ROWID;

INSERT INTO changed_hours SELECT 'gateway', ts_start_ms / 3600000, 1 FROM attempts GROUP BY 2;

-- Tells segments of this database from those of another one in the same folder.

INSERT INTO meta (name, value) VALUES ('store_id', lower(hex(randomblob(16))));
