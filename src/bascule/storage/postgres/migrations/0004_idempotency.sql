-- Uses of Idempotency-Keys: one row a name, which stands for the virtual key and what its client sent.

CREATE TABLE idempotency_keys (
    name bytea PRIMARY KEY,
    digest bytea NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    request_id text NOT NULL,
    owner text COLLATE "C" NOT NULL,
    started_ms bigint NOT NULL,
    until_ms bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'done', 'lost')),
    attempt_id text
);

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (until_ms);
CREATE INDEX idempotency_keys_open ON idempotency_keys (owner) WHERE state = 'open';
CREATE INDEX idempotency_keys_by_tenant ON idempotency_keys (tenant);
