-- Statements of the uses of Idempotency-Keys.

-- name: claim
INSERT INTO idempotency_keys (name, digest, tenant, request_id, owner, started_ms, until_ms, state, attempt_id)
VALUES (
    %(name)b, %(digest)b, %(tenant)s, %(request_id)s, %(owner)s, %(started_ms)s, %(until_ms)s, %(state)s,
    %(attempt_id)s
)
ON CONFLICT (name) DO UPDATE SET
    digest = excluded.digest, tenant = excluded.tenant, request_id = excluded.request_id, owner = excluded.owner,
    started_ms = excluded.started_ms, until_ms = excluded.until_ms, state = excluded.state,
    attempt_id = excluded.attempt_id
WHERE idempotency_keys.until_ms <= excluded.started_ms

-- name: find
SELECT name, digest, tenant, request_id, owner, started_ms, until_ms, state, attempt_id
FROM idempotency_keys WHERE name = %(name)b AND until_ms > %(now_ms)s

-- name: end
UPDATE idempotency_keys SET state = %(state)s, attempt_id = %(attempt_id)s
WHERE name = %(name)b AND request_id = %(request_id)s

-- name: release
DELETE FROM idempotency_keys WHERE name = %(name)b AND request_id = %(request_id)s RETURNING tenant

-- name: open_owners
SELECT DISTINCT owner FROM idempotency_keys WHERE state = 'open'

-- name: lose
UPDATE idempotency_keys SET state = 'lost', attempt_id = (
    SELECT max(attempts.attempt_id) FROM attempts WHERE attempts.request_id = idempotency_keys.request_id
)
WHERE state = 'open' AND owner = %(owner)s
AND EXISTS (SELECT 1 FROM attempts WHERE attempts.request_id = idempotency_keys.request_id)

-- name: forget
DELETE FROM idempotency_keys WHERE state = 'open' AND owner = %(owner)s

-- name: purge
DELETE FROM idempotency_keys WHERE name IN (
    SELECT name FROM idempotency_keys WHERE until_ms <= %(now_ms)s ORDER BY until_ms LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
) RETURNING tenant

-- name: counts
SELECT tenant, count(*) FROM idempotency_keys GROUP BY tenant
