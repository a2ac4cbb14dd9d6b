-- The authority of budgets that replicas share: who spends from which account, and how far each may go.

CREATE TABLE holders (
    holder text PRIMARY KEY,
    replica text NOT NULL,
    until_ms bigint NOT NULL,
    turn bigint NOT NULL
);

CREATE TABLE accounts (
    scope text NOT NULL,
    window_id text NOT NULL,
    closed_nanousd bigint NOT NULL,
    recall bigint NOT NULL,
    quiet_until_ms bigint NOT NULL,
    PRIMARY KEY (scope, window_id)
);

CREATE TABLE leases (
    scope text NOT NULL,
    window_id text NOT NULL,
    holder text NOT NULL,
    ceiling_nanousd bigint NOT NULL,
    settled_nanousd bigint NOT NULL,
    held_nanousd bigint NOT NULL,
    answered bigint NOT NULL,
    PRIMARY KEY (scope, window_id, holder)
);

CREATE INDEX leases_by_holder ON leases (holder);
