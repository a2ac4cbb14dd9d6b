-- name: distinct
SELECT {g}, count(DISTINCT "user"), count(DISTINCT session_key) FROM framed_sums GROUP BY {g}
