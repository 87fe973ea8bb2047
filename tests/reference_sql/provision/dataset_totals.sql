SELECT dataset, age_band, count(DISTINCT person) AS people, count(*) AS records, sum(cost) AS cost
FROM (
    SELECT dataset, age_band(value ->> '$', age) AS age_band, person, cost
    FROM registered JOIN members('analyses/provision', '$.totals') ON key = dataset
)
GROUP BY GROUPING SETS ((dataset, age_band), (dataset));
