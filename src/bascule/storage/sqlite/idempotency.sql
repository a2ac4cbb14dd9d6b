-- Statements of the uses of Idempotency-Keys.

-- name: claim
INSERT OR REPLACE INTO idempotency_keys
    (name, digest, tenant, request_id, owner, started_ms, until_ms, state, attempt_id)
VALUES (:name, :digest, :tenant, :request_id, :owner, :started_ms, :until_ms, :state, :attempt_id)

-- name: find
SELECT name, digest, tenant, request_id, owner, started_ms, until_ms, state, attempt_id
FROM idempotency_keys WHERE name = :name AND until_ms > :now_ms

-- name: end
UPDATE idempotency_keys SET state = :state, attempt_id = :attempt_id WHERE name = :name AND request_id = :request_id

-- name: release
DELETE FROM idempotency_keys WHERE name = :name AND request_id = :request_id RETURNING tenant

-- name: open_owners
SELECT DISTINCT owner FROM idempotency_keys WHERE state = 'open'

-- name: lose
UPDATE idempotency_keys SET state = 'lost', attempt_id = (
    SELECT max(attempts.attempt_id) FROM attempts WHERE attempts.request_id = idempotency_keys.request_id
)
WHERE state = 'open' AND owner = :owner
AND EXISTS (SELECT 1 FROM attempts WHERE attempts.request_id = idempotency_keys.request_id)

-- name: forget
DELETE FROM idempotency_keys WHERE state = 'open' AND owner = :owner

-- name: purge
DELETE FROM idempotency_keys
WHERE name IN (SELECT name FROM idempotency_keys WHERE until_ms <= :now_ms ORDER BY until_ms LIMIT :most)
RETURNING tenant

-- name: counts
SELECT tenant, count(*) FROM idempotency_keys GROUP BY tenant
