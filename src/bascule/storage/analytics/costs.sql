-- name: costs
-- What settled attempts cost; a cost that is not known is counted apart, and open attempts have none yet.
SELECT {g}, sum(cost_nanousd) FILTER (state & 1 = 0), coalesce(sum(n) FILTER (state & 17 = 0), 0)::BIGINT
FROM framed_sums GROUP BY {g}

-- name: plan_tags
-- Tags of coding agents' logs that name a subscription.
CREATE TEMP TABLE plan_tags AS
SELECT tags
FROM (SELECT DISTINCT tags FROM attempts AS a WHERE {where} AND a.origin IN ({agents}))
WHERE (CAST(tags AS JSON)::MAP(VARCHAR, VARCHAR))['{tag}'] IS NOT NULL
