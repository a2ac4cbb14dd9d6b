-- The authority of budgets that replicas share. Locks are taken in one order: the worker's own row, then accounts by name.

-- name: enrol
INSERT INTO holders (holder, replica, until_ms, turn) VALUES (%(holder)s, %(replica)s, %(until_ms)s, 0)

-- name: holders
SELECT holder, replica, until_ms FROM holders ORDER BY holder

-- name: prolong
UPDATE holders SET until_ms = %(until_ms)s, turn = %(turn)s WHERE holder = %(holder)s AND turn < %(turn)s

-- name: keep_holders
SELECT holder FROM holders WHERE holder = ANY(%(holders)s) ORDER BY holder FOR SHARE

-- name: open
INSERT INTO accounts (scope, window_id, closed_nanousd, recall, quiet_until_ms)
SELECT *, 0, 0 FROM unnest(%b::text[], %b::text[], %b::bigint[])
ON CONFLICT DO NOTHING

-- name: accounts
SELECT accounts.scope, accounts.window_id, closed_nanousd, recall, quiet_until_ms
FROM accounts
JOIN unnest(%b::text[], %b::text[]) AS asked (scope, window_id)
    ON asked.scope = accounts.scope AND asked.window_id = accounts.window_id
ORDER BY accounts.scope, accounts.window_id
FOR UPDATE OF accounts

-- A statement of its own, after the accounts are locked: it must see what others wrote while that was waited for.
-- name: leases
SELECT leases.scope, leases.window_id, holder, ceiling_nanousd, settled_nanousd, held_nanousd, answered
FROM leases
JOIN unnest(%b::text[], %b::text[]) AS asked (scope, window_id)
    ON asked.scope = leases.scope AND asked.window_id = leases.window_id

-- name: put_accounts
UPDATE accounts SET recall = given.recall, quiet_until_ms = given.quiet_until_ms
FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[]) AS given (scope, window_id, recall, quiet_until_ms)
WHERE accounts.scope = given.scope AND accounts.window_id = given.window_id

-- name: put_leases
INSERT INTO leases (scope, window_id, holder, ceiling_nanousd, settled_nanousd, held_nanousd, answered)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
ON CONFLICT (scope, window_id, holder) DO UPDATE SET
    ceiling_nanousd = excluded.ceiling_nanousd, settled_nanousd = excluded.settled_nanousd,
    held_nanousd = excluded.held_nanousd, answered = excluded.answered

-- name: lock_holder
SELECT holder FROM holders WHERE holder = %(holder)s FOR UPDATE

-- name: end_holder
DELETE FROM holders WHERE holder = %(holder)s

-- name: lock_all_accounts
SELECT scope, window_id FROM accounts ORDER BY scope, window_id FOR UPDATE

-- name: end_leases
DELETE FROM leases WHERE holder = %(holder)s

-- name: add_closed
UPDATE accounts SET closed_nanousd = closed_nanousd + given.spent
FROM unnest(%b::text[], %b::text[], %b::bigint[]) AS given (scope, window_id, spent)
WHERE accounts.scope = given.scope AND accounts.window_id = given.window_id

-- name: counters
SELECT scope, window_id FROM accounts ORDER BY scope, window_id

-- name: forget_accounts
DELETE FROM accounts WHERE window_id = ANY(%(window_ids)s)

-- name: forget_leases
DELETE FROM leases WHERE window_id = ANY(%(window_ids)s)
