-- The shortest run of years with the share; ties by most agreements, then by the earliest year.
WITH started AS (
    SELECT * FROM registered
    WHERE dataset IN (SELECT unnest(listed('analyses/provision', '$.dense_datasets')))
),
years AS (SELECT dataset, year, count(*) AS records FROM started GROUP BY ALL),
runs AS (
    SELECT a.dataset, a.year AS first_year, b.year AS last_year, sum(y.records) / total AS share
    FROM years AS a
    JOIN years AS b ON b.dataset = a.dataset AND b.year >= a.year
    JOIN years AS y ON y.dataset = a.dataset AND y.year BETWEEN a.year AND b.year
    JOIN (SELECT dataset, sum(records) AS total FROM years GROUP BY ALL) AS t
        ON t.dataset = a.dataset
    GROUP BY a.dataset, a.year, b.year, total
),
windows AS (
    FROM runs WHERE share >= setting('analyses/provision', '$.dense_share')::DOUBLE
    QUALIFY row_number() OVER (
        PARTITION BY dataset ORDER BY last_year - first_year, share DESC, first_year
    ) = 1
)
SELECT dataset, first_year, last_year, share, count(DISTINCT person) AS people,
    count(*) AS records, sum(cost) AS cost
FROM started JOIN windows USING (dataset) WHERE year BETWEEN first_year AND last_year
GROUP BY ALL;
