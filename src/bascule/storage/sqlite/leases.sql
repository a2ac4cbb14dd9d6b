-- The authority of several workers of one host. A file of its own: its transactions are short, and must not wait for
-- those of the ledger. Everything here follows from the ledger, and is made anew where nobody is enrolled.

-- name: tables
CREATE TABLE IF NOT EXISTS holders (
    holder TEXT PRIMARY KEY,
    replica TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    turn INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    scope TEXT NOT NULL,
    window_id TEXT NOT NULL,
    closed_nanousd INTEGER NOT NULL,
    recall INTEGER NOT NULL,
    quiet_until_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, window_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
    scope TEXT NOT NULL,
    window_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    ceiling_nanousd INTEGER NOT NULL,
    settled_nanousd INTEGER NOT NULL,
    held_nanousd INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    PRIMARY KEY (scope, window_id, holder)
) WITHOUT ROWID;

-- name: enrol
INSERT INTO holders (holder, replica, until_ms, turn) VALUES (?, ?, ?, 0)

-- name: holders
SELECT holder, replica, until_ms FROM holders ORDER BY holder

-- name: prolong
UPDATE holders SET until_ms = :until_ms, turn = :turn WHERE holder = :holder AND turn < :turn

-- name: account
SELECT closed_nanousd, recall, quiet_until_ms, holder, ceiling_nanousd, settled_nanousd, held_nanousd, answered
FROM accounts LEFT JOIN leases USING (scope, window_id)
WHERE scope = ? AND window_id = ?

-- name: put_account
INSERT INTO accounts (scope, window_id, closed_nanousd, recall, quiet_until_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope, window_id) DO UPDATE SET recall = excluded.recall, quiet_until_ms = excluded.quiet_until_ms

-- name: put_lease
INSERT INTO leases (scope, window_id, holder, ceiling_nanousd, settled_nanousd, held_nanousd, answered)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (scope, window_id, holder) DO UPDATE SET
    ceiling_nanousd = excluded.ceiling_nanousd, settled_nanousd = excluded.settled_nanousd,
    held_nanousd = excluded.held_nanousd, answered = excluded.answered

-- name: open
INSERT INTO accounts (scope, window_id, closed_nanousd, recall, quiet_until_ms) VALUES (?, ?, ?, 0, 0)
ON CONFLICT DO NOTHING

-- name: end_holder
DELETE FROM holders WHERE holder = ?

-- name: end_leases
DELETE FROM leases WHERE holder = ?

-- name: add_closed
UPDATE accounts SET closed_nanousd = closed_nanousd + ? WHERE scope = ? AND window_id = ?

-- name: counters
SELECT scope, window_id FROM accounts ORDER BY scope, window_id

-- name: forget_accounts
DELETE FROM accounts WHERE window_id = ?

-- name: forget_leases
DELETE FROM leases WHERE window_id = ?
