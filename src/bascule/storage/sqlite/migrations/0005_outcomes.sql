-- What became of sessions' work, as people, checks and git history say it. Append-only: of one source about one thing
-- the last line counts.

CREATE TABLE outcomes (
    outcome_no INTEGER PRIMARY KEY,
    session_id TEXT,
    request_id TEXT,
    part TEXT,
    work TEXT,
    at_ms INTEGER NOT NULL,
    outcome TEXT,
    score REAL,
    source TEXT NOT NULL,
    note TEXT,
    CHECK (session_id IS NOT NULL OR request_id IS NOT NULL)
);

CREATE INDEX outcomes_by_subject ON outcomes (session_id, request_id, part, source);
