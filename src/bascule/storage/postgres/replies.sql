-- Statements of the sealed answers that replicas share.

-- name: put
INSERT INTO replies (name, until_ms, "user", session_id, sealed)
VALUES (%(name)b, %(until_ms)s, %(user)s, %(session_id)s, %(sealed)b)
ON CONFLICT (name) DO UPDATE SET
    until_ms = excluded.until_ms, "user" = excluded."user", session_id = excluded.session_id, sealed = excluded.sealed

-- name: get
SELECT sealed FROM replies WHERE name = %(name)b AND until_ms > %(now_ms)s

-- name: erase
DELETE FROM replies WHERE "user" = %(user)s OR session_id = %(session_id)s

-- name: end
DELETE FROM replies WHERE until_ms <= %(now_ms)s
