-- Recordings and replies, each sealed. What is needed to find, end and erase them stands beside.

CREATE TABLE IF NOT EXISTS recordings (
    attempt_id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    ts_ms INTEGER NOT NULL,
    "user" TEXT,
    session_id TEXT,
    sealed BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS recordings_by_request ON recordings (request_id);
CREATE INDEX IF NOT EXISTS recordings_by_time ON recordings (ts_ms);
CREATE INDEX IF NOT EXISTS recordings_by_user ON recordings ("user") WHERE "user" IS NOT NULL;
CREATE INDEX IF NOT EXISTS recordings_by_session ON recordings (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS replies (
    name BLOB PRIMARY KEY,
    until_ms INTEGER NOT NULL,
    "user" TEXT,
    session_id TEXT,
    sealed BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS replies_by_end ON replies (until_ms);

-- What was asked before a subject's content was erased is not written after it: by no other process, which may have had
-- it in its queue.
CREATE TABLE IF NOT EXISTS erasures (
    subject TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
