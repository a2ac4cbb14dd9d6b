-- Trials of challengers, and the requests that incumbent and challenger both answered. Grades and costs, no content.

CREATE TABLE trials (
    trial_id text COLLATE "C" PRIMARY KEY,
    route text COLLATE "C" NOT NULL,
    task text COLLATE "C" NOT NULL,
    challenger text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body bytea NOT NULL
);

CREATE TABLE compared_pairs (
    pair_id text COLLATE "C" PRIMARY KEY,
    trial_id text COLLATE "C" NOT NULL REFERENCES trials,
    request_id text NOT NULL,
    session_id text NOT NULL,
    enrolled_ms bigint NOT NULL,
    graded_ms bigint,
    difference double precision,
    grader text,
    label double precision,
    shadow_nanousd bigint,
    judge_nanousd bigint
);

CREATE INDEX compared_pairs_by_trial ON compared_pairs (trial_id, session_id);
CREATE INDEX compared_pairs_by_time ON compared_pairs (enrolled_ms);
CREATE INDEX compared_pairs_by_request ON compared_pairs (request_id);

CREATE TABLE counted_sessions (
    trial_id text COLLATE "C" NOT NULL REFERENCES trials,
    session_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (trial_id, session_id)
);
