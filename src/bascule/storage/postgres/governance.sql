-- Statements of the keys, budgets and audit trail.

-- name: keys
SELECT key_id, digest, policy, created_ms, revoked_ms FROM keys ORDER BY created_ms, key_id

-- name: add_key
INSERT INTO keys (key_id, name, digest, policy, created_ms, revoked_ms) VALUES (%s, %s, %b, %s, %s, %s)

-- name: end_key
UPDATE keys SET revoked_ms = %(at_ms)s
WHERE key_id = %(key_id)s AND (revoked_ms IS NULL OR revoked_ms > %(at_ms)s)

-- name: budgets
SELECT budget FROM budgets ORDER BY scope, "window"

-- name: set_budget
INSERT INTO budgets (scope, "window", budget, created_ms) VALUES (%s, %s, %s, %s)
ON CONFLICT (scope, "window") DO UPDATE SET budget = excluded.budget

-- name: remove_budget
DELETE FROM budgets WHERE scope = %s AND "window" = %s

-- name: last_audit
SELECT seq, chain FROM audit ORDER BY seq DESC LIMIT 1

-- name: add_audit
INSERT INTO audit (seq, body, chain) VALUES (%s, %b, %s)

-- name: audit
SELECT seq, body, chain FROM audit ORDER BY seq

-- name: setting
SELECT value FROM meta WHERE name = %s

-- name: set_setting
INSERT INTO meta (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: forget_claims
DELETE FROM meta WHERE name COLLATE "C" >= %s AND name COLLATE "C" < %s

-- name: claim
INSERT INTO meta (name, value) VALUES (%s, '') ON CONFLICT DO NOTHING

-- name: next_revision
INSERT INTO meta (name, value) VALUES ('governance_revision', '1')
ON CONFLICT (name) DO UPDATE SET value = (meta.value::bigint + 1)::text
