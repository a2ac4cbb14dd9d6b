-- Keys and budgets made by command, and the audit trail of every change.

CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    policy TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) WITHOUT ROWID;

CREATE TABLE budgets (
    scope TEXT NOT NULL,
    window TEXT NOT NULL,
    budget TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, window)
) WITHOUT ROWID;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    chain TEXT NOT NULL
);
