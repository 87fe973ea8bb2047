WITH counted AS (
    SELECT district, year, count(DISTINCT person) AS people, count(*) AS records, sum(cost) AS cost
    FROM matrix_records WHERE reason IS NULL GROUP BY ALL
),
every AS (
    SELECT district, year, coalesce(people, 0) AS people, coalesce(records, 0) AS records, cost
    FROM city CROSS JOIN matrix_years LEFT JOIN counted USING (district, year)
),
sums AS (
    SELECT *, sum(records) OVER (PARTITION BY district) AS of_district,
        sum(records) OVER (PARTITION BY year) AS of_year, sum(records) OVER () AS total
    FROM every
),
expected AS (SELECT *, of_district * of_year / total AS expected FROM sums)
SELECT district, year, expected,
    (records - expected)
        / nullif(sqrt(expected * (1 - of_district / total) * (1 - of_year / total)), 0)
        AS residual,
    people, records, cost
FROM expected;
