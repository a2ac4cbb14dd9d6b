-- Uses of Idempotency-Keys: one row a name, which stands for the virtual key and what its client sent.

CREATE TABLE idempotency_keys (
    name BLOB PRIMARY KEY,
    digest BLOB NOT NULL,
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'lost')),
    attempt_id TEXT
) WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (until_ms);
CREATE INDEX idempotency_keys_by_tenant ON idempotency_keys (tenant);
CREATE INDEX idempotency_keys_open ON idempotency_keys (owner) WHERE state = 'open';
