-- Sealed answers to requests with an Idempotency-Key, for all replicas; kept only where content may be recorded.

CREATE TABLE replies (
    name bytea PRIMARY KEY,
    until_ms bigint NOT NULL,
    "user" text COLLATE "C",
    session_id text COLLATE "C",
    sealed bytea NOT NULL
);

CREATE INDEX replies_by_end ON replies (until_ms);
CREATE INDEX replies_by_user ON replies ("user") WHERE "user" IS NOT NULL;
CREATE INDEX replies_by_session ON replies (session_id) WHERE session_id IS NOT NULL;
