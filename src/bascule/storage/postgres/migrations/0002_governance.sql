-- Keys and budgets made by command, and the audit trail of every change.

CREATE TABLE keys (
    key_id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    policy text NOT NULL,
    created_ms bigint NOT NULL,
    revoked_ms bigint
);

CREATE TABLE budgets (
    scope text COLLATE "C" NOT NULL,
    "window" text COLLATE "C" NOT NULL,
    budget text NOT NULL,
    created_ms bigint NOT NULL,
    PRIMARY KEY (scope, "window")
);

CREATE TABLE audit (seq bigint PRIMARY KEY, body bytea NOT NULL, chain text NOT NULL);
