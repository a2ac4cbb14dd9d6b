-- Trials of challengers, and the requests that incumbent and challenger both answered. Grades and costs, no content.

CREATE TABLE trials (
    trial_id TEXT PRIMARY KEY,
    route TEXT NOT NULL,
    task TEXT NOT NULL,
    challenger TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE compared_pairs (
    pair_id TEXT PRIMARY KEY,
    trial_id TEXT NOT NULL REFERENCES trials,
    request_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL,
    graded_ms INTEGER,
    difference REAL,
    grader TEXT,
    label REAL,
    shadow_nanousd INTEGER,
    judge_nanousd INTEGER
) WITHOUT ROWID;

CREATE INDEX compared_pairs_by_trial ON compared_pairs (trial_id, session_id);
CREATE INDEX compared_pairs_by_time ON compared_pairs (enrolled_ms);
CREATE INDEX compared_pairs_by_request ON compared_pairs (request_id);

CREATE TABLE counted_sessions (
    trial_id TEXT NOT NULL REFERENCES trials,
    session_id TEXT NOT NULL,
    PRIMARY KEY (trial_id, session_id)
) WITHOUT ROWID;
