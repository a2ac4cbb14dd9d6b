-- name: costs
-- What settled attempts cost; a cost that is not known is counted apart, and open attempts have none yet.
SELECT {g}, sum(cost_nanousd) FILTER (state & 1 = 0), count(*) FILTER (state & 17 = 0)
FROM framed GROUP BY {g}
